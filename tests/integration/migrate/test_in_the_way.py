"""Who may be in the way of a migration, what it does about each, and that the application goes on meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest

from fix_db import connect
from fix_migrations import WriteMigrations, history, migrator, scalar
from fix_reader import Reader
from fix_server import RunningServer
from howdah.config.database import DatabaseConfig, Secret
from howdah.errors import MigrationFailed
from howdah.migrate.events import Event, HeldUp, Result, Retrying
from howdah.server.local import LocalServer

BASE = {"1_a.up.sql": "CREATE TABLE a (id int); CREATE TABLE b (id int);"}
ALTER = {**BASE, "2_b.up.sql": "ALTER TABLE a ADD COLUMN b int;"}
# What a loaded machine adds.
MARGIN_SECONDS = 0.4


@contextmanager
def holding(database: DatabaseConfig, query: str, *, name: str = "shop") -> Iterator[psycopg.Connection]:
    """A session that is idle in transaction after a query."""
    with connect(database) as connection:
        connection.execute(f"SET application_name = '{name}'".encode())
        connection.execute("BEGIN")
        connection.execute(query.encode())
        yield connection


def later(seconds: float, action: Callable[[], object]) -> threading.Timer:
    timer = threading.Timer(seconds, action)
    timer.start()
    return timer


def retries(events: list[Event]) -> list[Retrying]:
    return [event for event in events if isinstance(event, Retrying)]


def test_it_does_not_queue_behind_a_transaction_older_than_the_budget(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    events: list[Event] = []
    run = migrator(database, write_migrations(ALTER), events, stall_seconds=1, retry_limit_seconds=7)
    run.up(to=1)
    events.clear()
    with holding(database, "SELECT count(*) FROM a") as holder, Reader(database) as reader:
        pid = holder.info.backend_pid
        time.sleep(1.2)
        timer = later(6, lambda: holder.execute("COMMIT"))
        run.up()
        timer.join()
    assert reader.longest_seconds < 1
    (retry,) = retries(events)
    assert f"process {pid} (shop)" in retry.blockers[0]
    assert "idle in transaction for" in retry.blockers[0]
    assert "holds ACCESS SHARE: SELECT count(*) FROM a" in retry.blockers[0]
    assert [type(event) for event in events if isinstance(event, HeldUp | Result)] == [HeldUp, Result]


def test_it_gives_up_without_a_last_try_and_says_who_is_in_the_way(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    events: list[Event] = []
    run = migrator(database, write_migrations(ALTER), events, stall_seconds=0.5, retry_limit_seconds=2)
    run.up(to=1)
    with (
        holding(database, "SELECT count(*) FROM a", name="first") as first,
        holding(database, "LOCK TABLE a IN ROW EXCLUSIVE MODE", name="second") as second,
        Reader(database) as reader,
    ):
        pids = [first.info.backend_pid, second.info.backend_pid]
        with pytest.raises(MigrationFailed) as caught:
            run.up()
    assert reader.longest_seconds < 0.5 + MARGIN_SECONDS
    for pid in pids:
        assert f"process {pid}" in (caught.value.why or "")
    assert caught.value.sqlstate == "55P03"
    assert history(database) == [(1, False)]


def test_overlapping_short_transactions_are_outlasted_in_one_try(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    events: list[Event] = []
    run = migrator(database, write_migrations(ALTER), events)
    run.up(to=1)
    stop = threading.Event()

    def work(offset: float) -> None:
        time.sleep(offset)
        with connect(database) as connection:
            while not stop.is_set():
                with connection.transaction():
                    connection.execute("SELECT count(*) FROM a")
                    time.sleep(0.4)

    threads = [threading.Thread(target=work, args=[0.13 * number]) for number in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.6)
    try:
        run.up()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert retries(events) == []


def test_the_budget_is_for_all_waits_of_a_transaction_together(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    body = "ALTER TABLE a ADD COLUMN x int; ALTER TABLE b ADD COLUMN x int;"
    events: list[Event] = []
    run = migrator(
        database,
        write_migrations({**BASE, "2_x.up.sql": body}),
        events,
        stall_seconds=2,
        retry_limit_seconds=20,
    )
    run.up(to=1)
    with (
        holding(database, "SELECT count(*) FROM a") as first,
        connect(database) as second,
        Reader(database) as reader,
    ):
        # The first ends when 1.2 s of the budget are gone; the second has begun shortly before.
        timers = [
            later(1.2, lambda: first.execute("COMMIT")),
            later(1.0, lambda: second.execute("BEGIN; LOCK TABLE b IN ACCESS SHARE MODE")),
            later(4.5, lambda: second.execute("COMMIT")),
        ]
        run.up()
        for timer in timers:
            timer.join()
    assert reader.longest_seconds < 2 + MARGIN_SECONDS
    assert len(retries(events)) >= 1
    assert history(database) == [(2, False)]


def test_its_own_work_does_not_hold_up_the_application_beyond_the_budget(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    body = "ALTER TABLE a ADD COLUMN x int; SELECT pg_sleep(4);"
    events: list[Event] = []
    run = migrator(database, write_migrations({**BASE, "2_x.up.sql": body}), events, stall_seconds=0.6)
    run.up(to=1)
    with Reader(database) as reader, pytest.raises(MigrationFailed) as caught:
        run.up()
    assert reader.longest_seconds < 0.6 + MARGIN_SECONDS
    assert caught.value.code == "stall-budget-spent"
    assert "Nothing of it took effect." in (caught.value.fix or "")
    assert retries(events) == []
    assert history(database) == [(1, False)]


def test_long_work_that_nobody_waits_for_is_left_alone(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    body = "ALTER TABLE a ADD COLUMN x int; SELECT pg_sleep(1.5);"
    run = migrator(database, write_migrations({**BASE, "2_x.up.sql": body}), stall_seconds=0.3)
    with Reader(database, "pg_class") as reader:
        assert len(run.up()) == 2
    assert reader.longest_seconds < 1


def test_another_migration_that_waits_for_the_history_is_not_the_application(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    body = "LOCK TABLE schema_migrations; SELECT pg_sleep(1.5);"
    run = migrator(database, write_migrations({**BASE, "2_x.up.sql": body}), stall_seconds=0.3)
    run.up(to=1)
    with Reader(database, "schema_migrations"):
        assert len(run.up()) == 1


def test_a_dump_is_not_queued_behind_however_young_it_is(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    events: list[Event] = []
    run = migrator(database, write_migrations(ALTER), events, stall_seconds=4)
    run.up(to=1)
    with (
        holding(database, "LOCK TABLE a IN ACCESS SHARE MODE", name="pg_dump") as dump,
        Reader(database) as reader,
    ):
        timer = later(2.5, lambda: dump.execute("COMMIT"))
        run.up()
        timer.join()
    assert reader.longest_seconds < 2
    assert "(pg_dump), a dump, role" in retries(events)[0].blockers[0]


def test_a_concurrent_build_of_somebody_else_is_named(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    events: list[Event] = []
    run = migrator(database, write_migrations(ALTER), events, stall_seconds=3)
    run.up(to=1)
    with holding(database, "INSERT INTO b VALUES (1)") as old, connect(database) as builder:
        old.execute("INSERT INTO a VALUES (1)")
        build = threading.Thread(
            target=lambda: builder.execute("CREATE INDEX CONCURRENTLY a_id ON a (id)"), daemon=True
        )
        build.start()
        timer = later(2.5, lambda: old.execute("COMMIT"))
        time.sleep(0.5)
        run.up()
        build.join()
        timer.join()
    assert any("a concurrent index build" in each for each in retries(events)[0].blockers)


def _vacuumed(database: DatabaseConfig) -> None:
    """Fill table a so that an autovacuum of it takes minutes, and wait for that."""
    with connect(database) as connection:
        connection.execute("ALTER SYSTEM SET autovacuum_naptime = '1s'")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("INSERT INTO a SELECT g FROM generate_series(1, 200000) g")
        connection.execute(
            "ALTER TABLE a SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1,"
            " autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)"
        )
        connection.execute("DELETE FROM a WHERE id % 3 = 0")
        deadline = time.monotonic() + 60
        running = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'autovacuum: VACUUM%public.a%'"
        while connection.execute(running).fetchone() is None:
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.fixture
def quick_autovacuum(server: RunningServer) -> Iterator[None]:
    yield
    with connect(server.address) as connection:
        connection.execute("ALTER SYSTEM RESET autovacuum_naptime")
        connection.execute("SELECT pg_reload_conf()")


@pytest.mark.usefixtures("quick_autovacuum")
def test_an_autovacuum_is_displaced_sooner_where_we_may_set_that(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    events: list[Event] = []
    run = migrator(database, write_migrations(ALTER), events, stall_seconds=0.6)
    run.up(to=1)
    _vacuumed(database)
    with Reader(database) as reader:
        run.up()
    assert reader.longest_seconds < 0.6 + MARGIN_SECONDS
    assert any("autovacuum" in each for retry in retries(events) for each in retry.blockers)
    assert history(database) == [(2, False)]


@pytest.mark.usefixtures("quick_autovacuum")
def test_an_autovacuum_is_outlasted_where_we_may_not(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    with limited_role(database) as limited:
        events: list[Event] = []
        run = migrator(limited, write_migrations(ALTER), events, stall_seconds=0.4)
        run.up(to=1)
        _vacuumed(database)
        run.up()
        assert history(database) == [(2, False)]
    assert any("autovacuum" in each for retry in retries(events) for each in retry.blockers)


@contextmanager
def limited_role(database: DatabaseConfig) -> Iterator[DatabaseConfig]:
    role = f"limited_{database.database}"
    with connect(database) as connection:
        connection.execute(
            f"CREATE ROLE {role} LOGIN PASSWORD 'secret';"
            f" GRANT CREATE, USAGE ON SCHEMA public TO {role};"
            f" GRANT CREATE ON DATABASE {database.database} TO {role}".encode()
        )
        try:
            yield replace(database, user=role, password=Secret("secret"))
        finally:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_who_may_not_see_others_sessions_is_told_their_processes(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    with limited_role(database) as limited:
        run = migrator(limited, write_migrations(ALTER), stall_seconds=0.5, retry_limit_seconds=1)
        run.up(to=1)
        with holding(database, "SELECT count(*) FROM a") as holder, Reader(database) as reader:
            pid = holder.info.backend_pid
            with pytest.raises(MigrationFailed) as caught:
                run.up()
    assert f"process {pid} (shop)" in (caught.value.why or "")
    assert "state not visible to this role" in (caught.value.why or "")
    assert reader.longest_seconds < 0.5 + MARGIN_SECONDS


def test_a_prepared_transaction_is_named(new_local: LocalServer, write_migrations: WriteMigrations) -> None:
    new_local = replace(new_local, settings={**new_local.settings, "max_prepared_transactions": "2"})
    new_local.start()
    database = new_local.address
    events: list[Event] = []
    run = migrator(database, write_migrations(ALTER), events, stall_seconds=3)
    run.up(to=1)
    with connect(database) as session:
        session.execute("BEGIN")
        session.execute("INSERT INTO a VALUES (1)")
        session.execute("PREPARE TRANSACTION 'half of two'")
        timer = later(2, lambda: session.execute("COMMIT PREPARED 'half of two'"))
        run.up()
        timer.join()
    (retry,) = retries(events)
    assert "the prepared transaction 'half of two', role" in retry.blockers[0]


def test_a_statement_outside_a_transaction_is_tried_again_by_itself(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    events: list[Event] = []
    body = "VACUUM b;\nINSERT INTO b VALUES (1);\nALTER TABLE a ADD COLUMN x int;"
    directory = write_migrations({**BASE, "2_x.up.sql": body})
    run = migrator(database, directory, events, stall_seconds=0.4)
    run.up(to=1)
    with holding(database, "SELECT count(*) FROM a") as holder:
        timer = later(1.5, lambda: holder.execute("COMMIT"))
        run.up()
        timer.join()
    assert len(retries(events)) == 1
    assert scalar(database, "SELECT count(*) FROM b") == 1
    assert history(database) == [(2, False)]


def test_a_transaction_of_the_files_own_is_tried_again_as_a_whole(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    events: list[Event] = []
    body = "VACUUM b;\nBEGIN;\nINSERT INTO b VALUES (1);\nALTER TABLE a ADD y int;\nCOMMIT;"
    directory = write_migrations({**BASE, "2_x.up.sql": body})
    run = migrator(database, directory, events, stall_seconds=0.4)
    run.up(to=1)
    with holding(database, "SELECT count(*) FROM a") as holder:
        timer = later(1.5, lambda: holder.execute("COMMIT"))
        run.up()
        timer.join()
    assert len(retries(events)) == 1
    assert scalar(database, "SELECT count(*) FROM b") == 1
    assert history(database) == [(2, False)]


def test_a_concurrent_build_waits_for_old_transactions_as_long_as_nobody_waits_for_it(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    events: list[Event] = []
    files = {**BASE, "2_x.up.sql": "CREATE INDEX CONCURRENTLY a_id ON a (id);"}
    run = migrator(database, write_migrations(files), events, stall_seconds=0.3)
    run.up(to=1)
    with holding(database, "INSERT INTO a VALUES (1)") as holder, Reader(database) as reader:
        timer = later(1.5, lambda: holder.execute("COMMIT"))
        run.up()
        timer.join()
    assert retries(events) == []
    assert reader.longest_seconds < 0.3 + MARGIN_SECONDS


def test_a_row_that_somebody_holds_is_waited_for_within_the_budget(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    events: list[Event] = []
    files = {**BASE, "2_x.up.sql": "UPDATE a SET id = 2;"}
    run = migrator(database, write_migrations(files), events, stall_seconds=0.5)
    run.up(to=1)
    with connect(database) as connection:
        connection.execute("INSERT INTO a VALUES (1)")
    with holding(database, "UPDATE a SET id = 3") as holder:
        timer = later(1.5, lambda: holder.execute("COMMIT"))
        run.up()
        timer.join()
    assert "(shop)" in retries(events)[0].blockers[0]
    assert scalar(database, "SELECT id FROM a") == 2
