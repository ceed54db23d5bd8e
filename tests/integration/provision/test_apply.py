from __future__ import annotations

import itertools
import threading
from dataclasses import replace

import psycopg
import pytest

from fix_db import connect
from howdah.config.database import Secret
from howdah.config.project import GrantSettings, RoleSettings, SetupSettings
from howdah.errors import ConfigError, ConnectError, RefusedError
from howdah.provision.apply import SetupIncomplete, apply_setup, read_plan
from howdah.provision.passwords import matches
from howdah.provision.steps import Status, Step
from integration.provision.conftest import Place

HOSTILE = [
    "MixedCase",
    'quo"ted',
    "it's",
    "per%cent %s",
    "naïve Ωмега",
    "back\\slash",
    "a:b",
    "x=y",
    "--",
    ";",
]


def test_a_role_and_its_database_are_made_and_usable(place: Place) -> None:
    address = place.address()
    result = apply_setup(place.request(address))
    assert [step.change.what for step in result.done] == ["role", "database"]
    with connect(address) as session:
        session.execute("CREATE TABLE public.works (id int)")


def test_a_second_run_finds_everything_there(place: Place) -> None:
    request = place.request(place.address())
    apply_setup(request)
    again = apply_setup(request)
    assert not again.done
    assert {step.status for step in read_plan(request).steps} == {Status.THERE}


@pytest.mark.parametrize("word", HOSTILE)
def test_names_and_passwords_are_kept_as_they_are(place: Place, word: str) -> None:
    address = place.address(user=f"u{word}", database=f"d{word}", password=f"p{word}")
    schema = f"s{word}"
    setup = SetupSettings(
        schemas=(schema,),
        roles=(RoleSettings(place.name(f"r{word}"), login=False),),
        grants=(
            GrantSettings(place.made[-1], ("SELECT",), f"all tables in schema {schema}", future=True),
            GrantSettings(place.made[-1], ("USAGE",), f"schema {schema}"),
        ),
    )
    apply_setup(place.request(address, setup))
    assert not read_plan(place.request(address, setup)).pending
    with connect(address) as session:
        row = session.execute("SELECT current_user, current_database()").fetchone()
        assert row == (address.user, address.database)
        found = session.execute("SELECT FROM pg_namespace WHERE nspname = %s", (schema,)).fetchall()
        assert found == [()]


def test_a_name_the_server_would_cut_is_refused_before_anything_runs(place: Place) -> None:
    address = replace(place.address(), database=place.name("ä" * 32))
    with pytest.raises(ConfigError):
        apply_setup(place.request(address))
    assert place.value("SELECT count(*) FROM pg_roles WHERE rolname = %s", address.user) == 0


def test_the_password_is_in_no_statement(place: Place) -> None:
    address = place.address(password="find me if you can")
    place.run("ALTER SYSTEM SET log_statement = 'ddl'")
    place.run("SELECT pg_reload_conf()")
    try:
        apply_setup(place.request(address))
    finally:
        place.run("ALTER SYSTEM RESET log_statement")
        place.run("SELECT pg_reload_conf()")
    assert place.server.local is not None
    log = place.server.local.log.read_text(encoding="utf-8", errors="replace")
    assert "SCRAM-SHA-256$" in log
    assert "find me" not in log


@pytest.mark.parametrize(
    "password",
    ["x", "pass word", "I\u00adX", "\u00aa", "\u2168", "a\u00a0b", "\u0627\u0628", "\u0007", "Ω" * 40],
)
def test_a_stored_password_is_recognised_without_the_password_being_sent(place: Place, password: str) -> None:
    address = place.address(password=password)
    apply_setup(place.request(address))
    stored = place.value("SELECT rolpassword FROM pg_authid WHERE rolname = %s", address.user)
    assert matches(Secret(str(stored)), Secret(password), role=address.user)
    assert not matches(Secret(str(stored)), Secret(password + "x"), role=address.user)
    assert not read_plan(place.request(address)).pending


def test_an_md5_password_is_recognised(place: Place) -> None:
    role = place.name("old")
    with place.superuser() as session:
        verifier = session.pgconn.encrypt_password(b"secret", role.encode(), b"md5").decode()
    assert matches(Secret(verifier), Secret("secret"), role=role)
    assert not matches(Secret(verifier), Secret("other"), role=role)


def test_another_password_is_changed_where_it_can_be_compared(place: Place) -> None:
    address = place.address(password="before")
    apply_setup(place.request(address))
    after = replace(address, password=Secret("after"))
    result = apply_setup(place.request(after))
    assert [step.change.what for step in result.done] == ["password"]
    with connect(after):
        pass


def test_without_a_known_password_the_role_is_made_all_the_same(place: Place) -> None:
    address = replace(place.address(), password=None)
    result = apply_setup(place.request(address))
    assert "no password" in result.done[0].note


