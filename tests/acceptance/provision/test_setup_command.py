from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote

import pytest
from psycopg import sql

from fix_cli import Cli
from fix_db import connect
from fix_server import RunningServer
from howdah.config.database import DatabaseConfig, Secret
from howdah.config.url import format_url

_numbers = itertools.count(1)


@dataclass
class App:
    """An application's address on the server, and the administrator's."""

    address: DatabaseConfig
    url: str
    admin: str


@pytest.fixture
def app(server: RunningServer) -> Iterator[App]:
    name = f"Setup_{os.getpid()}_{next(_numbers)}"
    address = replace(server.address, user=name, database=name, password=Secret("p@ss:w/rd"))
    url = f"postgresql://{name}:{quote('p@ss:w/rd', safe='')}@{address.host}:{address.port}/{name}"
    yield App(address, url, format_url(server.address, show_password=True))
    with connect(server.address) as session:
        session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        for role in (name, f"{name}_ro"):
            session.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


def test_the_bare_area_plans_and_changes_nothing(cli: Cli, app: App, server: RunningServer) -> None:
    ran = cli("setup", "--url", app.url, "--admin-url", app.admin)
    assert ran.code == 0, ran
    name = app.address.database
    lines = ran.stdout.splitlines()
    assert lines[0] == app.address.target
    assert f"  + role {name}: create, may log in, with its password" in lines
    assert f"  + database {name}: create, owned by {name}" in lines
    assert "p@ss" not in ran.stdout + ran.stderr
    with connect(server.address) as session:
        assert not session.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,)).fetchall()


def test_apply_then_plan_says_that_all_is_there(cli: Cli, app: App) -> None:
    environ = {"HOWDAH_ADMIN_URL": app.admin, "DATABASE_URL": app.url}
    ran = cli("setup", "plan", "--exit-code", env=environ)
    assert ran.code == 1, ran
    ran = cli("setup", "apply", env=environ)
    assert ran.code == 0, ran
    assert "0 were there, 2 done" in ran.stdout
    ran = cli("setup", "plan", "--exit-code", env=environ)
    assert ran.code == 0, ran
    assert "2 there, 0 to do, 0 blocked" in ran.stdout
    with connect(app.address) as session:
        session.execute("CREATE TABLE works (id int)")


def test_json_has_every_step_and_no_password(cli: Cli, app: App) -> None:
    ran = cli("setup", "apply", "--json", "--url", app.url, "--admin-url", app.admin)
    assert ran.code == 0, ran
    assert ran.json["command"] == "setup apply"
    assert ran.json["target"]["database"] == app.address.database
    assert [step["what"] for step in ran.json["data"]["done"]] == ["role", "database"]
    assert ran.json["data"]["done"][0]["sql"].endswith("_password'")
    assert "p@ss" not in ran.stdout


def test_what_cannot_be_done_is_a_problem_with_its_cause(cli: Cli, app: App) -> None:
    options = ("--url", app.url, "--admin-url", app.admin, "--extension", "no-such-thing")
    ran = cli("setup", "plan", *options)
    assert ran.code == 0, ran
    assert "[extension-not-installed]" in ran.stderr
    ran = cli("setup", "apply", "--json", *options)
    assert ran.code == 4, ran
    assert [step["what"] for step in ran.json["data"]["done"]] == ["role", "database"]
    assert [p["code"] for p in ran.json["problems"]] == ["extension-not-installed", "setup-incomplete"]


def test_without_an_administrator_the_ways_out_are_named(cli: Cli, app: App) -> None:
    ran = cli("setup", "apply", "--url", app.url)
    assert ran.code == 3, ran
    assert "howdah setup plan --sql" in ran.stderr
    assert "--admin-url" in ran.stderr


def test_the_script_is_printed_even_where_nobody_lets_us_in(cli: Cli, app: App) -> None:
    ran = cli("setup", "plan", "--sql", "--url", app.url)
    assert ran.code == 0, ran
    name = app.address.database
    assert f'CREATE DATABASE "{name}" OWNER "{name}";' in ran.stdout
    assert "p@ss" not in ran.stdout
    assert "the server was not asked" in ran.stderr


def test_the_project_says_what_is_wanted(cli: Cli, app: App) -> None:
    name = app.address.database
    (cli.directory / "howdah.toml").write_text(
        f"""
        [database.main]
        protected = true

        [database.main.setup]
        schemas = ["App"]
        extensions = ["pg_trgm"]

        [database.main.setup.role."{name}_ro"]
        password-env = "READER_PASSWORD"

        [[database.main.setup.grant]]
        to = "{name}_ro"
        privileges = ["SELECT"]
        on = "all tables in schema App"
        future = true
        """,
        encoding="utf-8",
    )
    (cli.directory / ".env").write_text(f"DATABASE_URL={app.url}\nREADER_PASSWORD=readme\n", encoding="utf-8")
    ran = cli("setup", "apply", "--admin-url", app.admin)
    assert ran.code == 0, ran
    with connect(replace(app.address, user=f"{name}_ro", password=Secret("readme"))) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)
    ran = cli("setup", "--exit-code", "--admin-url", app.admin)
    assert ran.code == 0, ran


def test_a_protected_database_keeps_its_owner_until_its_name_is_given(
    cli: Cli, app: App, server: RunningServer
) -> None:
    name = app.address.database
    with connect(server.address) as session:
        session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    toml = f'[database.main]\nprotected = true\n[database.main.setup]\nowner = "{name}"\n'
    (cli.directory / "howdah.toml").write_text(toml, encoding="utf-8")
    ran = cli("setup", "apply", "--url", app.url, "--admin-url", app.admin)
    assert ran.code == 5, ran
    assert f"--confirm {name}" in ran.stderr
    ran = cli("setup", "apply", "--url", app.url, "--admin-url", app.admin, "--confirm", name)
    assert ran.code == 0, ran


def test_help_teaches_by_example(cli: Cli) -> None:
    ran = cli("setup", "--help")
    assert ran.code == 0, ran
    assert "howdah setup plan --sql" in ran.stdout
    assert "HOWDAH_ADMIN_URL" in cli("setup", "apply", "--help").stdout
