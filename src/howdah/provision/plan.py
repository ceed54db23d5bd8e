"""Plan a setup: what the project wants and what is there, to the steps that are left. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from howdah.config.database import DatabaseConfig
from howdah.config.project import DatabaseSettings, SetupSettings
from howdah.errors import ConfigError
from howdah.pg.identifiers import check_name
from howdah.pg.version import version_of_number
from howdah.provision.changes import (
    PUBLIC,
    Change,
    ChangeOwner,
    CreateDatabase,
    CreateExtension,
    CreateRole,
    CreateSchema,
    GrantRole,
    On,
)
from howdah.provision.databases import decide_database, decide_owner, decide_schema
from howdah.provision.evolve import evolve
from howdah.provision.extensions import decide_extension, read_extension
from howdah.provision.facts import Extension, Facts, Role
from howdah.provision.grants import GrantFuture, GrantPrivileges, Kind, Object, read_grant
from howdah.provision.privileges import decide_future, decide_grant
from howdah.provision.rights import is_superuser, provider_of
from howdah.provision.roles import decide_membership, decide_role
from howdah.provision.steps import Policy, SetupPlan, Step, blocked, statement_text


def plan_setup(
    settings: DatabaseSettings, address: DatabaseConfig, facts: Facts, *, policy: Policy | None = None
) -> SetupPlan:
    """The steps that set up one database, each decided on what will be there when its turn comes.

    Planning again on what is there afterwards gives no pending step, or one that the run made possible.

    Raises:
        ConfigError: a name or a grant in the settings cannot be meant.
    """
    policy = policy or Policy()
    target = replace(address, database=address.database or settings.name)
    steps: list[Step] = []
    for wanted in wanted_changes(settings, target, policy):
        for decided in _decide(wanted, facts, policy):
            step = _guarded(decided, target) if policy.guarded else decided
            steps.append(step)
            if step.is_pending:
                facts = evolve(step.change, facts)
    return SetupPlan(target, facts.user, _describe(facts), tuple(steps))


def wanted_changes(settings: DatabaseSettings, target: DatabaseConfig, policy: Policy) -> Iterator[Change]:
    """What the project wants to be there, in an order in which it can be made.

    Where the file says nothing: the role of the address, the database of the address, owned by that role.
    """
    setup, database = settings.setup, check_name(target.database, what="database")
    creator = setup.owner or target.user or None
    yield from _wanted_roles(setup, target, policy)
    yield CreateDatabase(database, creator, setup.encoding, setup.locale)
    if setup.owner:
        yield ChangeOwner(database, setup.owner)
    if target.user:
        yield GrantPrivileges(("CONNECT",), Object(Kind.DATABASE, database), target.user, needed=True)
    for schema in setup.schemas:
        yield CreateSchema(_checked(schema, what="schema"), creator)
    yield from map(read_extension, setup.extensions)
    if creator:
        for schema in dict.fromkeys(("public", *setup.schemas)):
            yield GrantPrivileges(("USAGE", "CREATE"), Object(Kind.SCHEMA, schema), creator, needed=True)
    for entry in setup.grants:
        grant = read_grant(entry, database=database)
        yield replace(grant, to=grant.to if grant.to.lower() != PUBLIC else PUBLIC)
        if entry.future and creator:
            yield GrantFuture(creator, grant.privileges, grant.object, grant.to)


def wanted_extensions(settings: DatabaseSettings) -> tuple[str, ...]:
    """The names of the extensions that the project wants."""
    return tuple(read_extension(text).name for text in settings.setup.extensions)


def wanted_schemas(settings: DatabaseSettings) -> tuple[str, ...]:
    """The names of the schemas a plan looks at."""
    granted = (read_grant(grant, database=settings.name).object for grant in settings.setup.grants)
    named = (target.name for target in granted if target.kind is not Kind.DATABASE)
    return tuple(dict.fromkeys(("public", *settings.setup.schemas, *named)))


def unknown_server(settings: DatabaseSettings) -> Facts:
    """Facts to plan on when the server cannot be asked: nothing is there, and a superuser will run it."""
    extensions = {name: Extension(name, "") for name in wanted_extensions(settings)}
    return Facts(0, "", roles={"": Role("", superuser=True)}, extensions=extensions, preloaded=None)


def _wanted_roles(
    setup: SetupSettings, target: DatabaseConfig, policy: Policy
) -> Iterator[CreateRole | GrantRole]:
    declared = {role.name for role in setup.roles}
    if target.user and target.user not in declared:
        yield CreateRole(_checked(target.user, what="role"), password=target.user in policy.passwords)
    if setup.owner and setup.owner not in declared | {target.user}:
        yield CreateRole(_checked(setup.owner, what="role"), login=None)
    for role in setup.roles:
        known = role.name in policy.passwords
        yield CreateRole(_checked(role.name, what="role"), role.login, role.connection_limit, password=known)
    for role in setup.roles:
        for group in role.member_of:
            yield GrantRole(check_name(group, what="role"), role.name)


def _checked(name: str, *, what: str) -> str:
    """The name, when the server lets such an object be made."""
    if name.startswith("pg_") or (what == "role" and name in (PUBLIC, "none")):
        raise ConfigError(
            f"a {what} cannot have the name {name!r}",
            code="bad-name",
            why="PostgreSQL keeps `pg_...`, `public` and `none` for itself.",
            fix="Choose another name.",
        )
    return check_name(name, what=what)


def _decide(wanted: Change, facts: Facts, policy: Policy) -> list[Step]:
    if wanted.on is On.DATABASE and facts.inside is None:
        is_implied = isinstance(wanted, GrantPrivileges) and wanted.needed
        return [] if is_implied else [_cannot_enter(wanted, facts)]
    steps: list[Step]
    match wanted:
        case CreateRole():
            steps = decide_role(wanted, facts, policy)
        case GrantRole():
            steps = [decide_membership(wanted, facts)]
        case CreateDatabase():
            steps = decide_database(wanted, facts)
        case ChangeOwner():
            steps = decide_owner(wanted, facts)
        case CreateSchema():
            steps = decide_schema(wanted, facts)
        case CreateExtension():
            steps = decide_extension(wanted, facts)
        case GrantPrivileges():
            steps = decide_grant(wanted, facts)
        case GrantFuture():
            steps = decide_future(wanted, facts)
        case _:
            raise TypeError(f"nobody decides about {wanted!r}")
    return steps


def _cannot_enter(wanted: Change, facts: Facts) -> Step:
    if facts.database is None:
        why, fix = (
            "The database is not there.",
            "Create the database first (see above); then run setup again.",
        )
        return blocked(wanted, code="missing-database", why=why, fix=fix, statement=statement_text(wanted))
    return blocked(
        wanted,
        code="cannot-enter-database",
        why=f"Role {facts.user} cannot connect to the database: {facts.closed}.",
        fix="Connect as a role that can, with --admin-url, or let one run, connected to the database:",
        statement=statement_text(wanted),
    )


def _guarded(step: Step, target: DatabaseConfig) -> Step:
    if not step.is_pending or not step.change.restricts:
        return step
    return blocked(
        step.change,
        code="protected-database",
        why=f"Database {target.database} is protected, and this takes something away from somebody.",
        fix=f"If it is meant: howdah setup apply --confirm {target.database}",
    )


def _describe(facts: Facts) -> str:
    if not facts.user:
        return "a server that was not asked"
    provider = provider_of(facts)
    rights = "a superuser" if is_superuser(facts, facts.user) else "not a superuser"
    service = f" of {provider}" if provider else ""
    return f"PostgreSQL {version_of_number(facts.version_number)}{service}, as {facts.user} ({rights})"
