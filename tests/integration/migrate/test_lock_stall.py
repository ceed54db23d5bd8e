"""The stall budget, measured: how long an application's statement waits because of a migration."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest

from fix_db import connect
from fix_migrations import WriteMigrations, history, migrator
from fix_reader import Reader
from howdah.config.database import DatabaseConfig
from howdah.errors import MigrationFailed
from howdah.migrate.events import Event, Retrying

FILES = {"1_a.up.sql": "CREATE TABLE a (id int);", "2_b.up.sql": "ALTER TABLE a ADD COLUMN b int;"}
_STALL_SECONDS = 0.4
# What the machine adds: a retry of the reader's own, the scheduler, a loaded test machine.
_MARGIN_SECONDS = 0.4


def test_readers_never_wait_longer_than_the_budget_and_the_blocker_is_named(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    events: list[Event] = []
    run = migrator(
        database, write_migrations(FILES), events, stall_seconds=_STALL_SECONDS, retry_limit_seconds=3
    )
    run.up(to=1)
    with connect(database) as idler, Reader(database) as reader:
        idler.execute("SET application_name = 'forgotten psql'")
        idler.execute("BEGIN")
        idler.execute("SELECT count(*) FROM a")
        pid = idler.info.backend_pid
        with pytest.raises(MigrationFailed) as caught:
            run.up()
    # It queued once, and then waited without queuing: the application went on.
    assert reader.reads > 100
    assert reader.longest_seconds < _STALL_SECONDS + _MARGIN_SECONDS
    assert isinstance(caught.value.__cause__, psycopg.errors.LockNotAvailable)
    assert caught.value.sqlstate == "55P03"
    assert "Statement 1 of 1: ALTER TABLE a ADD COLUMN b int" in (caught.value.why or "")
    assert f"process {pid} (forgotten psql)" in (caught.value.why or "")
    assert "Nothing of it took effect." in (caught.value.fix or "")
    # A second time at most, where the machine was too busy to see who was in the way of the first.
    assert 1 <= len([event for event in events if isinstance(event, Retrying)]) <= 2
    assert history(database) == [(1, False)]


def test_the_migration_comes_through_as_soon_as_the_way_is_free(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    run = migrator(database, write_migrations(FILES), stall_seconds=_STALL_SECONDS, retry_limit_seconds=30)
    run.up(to=1)
    with connect(database) as idler, Reader(database) as reader:
        idler.execute("BEGIN")
        idler.execute("SELECT count(*) FROM a")
        threading.Timer(1.5, lambda: idler.execute("COMMIT")).start()
        started = time.monotonic()
        assert len(run.up()) == 1
        assert 1 < time.monotonic() - started < 15
    assert reader.longest_seconds < _STALL_SECONDS + _MARGIN_SECONDS


def test_without_a_budget_it_queues_for_as_long_as_it_takes(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    events: list[Event] = []
    run = migrator(database, write_migrations(FILES), events, stall_seconds=0)
    run.up(to=1)
    with connect(database) as idler:
        idler.execute("BEGIN")
        idler.execute("SELECT count(*) FROM a")
        threading.Timer(1, lambda: idler.execute("COMMIT")).start()
        assert len(run.up()) == 1
    assert not [event for event in events if isinstance(event, Retrying)]
