"""sqlx's files run on a real server, and what its table says after each of them."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest

from fix_cli import clean_environ, command
from fix_db import connect
from fix_golang_migrate import as_url
from fix_migrations import WriteMigrations, relations, scalar
from howdah.config.database import DatabaseConfig
from howdah.errors import DirtyDatabase, HistoryMismatch, MigrationFailed, SourceError
from howdah.migrate.events import Event, Noted
from howdah.migrate.migrator import Migrator

INDEXES = """-- no-transaction
CREATE INDEX CONCURRENTLY a_one ON a (one);
CREATE INDEX CONCURRENTLY a_two ON a (two);
"""
FILES: Mapping[str, str | bytes] = {
    "1_create_a.up.sql": "CREATE TABLE a (one int, two int);\n",
    "1_create_a.down.sql": "DROP TABLE a;\n",
    "2_both_indexes.up.sql": INDEXES,
    "2_both_indexes.down.sql": (
        "-- no-transaction\nDROP INDEX CONCURRENTLY a_one;\nDROP INDEX CONCURRENTLY a_two;\n"
    ),
    "3_line_ends.up.sql": b"CREATE TABLE b (\r\n  text text DEFAULT 'x\r\ny'\r\n);\r\n",
    "3_line_ends.down.sql": b"DROP TABLE b;\r\n",
}


def migrator(database: DatabaseConfig, directory: Path, events: list[Event] | None = None) -> Migrator:
    return Migrator(
        database=database,
        directory=directory,
        format="sqlx",
        on_event=(events if events is not None else []).append,
    )


def rows(database: DatabaseConfig) -> list[tuple[object, ...]]:
    """The table, without times."""
    with connect(database) as connection:
        return connection.execute(
            "SELECT version, description, success, encode(checksum, 'hex') FROM _sqlx_migrations ORDER BY version"
        ).fetchall()


def row(files: Mapping[str, str | bytes], version: int, description: str, up: str) -> tuple[object, ...]:
    body = files[up]
    raw = body.encode() if isinstance(body, str) else body
    return version, description, True, hashlib.sha384(raw).hexdigest()


def test_up_and_down_leave_the_rows_that_sqlx_would(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(FILES)

    results = migrator(database, directory).up()

    assert [each.transactional for each in results] == [True, False, True]
    assert rows(database) == [
        row(FILES, 1, "create a", "1_create_a.up.sql"),
        row(FILES, 2, "both indexes", "2_both_indexes.up.sql"),
        row(FILES, 3, "line ends", "3_line_ends.up.sql"),
    ]
    assert scalar(database, "SELECT count(*) FROM _sqlx_migrations WHERE execution_time > 0") == 3
    assert {"a_one", "a_two"} <= relations(database)
    assert migrator(database, directory).up() == []

    for left in (2, 1, 0):
        migrator(database, directory).down()
        assert [each[0] for each in rows(database)] == list(range(1, left + 1))
    assert not {"a", "b", "a_one", "a_two"} & relations(database)


def test_versions_of_every_size_and_a_hostile_description(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {
            f'{2**63 - 1}_it\'s_100%_"$1"_Ü.sql': "SELECT 1;",
            "-7_before.sql": "CREATE TABLE early ();",
            "0_zero.sql": "",
            "20260101000000_stamp.sql": "/* nothing */",
        }
    )

    migrator(database, directory).up()

    assert [each[:2] for each in rows(database)] == [
        (-7, "before"),
        (0, "zero"),
        (20260101000000, "stamp"),
        (2**63 - 1, 'it\'s 100% "$1" Ü'),
    ]


def test_an_applied_file_that_changed_stops_up_before_anything_runs(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(FILES)
    migrator(database, directory).up(to=2)
    (directory / "1_create_a.up.sql").write_text("CREATE TABLE a (one int, two bigint);\n")

    with pytest.raises(HistoryMismatch) as caught:
        migrator(database, directory).up()

    assert caught.value.code == "modified-migration"
    assert "sqlx stops at it" in (caught.value.why or "")
    assert [each[0] for each in rows(database)] == [1, 2]


def test_an_applied_file_that_is_gone_stops_up_and_one_of_a_later_release_does_not(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(FILES)
    migrator(database, directory).up()
    for half in ("up", "down"):
        (directory / f"3_line_ends.{half}.sql").unlink()
    assert migrator(database, directory).up() == []

    for half in ("up", "down"):
        (directory / f"1_create_a.{half}.sql").unlink()
    with pytest.raises(HistoryMismatch) as caught:
        migrator(database, directory).up()
    assert caught.value.code == "missing-migration"


def test_other_line_ends_are_told_apart_from_another_meaning(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({"1_a.sql": b"CREATE TABLE a ();\r\n"})
    migrator(database, directory).up()
    (directory / "1_a.sql").write_bytes(b"CREATE TABLE a ();\n")

    events: list[Event] = []
    assert migrator(database, directory, events).up() == []

    assert [each.finding.code for each in events if isinstance(each, Noted)] == ["reformatted-migration"]


def test_a_file_that_is_late_runs_and_is_told(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    write_migrations({"1_a.sql": "CREATE TABLE a ();", "3_c.sql": "CREATE TABLE c ();"})
    directory = write_migrations({})
    migrator(database, directory).up()
    write_migrations({"2_b.sql": "CREATE TABLE b ();"})

    events: list[Event] = []
    results = migrator(database, directory, events).up()

    assert [each.step.migration.version for each in results] == ["2"]
    assert "out-of-order-migration" in [each.finding.code for each in events if isinstance(each, Noted)]
    assert [each[0] for each in rows(database)] == [1, 2, 3]


def test_down_stops_at_a_simple_file(database: DatabaseConfig, write_migrations: WriteMigrations) -> None:
    directory = write_migrations({"1_a.sql": "CREATE TABLE a ();"})
    migrator(database, directory).up()

    with pytest.raises(SourceError) as caught:
        migrator(database, directory).down()

    assert caught.value.code == "missing-down-file"


def test_what_needs_the_directive_is_refused_naming_it(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({**FILES, "2_both_indexes.up.sql": f"\n{INDEXES}"})

    with pytest.raises(SourceError) as caught:
        migrator(database, directory).up()

    assert "-- no-transaction" in (caught.value.fix or "")
    assert relations(database) == set()


@pytest.mark.parametrize(
    ("body", "code"), [(b"\xef\xbb\xbfSELECT 1;", "byte-order-mark"), (b"SELECT '\xe9';", "not-utf8")]
)
def test_bytes_that_cannot_work_are_refused(
    database: DatabaseConfig, write_migrations: WriteMigrations, body: bytes, code: str
) -> None:
    with pytest.raises(SourceError) as caught:
        migrator(database, write_migrations({"1_a.sql": body})).up()

    assert caught.value.code == code


def test_a_body_that_fails_leaves_no_row(database: DatabaseConfig, write_migrations: WriteMigrations) -> None:
    directory = write_migrations({"1_a.sql": "CREATE TABLE a ();\nSELECT 1 / 0;"})

    with pytest.raises(MigrationFailed):
        migrator(database, directory).up()

    assert rows(database) == []
    assert "a" not in relations(database)


def test_killed_outside_a_transaction_it_is_unsuccessful_until_resolved(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(FILES)
    migrator(database, directory).up(to=1)
    with connect(database) as blocker:
        blocker.execute("BEGIN")
        blocker.execute("LOCK TABLE a IN ROW EXCLUSIVE MODE")
        words = command(
            "migrate", "up", "--url", as_url(database), "--dir", str(directory), "--format", "sqlx"
        )
        process = subprocess.Popen(
            words, env=clean_environ(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _wait_until_unsuccessful(database)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        blocker.execute("ROLLBACK")

    assert [(each[0], each[2]) for each in rows(database)] == [(1, True), (2, False)]
    with pytest.raises(DirtyDatabase):
        migrator(database, directory).plan()

    _drop_indexes(database)
    migrator(database, directory).resolve("2", applied=False)
    assert [each[0] for each in rows(database)] == [1]
    migrator(database, directory).up()
    assert [(each[0], each[2]) for each in rows(database)] == [(1, True), (2, True), (3, True)]


def test_resolved_as_applied_it_has_its_checksum(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(FILES)
    migrator(database, directory).up(to=2)
    with connect(database) as connection:
        connection.execute("UPDATE _sqlx_migrations SET success = FALSE WHERE version = 2")

    migrator(database, directory).resolve("2", applied=True)

    assert rows(database)[1] == row(FILES, 2, "both indexes", "2_both_indexes.up.sql")


@pytest.mark.slow
def test_ten_thousand_files(database: DatabaseConfig, write_migrations: WriteMigrations) -> None:
    directory = write_migrations({f"{each:05}_m.sql": "SELECT 1;" for each in range(10_000)})

    results = migrator(database, directory).up()

    assert len(results) == 10_000
    assert migrator(database, directory).up() == []
    assert scalar(database, "SELECT count(*) FROM _sqlx_migrations WHERE success") == 10_000


def _wait_until_unsuccessful(database: DatabaseConfig) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if scalar(database, "SELECT count(*) FROM _sqlx_migrations WHERE NOT success"):
            return
        time.sleep(0.05)
    raise AssertionError("no unsuccessful row appeared")


def _drop_indexes(database: DatabaseConfig) -> None:
    """What was left, once the killed run's session has ended."""
    deadline = time.monotonic() + 30
    while scalar(
        database,
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'howdah%'"
        " AND datname = current_database()",
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with connect(database) as connection:
        for name in ("a_one", "a_two"):
            connection.execute(
                psycopg.sql.SQL("DROP INDEX IF EXISTS {}").format(psycopg.sql.Identifier(name))
            )