def test_a_half_done_setup_is_completed(place: Place) -> None:
    address = place.address()
    place.run(f'CREATE DATABASE "{address.database}"')
    setup = SetupSettings(owner=address.user, schemas=("app",))
    result = apply_setup(place.request(address, setup))
    assert [step.change.what for step in result.done] == ["role", "owner", "schema"]
    assert not read_plan(place.request(address, setup)).pending


def test_a_database_of_another_owner_is_left_to_it_unless_the_project_names_one(place: Place) -> None:
    address = place.address()
    place.run(f'CREATE DATABASE "{address.database}"')
    apply_setup(place.request(address))
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s"
    assert place.value(owner, address.database) == place.server.address.user
    with connect(address) as session:
        session.execute("CREATE TABLE public.works (id int)")


def test_the_application_can_connect_and_create_where_the_defaults_were_taken_away(place: Place) -> None:
    address = place.address()
    place.run(f'CREATE DATABASE "{address.database}"')
    place.run(f'REVOKE ALL ON DATABASE "{address.database}" FROM PUBLIC')
    place.run("REVOKE ALL ON SCHEMA public FROM PUBLIC", database=address.database)
    apply_setup(place.request(address))
    with connect(address) as session:
        session.execute("CREATE TABLE public.works (id int)")


def test_grants_reach_what_is_there_and_what_comes_later(place: Place) -> None:
    address = place.address()
    reader = place.name("reader")
    setup = SetupSettings(
        schemas=("app",),
        roles=(
            RoleSettings("readers" + place.name(""), login=False),
            RoleSettings(reader, password_env="READER", member_of=("readers" + place.made[-1],)),
        ),
    )
    group = setup.roles[0].name
    place.made.append(group)
    grants = (
        GrantSettings(group, ("USAGE",), "schema app"),
        GrantSettings(group, ("select",), "all tables in schema app", future=True),
        GrantSettings(group, ("ALL",), "all sequences in schema app", future=True),
        GrantSettings(group, ("TEMP", "CONNECT"), "database"),
    )
    request = place.request(address, replace(setup, grants=grants))
    request = replace(request, environ={"READER": "r34der"})
    apply_setup(place.request(address, SetupSettings(schemas=("app",))))
    with connect(address) as session:
        session.execute("CREATE TABLE app.before (id serial)")
        assert read_plan(request).pending
        apply_setup(request)
        session.execute("CREATE TABLE app.after (id serial)")
    assert not read_plan(request).pending
    with connect(replace(address, user=reader, password=Secret("r34der"))) as session:
        session.execute("SELECT FROM app.before")
        session.execute("SELECT FROM app.after")
        session.execute("SELECT nextval('app.after_id_seq')")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("INSERT INTO app.after DEFAULT VALUES")


def test_a_table_made_by_another_role_is_granted_by_the_next_run(place: Place) -> None:
    address = place.address()
    group = place.name("group")
    setup = SetupSettings(
        roles=(RoleSettings(group, login=False),),
        grants=(GrantSettings(group, ("ALL",), "all tables in schema public"),),
    )
    request = place.request(address, setup)
    apply_setup(request)
    place.run("CREATE TABLE public.foreign_made (id int)", database=address.database)
    assert [step.change.what for step in read_plan(request).pending] == ["grant"]
    apply_setup(request)
    assert not read_plan(request).pending


def test_many_runs_at_once_make_everything_once(place: Place) -> None:
    address = place.address()
    group = place.name("group")
    setup = SetupSettings(
        schemas=("app", "other"),
        extensions=("plpgsql",),
        roles=(RoleSettings(group, login=False),),
        grants=(
            GrantSettings(group, ("USAGE", "CREATE"), "schema app"),
            GrantSettings(group, ("ALL",), "all tables in schema app", future=True),
            GrantSettings(group, ("ALL",), "database"),
        ),
    )
    request = place.request(address, setup)
    start, failures = threading.Barrier(6), []

    def run() -> None:
        start.wait()
        try:
            apply_setup(request)
        except Exception as error:  # noqa: BLE001 - shown below
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert not read_plan(request).pending


def test_encoding_and_locale_are_those_asked_for_and_cannot_be_changed(place: Place) -> None:
    address = place.address()
    apply_setup(place.request(address, SetupSettings(encoding="UTF-8", locale="C")))
    query = "SELECT pg_encoding_to_char(encoding) || ' ' || datcollate FROM pg_database WHERE datname = %s"
    assert place.value(query, address.database) == "UTF8 C"
    assert not read_plan(place.request(address, SetupSettings(encoding="utf8", locale="C"))).blocked
    with pytest.raises(SetupIncomplete) as raised:
        apply_setup(place.request(address, SetupSettings(encoding="SQL_ASCII")))
    assert [problem.code for problem in raised.value.result.problems] == ["fixed-at-creation"]


