"""`howdah migrate` as typed: stdout, stderr, exit code, JSON."""

from __future__ import annotations

import os
import pty
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from fix_cli import Cli, command
from fix_db import connect
from fix_migrations import WriteMigrations, history, relations, tables
from howdah.config.database import DatabaseConfig
from howdah.config.url import format_url


@pytest.fixture
def url(database: DatabaseConfig) -> str:
    return format_url(database, show_password=True)


def test_a_url_and_a_directory_are_enough(
    cli: Cli, url: str, database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = str(write_migrations(tables(2)))

    ran = cli("migrate", "up", "--url", url, "--dir", directory)

    assert ran.code == 0, ran
    assert [line.split()[:2] for line in ran.stderr.splitlines()] == [
        ["applied", "001_t1.up.sql"],
        ["applied", "002_t2.up.sql"],
    ]
    assert "applied 2 migrations in" in ran.stdout
    assert "now at version 2" in ran.stdout
    assert history(database) == [(2, False)]


def test_status_is_a_table_and_a_sentence_and_its_exit_code_can_be_asked_for(
    cli: Cli, url: str, write_migrations: WriteMigrations
) -> None:
    arguments = ("--url", url, "--dir", str(write_migrations(tables(2))))
    cli("migrate", "up", "--to", "1", *arguments)

    ran = cli("migrate", "status", *arguments)
    assert ran.code == 0, ran
    assert "1 pending; `howdah migrate up` applies them" in ran.stdout
    assert cli("migrate", "status", "--exit-code", *arguments).code == 1

    found = cli("migrate", "status", "--json", *arguments).json
    assert (found["howdah"], found["command"], found["ok"]) == (1, "migrate status", True)
    assert [(each["version"], each["state"]) for each in found["data"]["migrations"]] == [
        ("1", "applied"),
        ("2", "pending"),
    ]


def test_a_failure_says_where_what_is_applied_and_what_to_type(
    cli: Cli, url: str, database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({**tables(1), "2_bad.up.sql": "SELECT 1;\nSELECT nothing;\n"})

    ran = cli("migrate", "up", "--url", url, "--dir", str(directory))

    assert ran.code == 4, ran
    assert f"error: {directory}/2_bad.up.sql:2: applying 2 (bad) failed" in ran.stderr
    assert "SQLSTATE 42703" in ran.stderr
    shown = url.replace(f":{database.password.reveal()}@", "@") if database.password else url
    assert f"next: howdah migrate up --url {shlex.quote(shown)} --dir {directory}\n" in ran.stderr
    found = cli("migrate", "up", "--json", "--url", url, "--dir", str(directory)).json
    assert (found["ok"], found["target"]["user"]) == (False, "postgres")
    assert found["data"] == {"applied": [], "failed": "2", "pending": [], "sqlstate": "42703"}


def test_down_is_one_step_and_all_the_way_wants_the_databases_name(
    cli: Cli, url: str, database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    arguments = ("--url", url, "--dir", str(write_migrations(tables(3))))
    cli("migrate", "up", *arguments)

    assert cli("migrate", "down", *arguments).code == 0
    assert history(database) == [(2, False)]

    refused = cli("migrate", "down", "--to", "0", *arguments)
    assert refused.code == 5, refused
    assert history(database) == [(2, False)]

    assert cli("migrate", "down", "--to", "0", "--confirm", database.database, *arguments).code == 0
    assert relations(database) == set()


def test_a_protected_database_refuses_down(cli: Cli, url: str, write_migrations: WriteMigrations) -> None:
    write_migrations(tables(1))
    (cli.directory / "howdah.toml").write_text(
        '[database.app]\nmigrations = "migrations"\nprotected = true\n'
    )
    assert cli("migrate", "up", "--url", url).code == 0

    ran = cli("migrate", "down", "--url", url)

    assert ran.code == 5, ran
    assert "[protected]" in ran.stderr
    moved = cli("migrate", "resolve", "1", "--reverted", "--url", url)
    assert (moved.code, "[protected]" in moved.stderr) == (5, True), moved


def test_new_writes_the_next_pair(cli: Cli, tmp_path: Path) -> None:
    first = cli("migrate", "new", "create users", "--dir", "db/migrations")
    second = cli("migrate", "new", "add_index")

    assert (first.code, second.code) == (0, 0), (first, second)
    assert first.stdout.split() == [
        "db/migrations/000001_create_users.up.sql",
        "db/migrations/000001_create_users.down.sql",
    ]
    assert (tmp_path / "db/migrations/000002_add_index.up.sql").read_bytes() == b""


@pytest.mark.parametrize("name", ["../evil", "", ".hidden"])
def test_new_refuses_a_name_that_is_no_file_name(cli: Cli, name: str) -> None:
    ran = cli("migrate", "new", name, "--dir", "migrations")

    assert ran.code == 2, ran


def test_resolve_tells_first_and_acts_when_told(
    cli: Cli, url: str, database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    arguments = ("--url", url, "--dir", str(write_migrations(tables(2))))
    cli("migrate", "up", "--to", "1", *arguments)
    with connect(database) as connection:
        connection.execute("UPDATE schema_migrations SET version = 2, dirty = true")

    assert cli("migrate", "up", *arguments).code == 4
    told = cli("migrate", "resolve", "2", *arguments)
    assert told.code == 1, told
    assert "howdah did not run it" in told.stdout
    assert "howdah migrate resolve 2 --reverted" in told.stdout
    assert history(database) == [(2, True)]

    assert cli("migrate", "resolve", "2", "--reverted", *arguments).code == 0
    assert cli("migrate", "up", *arguments).code == 0
    assert history(database) == [(2, False)]


def test_a_duplicate_is_a_usage_error_before_anything_connects(
    cli: Cli, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({"5_x.up.sql": "SELECT 1;", "5_x.up.sql~": "SELECT 1;"})

    ran = cli("migrate", "up", "--url", "postgresql://nobody@127.0.0.1:1/none", "--dir", str(directory))

    assert ran.code == 2, ran
    assert "[duplicate-migration]" in ran.stderr


def test_a_server_that_is_not_there_is_exit_code_3(cli: Cli, write_migrations: WriteMigrations) -> None:
    directory = write_migrations(tables(1))

    ran = cli(
        "migrate", "status", "--url", "postgresql://nobody:s3cret@127.0.0.1:1/none", "--dir", str(directory)
    )

    assert ran.code == 3, ran
    assert "s3cret" not in ran.stderr


def test_the_bare_area_shows_the_status(cli: Cli, url: str, write_migrations: WriteMigrations) -> None:
    write_migrations(tables(1))

    ran = cli("migrate", env={"DATABASE_URL": url})

    assert ran.code == 0, ran
    assert "1 pending" in ran.stdout


def test_a_folder_that_cannot_be_used_is_an_error_like_any_other(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("")

    ran = cli("migrate", "new", "add_teams", "--dir", "occupied")

    assert (ran.code, ran.stdout) == (4, "")
    assert ran.stderr == "error: cannot use occupied: File exists [file-error]\n"


def test_a_role_that_may_not_look_at_the_history_is_told_so(
    cli: Cli, database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = str(write_migrations(tables(1)))
    done = cli("migrate", "up", "--dir", directory, "--url", format_url(database, show_password=True))
    assert done.code == 0, done
    guest = replace(database, options={**database.options, "options": "-c role=pg_monitor"})

    ran = cli("migrate", "status", "--dir", directory, "--url", format_url(guest, show_password=True))

    assert (ran.code, ran.stdout) == (4, "")
    first, why, following = ran.stderr.splitlines()
    assert first == "error: permission denied for table schema_migrations (SQLSTATE 42501) [server-error]"
    assert why.startswith("  why: The role of this address lacks a right")
    assert following.startswith("  next: howdah doctor --url ")


def test_no_answer_to_the_question_is_an_interruption(
    cli: Cli, url: str, database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = str(write_migrations(tables(1)))
    cli("migrate", "up", "--url", url, "--dir", directory)
    terminal, stdin = pty.openpty()

    asked = subprocess.Popen(
        command("migrate", "down", "--to", "0", "--url", url, "--dir", directory),
        stdin=stdin,
        stderr=subprocess.PIPE,
        env=cli.environ,
        text=True,
    )
    os.write(terminal, b"\x04")  # Ctrl-D; what click makes of Ctrl-C is the same
    _, said = asked.communicate(timeout=30)
    os.close(terminal)
    os.close(stdin)

    assert asked.returncode == 130, said
    assert said.endswith("\ninterrupted\n")
    assert history(database) == [(1, False)]
