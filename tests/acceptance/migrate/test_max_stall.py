"""How long the application may wait, as it is said: by an option, a variable, the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from fix_cli import Cli
from fix_db import connect
from fix_migrations import WriteMigrations
from fix_peers_tools import plain_url
from howdah.config.database import DatabaseConfig

# What a migration finds its waits limited to.
FILES = {"1_a.up.sql": "CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS lock_timeout;"}


def seen(database: DatabaseConfig) -> str:
    with connect(database) as connection:
        row = connection.execute("SELECT lock_timeout FROM seen").fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize(
    ("options", "variables", "expected"),
    [
        ([], {}, "2s"),
        (["--max-stall", "500ms"], {}, "500ms"),
        (["--max-stall", "3"], {}, "3s"),
        (["--max-stall", "0"], {}, "0"),
        ([], {"HOWDAH_MAX_STALL": "1min"}, "1min"),
        (["--max-stall", "5s"], {"HOWDAH_MAX_STALL": "1min"}, "5s"),
    ],
)
def test_the_budget_is_what_is_said(
    cli: Cli,
    database: DatabaseConfig,
    write_migrations: WriteMigrations,
    options: list[str],
    variables: dict[str, str],
    expected: str,
) -> None:
    directory = str(write_migrations(FILES))
    ran = cli("migrate", "up", "--url", plain_url(database), "--dir", directory, *options, env=variables)
    assert ran.code == 0, ran
    assert seen(database) == expected


@pytest.mark.parametrize(("options", "expected"), [([], "700ms"), (["--max-stall", "1s"], "1s")])
@pytest.mark.parametrize("scope", [[], ["--all"]], ids=["one", "all"])
def test_the_project_says_it_where_nobody_else_does(
    cli: Cli,
    database: DatabaseConfig,
    write_migrations: WriteMigrations,
    tmp_path: Path,
    options: list[str],
    expected: str,
    scope: list[str],
) -> None:
    write_migrations(FILES)
    (tmp_path / "howdah.toml").write_text(
        '[database.app]\nmigrations = "migrations"\nmax-stall = "700ms"\nenv = { url = "APP_URL" }\n'
    )
    ran = cli("migrate", "up", *scope, *options, env={"APP_URL": plain_url(database)})
    assert ran.code == 0, ran
    assert seen(database) == expected


@pytest.mark.parametrize("text", ["soon", "-1s", "1m"])
def test_what_is_no_duration_is_a_usage_error(cli: Cli, text: str) -> None:
    ran = cli("migrate", "up", f"--max-stall={text}")
    assert ran.code == 2
    assert "500ms, 2s or 1min" in ran.stderr
