"""goose's lock in a table: taken where the table is there, renewed while a run lasts, given back, and lost."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from fix_cli import Cli
from fix_db import connect
from fix_golang_migrate import as_url
from fix_migrations import WriteMigrations, scalar
from fix_server import RunningServer
from howdah.config.database import DatabaseConfig, Secret
from howdah.config.project import ForeignSettings
from howdah.errors import LockTimeout, MigrationError, MigrationFailed
from howdah.migrate.events import Event, Noted, WaitingForLock
from howdah.migrate.formats.goose import GOOSE
from howdah.migrate.formats.goose.lease import GooseLease
from howdah.migrate.history import HistoryTable
from howdah.migrate.lease import find_lease
from howdah.migrate.lock import migration_lock
from howdah.migrate.migrator import Migrator
from howdah.migrate.settings import RunSettings

# As pressly/goose lock/internal/store/postgres.go makes it.
TABLE = """CREATE TABLE {} (
    lock_id bigint NOT NULL PRIMARY KEY, locked boolean NOT NULL DEFAULT false, locked_at timestamptz NULL,
    locked_by text NULL, lease_expires_at timestamptz NULL, updated_at timestamptz NULL)"""
TAKEN = (
    "INSERT INTO goose_lock VALUES"
    " (4097083626, true, now(), 'worker-7-ab', now() + interval '{} seconds', now())"
)
FREE = (False, None, None, None)
# Who holds the lock is seen from within.
FILES = {
    "00001_a.sql": "-- +goose Up\nCREATE TABLE a AS SELECT * FROM goose_lock;\n-- +goose Down\nDROP TABLE a;\n"
}


@pytest.fixture
def leased(database: DatabaseConfig) -> DatabaseConfig:
    """A database that a Provider with a table locker has migrated before."""
    run(database, TABLE.format("goose_lock"))
    return database


def run(database: DatabaseConfig, *statements: str) -> None:
    with connect(database) as connection:
        for each in statements:
            connection.execute(each.encode())


def lock_row(database: DatabaseConfig, table: str = "goose_lock") -> tuple[object, ...] | None:
    with connect(database) as connection:
        query = f"SELECT locked, locked_at, locked_by, lease_expires_at FROM {table}"
        return connection.execute(query.encode()).fetchone()


def migrator(
    database: DatabaseConfig,
    directory: Path,
    events: list[Event] | None = None,
    *,
    lock_limit_seconds: float = 15,
    schema: str | None = None,
    table: str | None = None,
) -> Migrator:
    return Migrator(
        database=database,
        directory=directory,
        format="goose",
        schema=schema,
        table=table,
        settings=RunSettings(lock_limit_seconds=lock_limit_seconds),
        on_event=(events if events is not None else []).append,
    )


@contextmanager
def held(database: DatabaseConfig, events: list[Event], lease: GooseLease) -> Iterator[psycopg.Connection]:
    """The migration lock with a lease of another length."""
    with connect(database) as connection:
        where = HistoryTable(database.database, "public", "goose_db_version")
        found = find_lease(connection, replace(GOOSE, lease=lease), where, database, events.append)
        with migration_lock(connection, [1], lease=found, limit_seconds=0, on_wait=events.append):
            yield connection


def test_a_run_holds_the_lease_and_gives_it_back(
    leased: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    run(leased, TAKEN.format(-1))  # of one that was killed: expired

    migrator(leased, write_migrations(FILES)).up()

    assert str(scalar(leased, "SELECT locked_by FROM a WHERE locked")).startswith("howdah-")
    assert scalar(
        leased,
        "SELECT lock_id = 4097083626 AND lease_expires_at - locked_at BETWEEN '29 s' AND '31 s' FROM a",
    )
    assert lock_row(leased) == FREE


def test_without_its_table_there_is_no_lease_and_none_is_made(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    migrator(
        database, write_migrations({"00001_a.sql": "-- +goose Up\nCREATE TABLE a ();\n-- +goose Down\n"})
    ).up()

    assert scalar(database, "SELECT to_regclass('goose_lock')") is None


def test_a_table_of_that_name_that_is_something_else_is_none(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    run(database, "CREATE TABLE goose_lock (bird text)")

    migrator(database, write_migrations(FILES)).up()

    assert scalar(database, "SELECT count(*) FROM goose_lock") == 0


@pytest.mark.parametrize("place", ["tools", "public"])
def test_it_is_found_beside_the_history_and_on_the_search_path(
    place: str, database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    run(database, "CREATE SCHEMA tools", TABLE.format(f"{place}.goose_lock"))
    files = {
        "00001_a.sql": f"-- +goose Up\nCREATE TABLE a AS SELECT * FROM {place}.goose_lock;\n-- +goose Down\n"
    }

    migrator(database, write_migrations(files), schema="tools", table="versions").up()

    assert str(scalar(database, "SELECT locked_by FROM a WHERE locked")).startswith("howdah-")
    assert lock_row(database, f"{place}.goose_lock") == FREE


def test_a_failed_run_gives_it_back(leased: DatabaseConfig, write_migrations: WriteMigrations) -> None:
    with pytest.raises(MigrationFailed):
        migrator(
            leased, write_migrations({"00001_a.sql": "-- +goose Up\nSELECT 1 / 0;\n-- +goose Down\n"})
        ).up()

    assert lock_row(leased) == FREE


def test_a_lease_that_stays_taken_is_an_error_that_names_the_holder(
    leased: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    run(leased, TAKEN.format(20))
    events: list[Event] = []

    with pytest.raises(LockTimeout) as caught:
        migrator(leased, write_migrations(FILES), events, lock_limit_seconds=0.4).up()

    assert '"public"."goose_lock"' in caught.value.message
    assert "The holder is worker-7-ab, since " in str(caught.value.why)
    assert " s unless it is renewed" in str(caught.value.why)
    assert "worker-7-ab" in next(each.holder for each in events if isinstance(each, WaitingForLock))
    assert lock_row(leased)[2] == "worker-7-ab"  # type: ignore[index]
    assert scalar(leased, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    assert scalar(leased, "SELECT to_regclass('goose_db_version')") is None


def test_it_is_taken_as_soon_as_it_is_free_or_has_expired(
    leased: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    run(leased, TAKEN.format(1))
    started = time.monotonic()

    assert len(migrator(leased, write_migrations(FILES)).up()) == 1

    assert 0.5 < time.monotonic() - started < 10


def test_a_row_that_somebody_has_locked_is_not_waited_for_beyond_the_limit(
    leased: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    run(leased, TAKEN.format(-1))
    with connect(leased) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM goose_lock FOR UPDATE")
        started = time.monotonic()
        with pytest.raises(LockTimeout):
            migrator(leased, write_migrations(FILES), lock_limit_seconds=0.2).up()
        assert time.monotonic() - started < 5


def test_nothing_to_do_asks_for_no_lease(leased: DatabaseConfig, write_migrations: WriteMigrations) -> None:
    directory = write_migrations(FILES)
    migrator(leased, directory).up()
    run(leased, "DELETE FROM goose_lock", TAKEN.format(20))

    assert migrator(leased, directory, lock_limit_seconds=0).up() == []


def test_it_is_renewed_while_the_session_of_the_run_is_busy(leased: DatabaseConfig) -> None:
    events: list[Event] = []
    with held(leased, events, GooseLease(lasts_seconds=1, renew_every_seconds=0.1)) as connection:
        busy = threading.Thread(target=connection.execute, args=["SELECT pg_sleep(2)"])
        busy.start()
        time.sleep(1.7)
        assert scalar(leased, "SELECT lease_expires_at > now() FROM goose_lock")
        busy.join()
    assert lock_row(leased) == FREE
    assert events == []


def test_the_second_session_is_opened_again_when_it_is_lost(leased: DatabaseConfig) -> None:
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'howdah lease'"
    with held(leased, [], GooseLease(lasts_seconds=2, renew_every_seconds=0.1)):
        time.sleep(0.5)
        assert scalar(leased, kill) is True
        time.sleep(2)
        assert scalar(leased, "SELECT lease_expires_at > now() FROM goose_lock")


def test_a_lease_that_was_taken_from_us_is_told_and_left_alone(leased: DatabaseConfig) -> None:
    events: list[Event] = []
    with held(leased, events, GooseLease()):
        run(leased, "DELETE FROM goose_lock", TAKEN.format(20))

    assert lock_row(leased)[2] == "worker-7-ab"  # type: ignore[index]
    (told,) = [each.finding for each in events if isinstance(each, Noted)]
    assert told.code == "lease-lost"
    assert "worker-7-ab" in str(told.why)


def test_a_migration_may_drop_the_table(leased: DatabaseConfig, write_migrations: WriteMigrations) -> None:
    files = {"00001_a.sql": "-- +goose Up\nDROP TABLE goose_lock;\n-- +goose Down\n"}

    assert len(migrator(leased, write_migrations(files)).up()) == 1


def test_a_role_that_may_not_write_to_the_table_is_told_what_it_lacks(
    leased: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    run(leased, "CREATE ROLE lease_test LOGIN PASSWORD 'x'", "GRANT CREATE ON SCHEMA public TO lease_test")
    role = replace(leased, user="lease_test", password=Secret("x"))
    try:
        with pytest.raises(MigrationError) as caught:
            migrator(role, write_migrations(FILES)).up()
        assert caught.value.code == "no-lease-privilege"
        assert 'ON "public"."goose_lock" TO "lease_test"' in str(caught.value.fix)
        assert scalar(leased, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    finally:
        run(leased, "DROP OWNED BY lease_test", "DROP ROLE lease_test")


def test_a_command_of_the_project_can_take_it(
    leased: DatabaseConfig, write_migrations: WriteMigrations, tmp_path: Path
) -> None:
    directory = write_migrations(
        {
            **FILES,
            "00002_go.go": "package migrations\n",
            "00003_b.sql": FILES["00001_a.sql"].replace(" a", " b"),
        }
    )
    as_provider = (
        "DO $$ BEGIN"
        " IF EXISTS (SELECT FROM goose_lock WHERE locked) THEN RAISE 'the lease is not free'; END IF; END $$;"
        "INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, true)"
    )
    program = tmp_path / "program.py"
    program.write_text(
        "import os, psycopg\n"
        "with psycopg.connect(os.environ['DATABASE_URL']) as connection:\n"
        f"    connection.execute({as_provider!r})\n"
    )
    command = ForeignSettings(up=(sys.executable, str(program)))
    results = replace(migrator(leased, directory), foreign=command).up()

    assert [each.step.migration.version for each in results] == ["1", "2", "3"]
    assert scalar(leased, "SELECT a.locked_by = b.locked_by FROM a, b WHERE a.locked AND b.locked")
    assert lock_row(leased) == FREE


def test_adopting_another_tool_takes_the_lease_and_its_table_for_no_drift(
    leased: DatabaseConfig, server: RunningServer, write_migrations: WriteMigrations, cli: Cli
) -> None:
    directory = write_migrations(
        {"00001_a.sql": "-- +goose Up\nCREATE TABLE a ();\n-- +goose Down\nDROP TABLE a;\n"}
    )
    migrator(leased, directory).up()
    words = ["--from", "goose", "--to", "sqlx", "--dir", str(directory), "--out", f"{directory}-sqlx"]
    where = ["--url", as_url(leased), "--rehearse-url", as_url(server.address)]
    run(leased, "DELETE FROM goose_lock", TAKEN.format(-1))

    ran = cli("migrate", "adopt", *words, *where, "--apply")

    assert ran.code == 0, ran
    assert lock_row(leased) == FREE
