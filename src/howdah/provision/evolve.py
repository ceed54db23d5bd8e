"""What a change leaves behind: facts before, facts after. A step is decided on what is there by then."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch

from howdah.provision.changes import (
    PUBLIC,
    AlterRole,
    Change,
    ChangeOwner,
    CreateDatabase,
    CreateExtension,
    CreateRole,
    CreateSchema,
    GrantRole,
    UpdateExtension,
)
from howdah.provision.facts import (
    Database,
    DefaultGrant,
    Facts,
    Grants,
    Inside,
    Membership,
    Role,
    Schema,
)
from howdah.provision.grants import PRIVILEGES, GrantFuture, GrantPrivileges, Kind
from howdah.provision.rights import DATABASE_OWNER, is_superuser


@singledispatch
def evolve(change: Change, facts: Facts) -> Facts:
    """The facts after the change; a change that shows in no fact leaves them as they are."""
    return facts


def fresh_inside(major: int) -> Inside:
    """What a new database has. PostgreSQL 15 took CREATE on `public` from everybody."""
    if major >= 15:
        grants: Grants = frozenset({(DATABASE_OWNER, "USAGE"), (DATABASE_OWNER, "CREATE"), (PUBLIC, "USAGE")})
        return Inside(schemas={"public": Schema("public", DATABASE_OWNER, grants)})
    grants = frozenset({(PUBLIC, "USAGE"), (PUBLIC, "CREATE")})
    return Inside(schemas={"public": Schema("public", "postgres", grants)})


@evolve.register
def _(change: CreateRole, facts: Facts) -> Facts:
    limit = -1 if change.connection_limit is None else change.connection_limit
    role = Role(change.name, login=bool(change.login), connection_limit=limit)
    memberships = facts.memberships
    if facts.major >= 16 and not is_superuser(facts, facts.user):
        # who creates a role administers it, and no more than that
        maker = Membership(change.name, facts.user, admin=True, inherits=False, sets=False)
        memberships |= {maker}
    return replace(facts, roles={**facts.roles, role.name: role}, memberships=memberships)


@evolve.register
def _(change: AlterRole, facts: Facts) -> Facts:
    role = facts.roles[change.name]
    if change.login is not None:
        role = replace(role, login=change.login)
    if change.connection_limit is not None:
        role = replace(role, connection_limit=change.connection_limit)
    return replace(facts, roles={**facts.roles, role.name: role})


@evolve.register
def _(change: GrantRole, facts: Facts) -> Facts:
    same = {m for m in facts.memberships if (m.role, m.member) == (change.role, change.member)}
    member = facts.roles.get(change.member)
    joined = Membership(
        change.role,
        change.member,
        admin=any(m.admin for m in same),
        inherits=any(m.inherits for m in same) or member is None or member.inherit,
    )
    return replace(facts, memberships=facts.memberships - same | {joined})


@evolve.register
def _(change: CreateDatabase, facts: Facts) -> Facts:
    owner = change.owner or facts.user
    locale = change.locale or "C"
    grants = _all_of(owner, Kind.DATABASE) | {(PUBLIC, "CONNECT"), (PUBLIC, "TEMPORARY")}
    database = Database(change.name, owner, change.encoding or "UTF8", locale, locale, grants)
    return replace(facts, database=database, inside=fresh_inside(facts.major))


@evolve.register
def _(change: ChangeOwner, facts: Facts) -> Facts:
    if facts.database is None:
        return facts
    old = facts.database.owner
    grants = frozenset((change.owner if who == old else who, what) for who, what in facts.database.grants)
    return replace(facts, database=replace(facts.database, owner=change.owner, grants=grants))


@evolve.register
def _(change: CreateSchema, facts: Facts) -> Facts:
    inside = facts.inside or Inside()
    owner = change.owner or facts.user
    schema = Schema(change.name, owner, _all_of(owner, Kind.SCHEMA))
    return replace(facts, inside=replace(inside, schemas={**inside.schemas, schema.name: schema}))


@evolve.register
def _(change: CreateExtension, facts: Facts) -> Facts:
    todo, made = [change.name], dict(facts.inside.installed if facts.inside else {})
    while todo:
        name = todo.pop()
        if name not in made and name in facts.extensions:
            made[name] = facts.extensions[name].default_version
            todo.extend(facts.extensions[name].requires)
    return replace(facts, inside=replace(facts.inside or Inside(), installed=made))


@evolve.register
def _(change: UpdateExtension, facts: Facts) -> Facts:
    inside = facts.inside or Inside()
    return replace(facts, inside=replace(inside, installed={**inside.installed, change.name: change.version}))


@evolve.register
def _(change: GrantPrivileges, facts: Facts) -> Facts:
    given = {(change.to, privilege) for privilege in change.privileges}
    kind, name = change.object.kind, change.object.name
    if kind is Kind.DATABASE:
        if facts.database is None:
            return facts
        return replace(facts, database=replace(facts.database, grants=facts.database.grants | given))
    inside = facts.inside or Inside()
    if kind is Kind.SCHEMA:
        schema = inside.schemas[name]
        schemas = {**inside.schemas, name: replace(schema, grants=schema.grants | given)}
        return replace(facts, inside=replace(inside, schemas=schemas))
    objects = inside.objects[name, kind]
    granted = {**objects.granted, **dict.fromkeys(given, objects.total)}
    changed = {**inside.objects, (name, kind): replace(objects, granted=granted)}
    return replace(facts, inside=replace(inside, objects=changed))


@evolve.register
def _(change: GrantFuture, facts: Facts) -> Facts:
    inside = facts.inside or Inside()
    kind, schema = change.object.kind, change.object.name
    given = {DefaultGrant(change.owner, schema, kind, change.to, word) for word in change.privileges}
    return replace(facts, inside=replace(inside, defaults=inside.defaults | given))


def _all_of(owner: str, kind: Kind) -> Grants:
    return frozenset((owner, privilege) for privilege in PRIVILEGES[kind])
