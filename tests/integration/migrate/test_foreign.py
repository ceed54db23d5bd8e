"""Steps that are no SQL: stopped at, or handed to the project's command and seen in the history afterwards."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fix_cli import Cli
from fix_db import connect
from fix_migrations import scalar
from howdah.config.database import DatabaseConfig
from howdah.config.project import ForeignSettings
from howdah.config.url import format_url
from howdah.errors import ForeignStep, MigrationFailed
from howdah.migrate.events import Event, Noted, ProgramSaid, Result
from howdah.migrate.migrator import Migrator

NAMES = tuple(f"Make{letter}170000000000{number}" for number, letter in enumerate("ABC", 1))
# A tool as TypeORM is one: it applies what is pending, all or up to a class, and says so.
TOOL = """
import os, re, sys, time
import psycopg

way, *rest = sys.argv[1:]
names = NAMES
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
    assert connection.info.dbname == os.environ["PGDATABASE"]
    applied = {row[0] for row in connection.execute("SELECT name FROM migrations")}
    todo = [each for each in names if (each in applied) == (way == "down")]
    if way == "down":
        todo = todo[-1:]
    if rest:
        todo = [each for each in todo if each <= rest[0]]
    for name in todo:
        if os.environ.get("FAIL") == name:
            sys.exit("it broke at " + name)
        print("doing", name, flush=True)
        if os.environ.get("PRETEND"):
            continue
        row = (int(name[-13:]), name)
        if way == "up":
            connection.execute(f'CREATE TABLE "{name}" ()')
            connection.execute('INSERT INTO migrations ("timestamp", name) VALUES (%s, %s)', row)
        else:
            connection.execute(f'DROP TABLE "{name}"')
            connection.execute('DELETE FROM migrations WHERE "timestamp" = %s AND name = %s', row)
        time.sleep(float(os.environ.get("SLEEP", "0")))
"""


@pytest.fixture
def tool(tmp_path: Path) -> tuple[str, ...]:
    """The project's tool, and three classes for it in `migrations`."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.js").write_text(
            f"module.exports = class {name} {{ async up() {{}} async down() {{}} }}"
        )
    program = tmp_path / "tool.py"
    program.write_text(TOOL.replace("NAMES", repr(NAMES)))
    return (sys.executable, str(program))


def migrator(
    database: DatabaseConfig, root: Path, foreign: ForeignSettings, events: list[Event] | None = None
) -> Migrator:
    return Migrator(
        database=database,
        directory=root / "migrations",
        format="typeorm",
        foreign=foreign,
        on_event=(events if events is not None else []).append,
    )


def commands(tool: tuple[str, ...], *more: str) -> ForeignSettings:
    return ForeignSettings(up=(*tool, "up", *more), down=(*tool, "down"))


def rows(database: DatabaseConfig) -> list[str]:
    with connect(database) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM migrations ORDER BY id")]


def test_without_a_command_the_run_stops_and_says_how_to_go_on(
    tool: tuple[str, ...], tmp_path: Path, database: DatabaseConfig, cli: Cli
) -> None:
    with pytest.raises(ForeignStep) as caught:
        migrator(database, tmp_path, ForeignSettings()).up()

    assert "a JavaScript class: only typeorm can run it" in caught.value.message
    assert caught.value.failed == NAMES[0]
    assert caught.value.pending == NAMES[1:]
    assert "2 migrations after it did not run." in (caught.value.fix or "")
    ran = cli("migrate", "up", "--dir", "migrations", "--format", "typeorm", "--json", "--url", url(database))
    assert ran.code == 5
    assert ran.json["problems"][0]["code"] == "foreign-step"


def url(database: DatabaseConfig) -> str:
    return format_url(database, show_password=True)


def test_a_command_that_does_everything_is_called_once(
    tool: tuple[str, ...], tmp_path: Path, database: DatabaseConfig
) -> None:
    events: list[Event] = []
    done = migrator(database, tmp_path, commands(tool), events).up()

    assert [each.step.migration.version for each in done] == [*NAMES]
    assert [each for each in events if isinstance(each, Result)] == done
    assert [each.line for each in events if isinstance(each, ProgramSaid)] == [
        f"doing {each}" for each in NAMES
    ]
    assert rows(database) == [*NAMES]
    assert scalar(database, "SELECT count(*) FROM howdah.history WHERE action = 'apply'") == 3


def test_a_command_that_does_one_step_is_called_for_each(
    tool: tuple[str, ...], tmp_path: Path, database: DatabaseConfig
) -> None:
    both = commands(tool, "{version}")
    assert len(migrator(database, tmp_path, both).up()) == 3

    assert len(migrator(database, tmp_path, both).down()) == 1
    assert rows(database) == [*NAMES[:2]]
    assert len(migrator(database, tmp_path, both).down(to="0")) == 2
    assert rows(database) == []


def test_what_a_command_does_beyond_its_steps_is_told(
    tool: tuple[str, ...], tmp_path: Path, database: DatabaseConfig
) -> None:
    events: list[Event] = []
    done = migrator(database, tmp_path, commands(tool), events).up(to=NAMES[0])

    assert len(done) == 1
    (note,) = [each.finding for each in events if isinstance(each, Noted)]
    assert note.code == "foreign-step-more"
    assert all(name in note.message for name in NAMES[1:])


