"""Odd histories of goose: what its own commands make of them, before and after howdah has been there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fix_cli import Ran
from fix_db import connect
from fix_golang_migrate import as_url
from fix_migrations import WriteMigrations
from fix_server import tools_directory
from howdah.config.database import DatabaseConfig
from howdah.errors import DirtyDatabase
from howdah.migrate.events import Event
from howdah.migrate.formats.interface import OutOfOrder
from howdah.migrate.migrator import Migrator

pytestmark = [
    pytest.mark.interop,
    pytest.mark.proves(
        "odd names, files and histories of its own kind",
        peer="goose",
        tool="goose",
        format="goose",
    ),
]

Goose = Callable[..., Ran]


@pytest.fixture(scope="session", params=["goose", "goose-3.21"])
def goose(request: pytest.FixtureRequest) -> Goose:
    """`goose(database, directory, "up")`: the real program, in two versions."""
    program = tools_directory() / "bin" / request.param
    if not program.exists():
        reason = f"no {request.param} here; `make tools` installs it"
        if os.environ.get("CI") == "true" or os.environ.get("HOWDAH_REQUIRE_TOOLS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)

    def run(database: DatabaseConfig, directory: Path, *words: str, table: str | None = None) -> Ran:
        options = ["-dir", str(directory), *(["-table", table] if table else [])]
        url = as_url(database)
        done = subprocess.run(
            [program, *options, "postgres", f"{url}{'&' if '?' in url else '?'}sslmode=disable", *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "NO_COLOR": "true"},
        )
        return Ran(words, done.returncode, done.stdout, done.stderr)

    return run


def migrator(database: DatabaseConfig, directory: Path, **options: object) -> Migrator:
    events: list[Event] = []
    return Migrator(database=database, directory=directory, format="goose", on_event=events.append, **options)  # type: ignore[arg-type]


def file_of(name: str) -> str:
    return f"-- +goose Up\nCREATE TABLE {name} ();\n-- +goose Down\nDROP TABLE {name};\n"


@pytest.fixture
def directory(write_migrations: WriteMigrations) -> Path:
    return write_migrations({f"{number}_t.sql": file_of(f"t{number}") for number in (1, 2, 3)})


def run(database: DatabaseConfig, statement: str) -> None:
    with connect(database) as connection:
        connection.execute(statement.encode())


def version(goose: Goose, database: DatabaseConfig, directory: Path, **options: str) -> str:
    ran = goose(database, directory, "version", **options)
    return ran.stderr.strip().rpartition(" ")[2] if ran.code == 0 else f"failed: {ran.stderr}"


@pytest.mark.parametrize("name", ['quo"ted', "with space", "Müller %s", "UPPER", "a.b"])
def test_a_table_of_any_name_is_shared(
    goose: Goose, database: DatabaseConfig, directory: Path, name: str
) -> None:
    run(database, 'CREATE SCHEMA "odd schema"')
    theirs = '"odd schema"."' + name.replace('"', '""') + '"'
    ours = migrator(database, directory, schema="odd schema", table=name)

    ours.up(to=1)
    ran = goose(database, directory, "up-to", "2", table=theirs)
    assert ran.code == 0, ran
    ours.up()

    assert version(goose, database, directory, table=theirs) == "3"
    assert goose(database, directory, "down-to", "0", table=theirs).code == 0
    assert ours.down() == []


def test_a_lost_row_0_stops_goose_until_howdah_has_recorded_something(
    goose: Goose, database: DatabaseConfig, directory: Path
) -> None:
    assert goose(database, directory, "version").code == 0
    run(database, "DELETE FROM goose_db_version")
    assert "no next version found" in version(goose, database, directory)

    migrator(database, directory).up(to=1)
    assert version(goose, database, directory) == "1"

    run(database, "DELETE FROM goose_db_version WHERE version_id = 0")
    migrator(database, directory).down()
    assert version(goose, database, directory) == "0"
    assert goose(database, directory, "up").code == 0


def test_goose_calls_a_version_pending_that_it_never_runs_and_howdah_asks(
    goose: Goose, database: DatabaseConfig, directory: Path
) -> None:
    assert goose(database, directory, "up").code == 0
    run(database, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (3, false)")
    run(database, "DROP TABLE t3")

    assert "Pending                  -- 3_t.sql" in goose(database, directory, "status").stderr
    assert version(goose, database, directory) == "2"
    assert "no migrations to run" in goose(database, directory, "up").stderr
    with pytest.raises(DirtyDatabase):
        migrator(database, directory).up()

    migrator(database, directory).resolve(3, applied=False)
    assert goose(database, directory, "up").code == 0
    assert version(goose, database, directory) == "3"


def test_both_go_down_in_the_order_in_which_migrations_were_applied(
    goose: Goose, database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({"1_t.sql": file_of("t1"), "3_t.sql": file_of("t3")})
    assert goose(database, directory, "up").code == 0
    write_migrations({"2_t.sql": file_of("t2")})
    assert goose(database, directory, "up").code == 1

    migrator(database, directory, out_of_order=OutOfOrder.APPLY).up()

    assert version(goose, database, directory) == "2"
    assert goose(database, directory, "down").code == 0
    assert version(goose, database, directory) == "3"
    assert [each.step.migration.version for each in migrator(database, directory).down()] == ["3"]
    assert version(goose, database, directory) == "1"


def test_goose_goes_on_from_a_baseline(goose: Goose, database: DatabaseConfig, directory: Path) -> None:
    run(database, "CREATE TABLE t1 ()")
    run(database, "CREATE TABLE t2 ()")

    migrator(database, directory).baseline(2)

    assert version(goose, database, directory) == "2"
    assert goose(database, directory, "up").code == 0
    assert goose(database, directory, "down-to", "0").code == 0


def test_a_file_that_goose_cannot_run_fails_there_and_is_refused_here(
    goose: Goose, database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {
            "1_f.sql": "-- +goose Up\nCREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1;\n"
            "END\n$$;\n"
        }
    )
    ran = goose(database, directory, "up")

    assert ran.code == 1
    assert "unterminated dollar-quoted string" in ran.stderr
    with pytest.raises(Exception, match="in pieces"):
        migrator(database, directory).up()


def test_a_dump_that_empties_the_search_path_stops_goose_and_not_howdah(
    goose: Goose, database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    empty = "SELECT pg_catalog.set_config('search_path', '', false);"
    directory = write_migrations({"1_dump.sql": f"-- +goose Up\n{empty}\nCREATE TABLE public.a ();\n"})
    ran = goose(database, directory, "up")
    assert ran.code == 1
    assert 'relation "goose_db_version" does not exist' in ran.stderr

    migrator(database, directory).up()

    assert version(goose, database, directory) == "1"
