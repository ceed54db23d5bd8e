from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from fix_db import connect
from fix_server import available_programs
from howdah.config.database import DatabaseConfig, Secret
from howdah.config.project import GrantSettings, RoleSettings, SetupSettings
from howdah.provision.apply import apply_setup, blind_script, read_plan, read_script
from howdah.provision.request import SetupRequest
from howdah.provision.steps import Status
from integration.provision.conftest import Place
from integration.provision.test_rights import role_with


def find_psql() -> Path:
    places = [programs.bindir for programs in available_programs().values()]
    found = [str(place / "psql") for place in places if (place / "psql").exists()]
    program = shutil.which("psql") or next(iter(found), None)
    if program is None:
        pytest.fail("no psql here; `make tools` installs a PostgreSQL with it")
    return Path(program)


def run_psql(script: str, admin: DatabaseConfig, passwords: dict[str, str]) -> None:
    assert admin.password is not None
    environ = {
        "PATH": os.environ["PATH"],
        "PGPASSWORD": admin.password.reveal(),
        "PGCLIENTENCODING": "UTF8",
        **passwords,
    }
    place = ["-h", admin.host, "-p", admin.port, "-U", admin.user, "-d", "postgres"]
    done = subprocess.run(
        [str(find_psql()), "-X", "-q", *place, "-f", "-"],
        input=script,
        env=environ,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def hostile_request(place: Place) -> tuple[SetupRequest, dict[str, str]]:
    address = place.address(user="Äp\"p's", database="d'b\\ =\"x", password='it\'s \\ "n" $x `y` :z')
    group, reader = place.name("gr oup"), place.name("rea'der")
    setup = SetupSettings(
        schemas=("Ap p",),
        extensions=("pg_trgm",),
        roles=(
            RoleSettings(group, login=False),
            RoleSettings(reader, password_env="READER", member_of=(group,)),
        ),
        grants=(
            GrantSettings(group, ("CONNECT",), "database"),
            GrantSettings(group, ("ALL",), "schema Ap p"),
            GrantSettings(group, ("ALL",), "all tables in schema Ap p", future=True),
        ),
    )
    request = replace(place.request(address, setup), environ={"READER": "r34d"})
    assert address.password is not None
    variable = "".join(c if c.isascii() and c.isalnum() else "_" for c in address.user.lower())
    return request, {f"{variable}_password".upper(): address.password.reveal(), "READER": "r34d"}


def is_finished(request: SetupRequest) -> bool:
    return {step.status for step in read_plan(request).steps} == {Status.THERE}


def test_the_script_leaves_nothing_to_do_and_may_run_again(place: Place) -> None:
    request, passwords = hostile_request(place)
    script = read_script(request)
    assert "r34d" not in script
    assert "n\\" not in script.partition("-- role")[0]
    run_psql(script, place.server.address, passwords)
    assert is_finished(request)
    run_psql(script, place.server.address, passwords)
    assert "\\connect" not in read_script(request)
    with connect(request.address):
        pass


def test_the_script_for_a_server_that_was_not_asked_does_the_same(place: Place) -> None:
    request, passwords = hostile_request(place)
    run_psql(blind_script(request), place.server.address, passwords)
    assert is_finished(request)


def test_createrole_and_createdb_are_enough_to_run_the_script(place: Place) -> None:
    request, passwords = hostile_request(place)
    run_psql(read_script(request), role_with(place, "CREATEROLE CREATEDB"), passwords)
    assert is_finished(request)


def test_the_script_is_whole_when_the_one_who_asks_may_do_nothing(place: Place) -> None:
    request, passwords = hostile_request(place)
    script = read_script(replace(request, admin=role_with(place, "")))
    run_psql(script, place.server.address, passwords)
    assert is_finished(request)


def test_the_script_stops_where_a_password_is_not_given(place: Place) -> None:
    request, _ = hostile_request(place)
    with pytest.raises(AssertionError, match=r"is not set"):
        run_psql(read_script(request), place.server.address, {})
    assert place.value("SELECT count(*) FROM pg_roles WHERE rolname = %s", request.address.user) == 0


def test_the_script_keeps_passwords_out_of_the_servers_log(place: Place) -> None:
    request = place.request(place.address(password="not for the log"))
    place.run("ALTER SYSTEM SET log_statement = 'all'")
    place.run("SELECT pg_reload_conf()")
    variable = request.address.user.replace(" ", "_").upper() + "_PASSWORD"
    try:
        run_psql(read_script(request), place.server.address, {variable: "not for the log"})
    finally:
        place.run("ALTER SYSTEM RESET log_statement")
        place.run("SELECT pg_reload_conf()")
    assert place.server.local is not None
    assert "not for the log" not in place.server.local.log.read_text(encoding="utf-8", errors="replace")


def test_the_script_finishes_what_is_half_done(place: Place) -> None:
    address = place.address()
    apply_setup(place.request(address))
    setup = SetupSettings(owner=place.name("owner"), schemas=("app",))
    request = place.request(replace(address, password=Secret("another")), setup)
    variable = address.user.replace(" ", "_").upper() + "_PASSWORD"
    script = read_script(request)
    assert "CREATE DATABASE" not in script
    run_psql(script, place.server.address, {variable: "another"})
    assert is_finished(request)