def test_up_to_a_version_with_a_command_that_can_stop_there_goes_no_further(
    tool: tuple[str, ...], tmp_path: Path, database: DatabaseConfig
) -> None:
    migrator(database, tmp_path, commands(tool, "{version}")).up(to=NAMES[1])
    assert rows(database) == [*NAMES[:2]]


def test_a_command_that_fails_is_told_with_its_last_lines_and_what_it_did(
    tool: tuple[str, ...], tmp_path: Path, database: DatabaseConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIL", NAMES[1])
    with pytest.raises(MigrationFailed) as caught:
        migrator(database, tmp_path, commands(tool)).up()

    error = caught.value
    assert error.code == "foreign-step-failed"
    assert (error.applied, error.failed, error.pending) == (NAMES[:1], NAMES[1], NAMES[2:])
    assert f"it broke at {NAMES[1]}" in (error.why or "")
    assert "ended with exit status 1" in error.message
    assert rows(database) == [NAMES[0]]


def test_a_command_that_ends_well_and_records_nothing_is_an_error(
    tool: tuple[str, ...], tmp_path: Path, database: DatabaseConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRETEND", "1")
    with pytest.raises(MigrationFailed, match="is not recorded as applied") as caught:
        migrator(database, tmp_path, commands(tool)).up()
    assert caught.value.code == "foreign-step-unrecorded"
    assert caught.value.applied == ()


def test_a_program_that_is_not_there_is_told(
    tool: tuple[str, ...], tmp_path: Path, database: DatabaseConfig
) -> None:
    with pytest.raises(MigrationFailed, match="could not be started: No such file"):
        migrator(database, tmp_path, ForeignSettings(up=("no-such-program",))).up()


def test_the_command_of_howdah_toml_is_run_where_it_says(
    tool: tuple[str, ...], tmp_path: Path, database: DatabaseConfig, cli: Cli
) -> None:
    write_project(tmp_path, tool)
    ran = cli("migrate", "up", "--json", env={"APP_URL": url(database)})

    assert ran.code == 0, ran
    assert f"doing {NAMES[0]}" in ran.stderr
    assert rows(database) == [*NAMES]


def write_project(root: Path, tool: tuple[str, ...]) -> None:
    (root / "elsewhere").mkdir()
    up, down = (json.dumps([sys.executable, "../tool.py", way]) for way in ("up", "down"))
    (root / "howdah.toml").write_text(
        '[database.app]\nenv = { url = "APP_URL" }\nmigrations = "migrations"\nformat = "typeorm"\n'
        f'[database.app.foreign]\nup = {up}\ndown = {down}\ndirectory = "elsewhere"\n'
    )


def test_ctrl_c_goes_to_the_command_and_what_it_did_before_is_told(
    tool: tuple[str, ...],
    tmp_path: Path,
    database: DatabaseConfig,
    make_cli: Callable[[Path, dict[str, str]], Cli],
) -> None:
    write_project(tmp_path, tool)
    cli = make_cli(tmp_path, {"APP_URL": url(database), "HOME": str(tmp_path), "SLEEP": "60"})
    process = cli.start("migrate", "up")
    deadline = time.monotonic() + 60
    while scalar(database, "SELECT to_regclass('migrations')") is None or rows(database) != [NAMES[0]]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)

    assert process.returncode == 130, told
    assert rows(database) == [NAMES[0]]
    assert "applied" in told
    assert NAMES[0] in told
    assert scalar(database, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0


GO_TOOL = """
import os, psycopg, zlib
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
    free = connection.execute("SELECT pg_try_advisory_lock(%s)", [zlib.crc32(b"goose")]).fetchone()
    assert free == (True,), "goose's own lock must be free for goose"
    held = connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone()
    assert held == (2,), "howdah's lock must stay held"
    connection.execute("INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, true)")
"""


def test_sql_before_and_after_a_go_step_runs_here_and_the_tools_lock_is_free_between(
    tmp_path: Path, database: DatabaseConfig
) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "00001_a.sql").write_text("-- +goose Up\nCREATE TABLE a ();\n-- +goose Down\nDROP TABLE a;\n")
    (folder / "00002_b.go").write_text("package migrations\n")
    (folder / "00003_c.sql").write_text("-- +goose Up\nCREATE TABLE c ();\n-- +goose Down\nDROP TABLE c;\n")
    (tmp_path / "tool.py").write_text(GO_TOOL)

    def goose(*command: str) -> Migrator:
        foreign = ForeignSettings(up=command)
        return Migrator(
            database=database, directory=folder, format="goose", foreign=foreign, on_event=lambda _: None
        )

    with pytest.raises(ForeignStep) as caught:
        goose().up()
    assert (caught.value.applied, caught.value.failed, caught.value.pending) == (("1",), "2", ("3",))
    assert "1 migration before it in this run took effect and is recorded." in (caught.value.fix or "")

    done = goose(sys.executable, str(tmp_path / "tool.py")).up()
    assert [each.step.migration.version for each in done] == ["2", "3"]
    assert goose().up() == []
