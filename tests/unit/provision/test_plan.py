from __future__ import annotations

from dataclasses import replace

import pytest

from howdah.config.database import DatabaseConfig, Secret
from howdah.config.project import DatabaseSettings, GrantSettings, RoleSettings, SetupSettings
from howdah.errors import ConfigError
from howdah.provision.changes import CreateExtension
from howdah.provision.evolve import evolve, fresh_inside
from howdah.provision.facts import Database, Extension, Facts, Inside, Membership, Role
from howdah.provision.plan import plan_setup, unknown_server
from howdah.provision.steps import Policy, SetupPlan, Status, statement_text

ADDRESS = DatabaseConfig(host="db", user="app", database="kaimu", password=Secret("pw"))
EMPTY = Facts(180000, "postgres", roles={"postgres": Role("postgres", superuser=True)}, verifiers={})


def plan(
    facts: Facts,
    setup: SetupSettings | None = None,
    *,
    address: DatabaseConfig = ADDRESS,
    guarded: bool = False,
) -> SetupPlan:
    passwords = {address.user: address.password} if address.password else {}
    policy = Policy(passwords=passwords, guarded=guarded)
    return plan_setup(DatabaseSettings("it", setup=setup or SetupSettings()), address, facts, policy=policy)


def acting_as(name: str, major: int = 18, **attributes: bool) -> Facts:
    roles = {name: Role(name, login=True, **attributes), "postgres": Role("postgres", superuser=True)}
    return Facts(major * 10000, name, roles=roles)


def with_database(facts: Facts, owner: str, inside: Inside | None = None) -> Facts:
    grants = frozenset({(owner, "CREATE"), (owner, "CONNECT"), ("public", "CONNECT")})
    inside = inside or fresh_inside(facts.major)
    return replace(facts, database=Database("kaimu", owner, grants=grants), inside=inside)


def says(plan: SetupPlan) -> list[str]:
    return [statement_text(step.change) for step in plan.pending]


def test_an_address_alone_asks_for_its_role_and_its_database() -> None:
    assert says(plan(EMPTY)) == [
        "CREATE ROLE \"app\" LOGIN PASSWORD :'app_password'",
        'CREATE DATABASE "kaimu" OWNER "app"',
    ]


def test_a_database_without_a_name_takes_the_projects() -> None:
    assert plan(EMPTY, address=replace(ADDRESS, database="")).target.database == "it"


def test_the_password_is_never_in_the_plan() -> None:
    assert "pw'" not in repr(plan(EMPTY))


def test_what_is_there_is_there() -> None:
    facts = with_database(EMPTY, "app")
    facts = replace(facts, roles={**facts.roles, "app": Role("app", login=True)})
    assert not plan(facts).pending


def test_a_role_without_login_gets_it() -> None:
    facts = replace(EMPTY, roles={**EMPTY.roles, "app": Role("app")})
    assert says(plan(facts))[0] == 'ALTER ROLE "app" LOGIN'


def test_an_owner_that_is_not_declared_is_made_a_group_and_left_alone_if_there() -> None:
    setup = SetupSettings(owner="owners")
    assert 'CREATE ROLE "owners" NOLOGIN' in says(plan(EMPTY, setup))
    facts = replace(EMPTY, roles={**EMPTY.roles, "owners": Role("owners", login=True)})
    assert not any('"owners" ' in text and "ROLE" in text for text in says(plan(facts, setup)))


@pytest.mark.parametrize("name", ["pg_mine", "public", "none", "x" * 64, ""])
def test_a_role_name_the_server_keeps_or_cuts_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        plan(EMPTY, SetupSettings(roles=(RoleSettings(name),)))


def test_a_creator_of_databases_joins_the_owner_first() -> None:
    for major in (15, 16):
        facts = acting_as("admin", major, create_role=True, create_database=True)
        assert says(plan(facts))[1:] == ['GRANT "app" TO "admin"', 'CREATE DATABASE "kaimu" OWNER "app"']


def test_createrole_gives_no_way_into_others_roles_since_16() -> None:
    owners = RoleSettings("app", member_of=("owners",))
    for major, status in ((15, Status.CREATE), (16, Status.BLOCKED)):
        facts = acting_as("admin", major, create_role=True)
        facts = replace(facts, roles={**facts.roles, "owners": Role("owners")})
        found = plan(facts, SetupSettings(roles=(owners,)))
        assert [step.status for step in found.steps if step.change.what == "membership"] == [status]


def test_admin_option_through_a_role_is_enough() -> None:
    facts = acting_as("admin", 18)
    facts = replace(
        facts,
        roles={**facts.roles, "app": Role("app", login=True), "owners": Role("owners"), "boss": Role("boss")},
        memberships=frozenset({Membership("boss", "admin"), Membership("owners", "boss", admin=True)}),
    )
    found = plan(facts, SetupSettings(roles=(RoleSettings("app", member_of=("owners",)),)))
    assert [step.status for step in found.steps if step.change.what == "membership"] == [Status.CREATE]


def test_without_rights_every_step_says_what_is_missing() -> None:
    found = plan(acting_as("nobody"), SetupSettings(schemas=("app",)))
    assert {step.status for step in found.steps} == {Status.BLOCKED}
    assert "CREATEROLE" in (found.blocked[0].blocked.why if found.blocked[0].blocked else "")