def test_a_protected_database_loses_nothing_without_its_name(place: Place) -> None:
    address = place.address()
    apply_setup(place.request(address))
    owner = place.name("owner")
    request = place.request(address, SetupSettings(owner=owner, schemas=("app",)), protected=True)
    with pytest.raises(SetupIncomplete) as raised:
        apply_setup(request)
    assert [problem.code for problem in raised.value.result.problems] == ["protected-database"]
    assert {step.change.what for step in raised.value.result.done} >= {"schema", "role"}
    apply_setup(replace(request, confirm=address.database))
    query = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s"
    assert place.value(query, address.database) == owner


def test_what_a_refused_step_leaves_is_reported_exactly(place: Place) -> None:
    address = place.address()
    place.run(f'CREATE DATABASE "{address.database}"')
    place.run(
        "CREATE FUNCTION public.no() RETURNS event_trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE EXCEPTION 'no schemas today'; END$$;"
        " CREATE EVENT TRIGGER no ON ddl_command_start WHEN TAG IN ('CREATE SCHEMA') EXECUTE FUNCTION public.no()",
        database=address.database,
    )
    group = place.name("group")
    setup = SetupSettings(
        schemas=("app",),
        roles=(RoleSettings(group, login=False),),
        grants=(GrantSettings(group, ("ALL",), "database"),),
    )
    with pytest.raises(SetupIncomplete) as raised:
        apply_setup(place.request(address, setup))
    result = raised.value.result
    assert [finding.message for _, finding in result.failed] == [
        "schema app: no schemas today (SQLSTATE P0001)"
    ]
    assert {step.change.what for step in result.done} >= {"role", "grant"}


def test_a_login_that_fails_names_the_ways_out(place: Place) -> None:
    request = replace(place.request(place.address()), admin=None)
    with pytest.raises(ConnectError) as raised:
        read_plan(request)
    assert any("--admin-url" in command for command in raised.value.next)


def test_a_server_that_takes_no_writes_is_refused(place: Place) -> None:
    address = place.address()
    admin = place.server.address
    place.run(f"ALTER ROLE {admin.user} SET default_transaction_read_only = on")
    try:
        with pytest.raises(RefusedError):
            read_plan(place.request(address))
    finally:
        with place.superuser() as session:
            session.execute("SET default_transaction_read_only = off")
            session.execute(f"ALTER ROLE {admin.user} RESET default_transaction_read_only".encode())


def test_an_admin_url_without_a_host_means_the_databases_server(place: Place) -> None:
    admin = replace(place.server.address, host="", port="")
    request = replace(place.request(place.address()), admin=admin)
    assert apply_setup(request).is_complete


def test_a_database_that_lets_the_administrator_not_in_is_said(place: Place) -> None:
    address = place.address()
    apply_setup(place.request(address))
    place.run(f'ALTER DATABASE "{address.database}" ALLOW_CONNECTIONS false')
    plan = read_plan(place.request(address, SetupSettings(schemas=("app",))))
    assert {step.blocked.code for step in plan.blocked if step.blocked} == {"cannot-enter-database"}


def test_a_session_lost_between_two_steps_leaves_an_exact_report(place: Place) -> None:
    address = place.address()
    request = place.request(address, SetupSettings(schemas=("one", "two")))
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'howdah setup'"

    def lose(step: Step) -> None:
        if step.change.subject == "one":
            place.run(cut)

    with pytest.raises(SetupIncomplete) as raised:
        apply_setup(request, on_step=lose)
    result = raised.value.result
    assert [step.change.subject for step in result.done] == [address.user, address.database, "one"]
    assert [step.change.subject for step, _ in result.failed] == ["two"]
    assert {step.change.subject for step in apply_setup(request).done} == {"two"}


def test_a_session_lost_before_reading_again_leaves_an_exact_report(place: Place) -> None:
    address = place.address()
    request = place.request(address, SetupSettings(schemas=("one",)))
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'howdah setup'"

    def lose(step: Step) -> None:
        if step.change.what == "database":
            place.run(cut)

    with pytest.raises(SetupIncomplete) as raised:
        apply_setup(request, on_step=lose)
    result = raised.value.result
    assert [(step.change.subject, finding.code) for step, finding in result.failed] == [
        ("one", "setup-failed")
    ]
    assert apply_setup(request).is_complete


@pytest.mark.parametrize("stop_after", range(1, 8))
def test_a_run_that_was_broken_off_after_any_step_is_completed(place: Place, stop_after: int) -> None:
    group = place.name("group")
    setup = SetupSettings(
        schemas=("app",),
        extensions=("pg_trgm",),
        roles=(RoleSettings(group, login=False),),
        grants=(
            GrantSettings(group, ("USAGE",), "schema app"),
            GrantSettings(group, ("ALL",), "all tables in schema app", future=True),
        ),
    )
    request = place.request(place.address(), setup)
    steps = itertools.count(1)

    def stop(step: Step) -> None:
        if next(steps) == stop_after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply_setup(request, on_step=stop)
    assert len(apply_setup(request).done) == 7 - stop_after
    assert not read_plan(request).pending