def test_a_step_that_takes_away_waits_for_confirmation_on_a_protected_database() -> None:
    facts = with_database(EMPTY, "postgres")
    facts = replace(facts, roles={**facts.roles, "app": Role("app", login=True)})
    found = plan(facts, SetupSettings(owner="app", schemas=("s",)), guarded=True)
    assert [step.blocked.code for step in found.blocked if step.blocked] == ["protected-database"]
    assert 'CREATE SCHEMA IF NOT EXISTS "s" AUTHORIZATION "app"' in says(found)


def extension_codes(facts: Facts, *wanted: str) -> list[str]:
    found = plan(facts, SetupSettings(extensions=wanted))
    return [step.blocked.code for step in found.blocked if step.blocked]


def offering(facts: Facts, *extensions: Extension) -> Facts:
    facts = replace(facts, roles={**facts.roles, "app": Role("app", login=True)})
    return replace(facts, extensions={extension.name: extension for extension in extensions})


def test_extensions_that_cannot_be_made_are_told_apart() -> None:
    server = with_database(EMPTY, "app")
    mine = with_database(acting_as("app"), "app")
    theirs = with_database(acting_as("app"), "postgres")
    trusted, untrusted = Extension("t", "1.0", trusted=True), Extension("u", "1.0")
    assert extension_codes(offering(server), "t") == ["extension-not-installed"]
    assert extension_codes(offering(mine, trusted), "t") == []
    assert "extension-not-permitted" in extension_codes(offering(theirs, trusted), "t")
    assert extension_codes(offering(mine, untrusted), "u") == ["extension-not-permitted"]
    assert extension_codes(offering(server, untrusted), "u") == []
    assert extension_codes(offering(server, Extension("pg_cron", "1.6")), "pg_cron") == [
        "extension-not-preloaded"
    ]
    assert extension_codes(offering(server, Extension("t", "1.9")), "t >= 1.10") == ["extension-too-old"]
    needy = Extension("n", "1.0", requires=("missing",))
    assert extension_codes(offering(server, needy), "n") == ["extension-not-installed"]


def test_a_preloaded_library_is_not_asked_for_again() -> None:
    facts = offering(with_database(EMPTY, "app"), Extension("pg_stat_statements", "1.10"))
    facts = replace(facts, preloaded=("auto_explain", "pg_stat_statements"))
    assert extension_codes(facts, "pg_stat_statements") == []


def test_libraries_already_loaded_stay_in_the_statement() -> None:
    facts = offering(with_database(EMPTY, "app"), Extension("pg_cron", "1.6"))
    (step,) = plan(replace(facts, preloaded=("a,b",)), SetupSettings(extensions=("pg_cron",))).blocked
    assert step.change.sql == "ALTER SYSTEM SET shared_preload_libraries = 'a,b', 'pg_cron'"


def test_a_foreseen_extension_counts_with_those_it_requires() -> None:
    facts = offering(EMPTY, Extension("a", "1", requires=("b",)), Extension("b", "2"))
    after = evolve(CreateExtension("a"), with_database(facts, "app"))
    assert after.inside is not None
    assert dict(after.inside.installed) == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    "grant",
    [
        GrantSettings("app", ("SELECT",), "table users"),
        GrantSettings("app", ("EXECUTE",), "all tables in schema public"),
        GrantSettings("app", ("SELECT; DROP",), "all tables in schema public"),
        GrantSettings("app", ("USAGE",), "schema public", future=True),
        GrantSettings("app", (), "database"),
    ],
)
def test_a_grant_that_cannot_be_meant_is_refused(grant: GrantSettings) -> None:
    with pytest.raises(ConfigError) as raised:
        plan(EMPTY, SetupSettings(grants=(grant,)))
    assert raised.value.fix or "no privileges" in raised.value.message


@pytest.mark.parametrize(
    ("grant", "statement"),
    [
        (GrantSettings("app", ("all privileges",), "DATABASE"), 'ON DATABASE "kaimu" TO "app"'),
        (GrantSettings("Public", ("usage",), 'schema "My ""x"'), 'GRANT USAGE ON SCHEMA "My ""x" TO PUBLIC'),
        (
            GrantSettings("app", ("ALL",), "all  sequences in schema App"),
            'SEQUENCES IN SCHEMA "App" TO "app"',
        ),
    ],
)
def test_a_grant_is_read_as_it_is_written(grant: GrantSettings, statement: str) -> None:
    found = plan(EMPTY, SetupSettings(grants=(grant,)))
    assert any(statement in step.change.sql for step in found.steps)


def test_all_means_what_the_servers_version_means() -> None:
    grants = (GrantSettings("app", ("ALL",), "all tables in schema public", future=True),)
    for major, has in ((16, False), (17, True)):
        found = plan(replace(EMPTY, version_number=major * 10000), SetupSettings(grants=grants))
        assert any("MAINTAIN" in text for text in says(found)) is has


def test_a_server_that_was_not_asked_gets_everything() -> None:
    settings = DatabaseSettings("it", setup=SetupSettings(extensions=("vector",), schemas=("s",)))
    found = plan_setup(settings, ADDRESS, unknown_server(settings))
    assert [step.change.what for step in found.pending] == ["role", "database", "schema", "extension"]
