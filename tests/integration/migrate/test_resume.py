"""Steps outside a transaction that stopped half-way: what goes on by itself, and what waits for a person."""

from __future__ import annotations

import signal
import time

import psycopg
import pytest

from fix_cli import Cli
from fix_db import connect
from fix_migrations import WriteMigrations, history, migrator, relations, scalar
from fix_peers_tools import plain_url
from howdah.config.database import DatabaseConfig
from howdah.errors import DirtyDatabase, MigrationFailed
from howdah.migrate.events import Event, Noted, StatementStarted

TABLE = "CREATE TABLE t (a int, b int, c text); INSERT INTO t SELECT g, g % 7, g::text FROM generate_series(1, 100) g;"
INDEXES = """CREATE INDEX CONCURRENTLY t_a ON t (a);
CREATE INDEX CONCURRENTLY t_b ON t (b) WHERE b > 1;
CREATE UNIQUE INDEX CONCURRENTLY t_c ON t (lower(c));
"""


def noted(events: list[Event]) -> list[str]:
    return [event.finding.code for event in events if isinstance(event, Noted)]


def started(events: list[Event]) -> list[int]:
    return [event.number for event in events if isinstance(event, StatementStarted)]


def stop_at(database: DatabaseConfig, done: int, *, version: int = 2) -> None:
    """What a run leaves that is killed after so many statements: the mark, and the side history's row."""
    with connect(database) as connection:
        connection.execute("UPDATE schema_migrations SET version = %s, dirty = true", [version])
        connection.execute(
            "UPDATE howdah.history SET finished_at = NULL, seconds = NULL, statements_done = %s"
            " WHERE version = %s",
            [done, str(version)],
        )


def applied_then_stopped(
    database: DatabaseConfig, write_migrations: WriteMigrations, *, done: int, body: str = INDEXES
) -> None:
    directory = write_migrations({"1_t.up.sql": TABLE, "2_i.up.sql": body})
    migrator(database, directory).up()
    stop_at(database, done)


@pytest.mark.parametrize("done", [0, 1, 2, 3])
def test_a_run_that_stopped_between_two_builds_is_resumed_there(
    database: DatabaseConfig, write_migrations: WriteMigrations, done: int
) -> None:
    applied_then_stopped(database, write_migrations, done=done)
    with connect(database) as connection:
        for name in ("t_a", "t_b", "t_c")[done:]:
            connection.execute(f"DROP INDEX {name}".encode())
    events: list[Event] = []

    results = migrator(database, write_migrations({}), events).up()

    assert [result.step.migration.version for result in results] == ["2"]
    assert started(events) == list(range(done + 1, 4))
    assert noted(events) == ["resumed"]
    assert history(database) == [(2, False)]
    assert relations(database) == {"t", "t_a", "t_b", "t_c"}
    assert scalar(database, "SELECT bool_and(finished_at IS NOT NULL) FROM howdah.history") is True


def test_a_build_that_ended_after_its_client_is_not_built_again(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    applied_then_stopped(database, write_migrations, done=1)
    before = scalar(database, "SELECT oid::bigint FROM pg_class WHERE relname = 't_b'")
    with connect(database) as connection:
        connection.execute("DROP INDEX t_c")
    events: list[Event] = []

    migrator(database, write_migrations({}), events).up()

    assert started(events) == [3]
    assert scalar(database, "SELECT oid::bigint FROM pg_class WHERE relname = 't_b'") == before


def test_an_index_of_the_same_name_and_another_definition_is_not_taken_for_it(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    applied_then_stopped(database, write_migrations, done=1)
    with connect(database) as connection:
        connection.execute("DROP INDEX t_b; CREATE INDEX t_b ON t (b) WHERE b > 2")

    with pytest.raises(MigrationFailed, match="already exists"):
        migrator(database, write_migrations({})).up()

    assert history(database) == [(2, True)]


def test_an_index_that_was_left_invalid_is_built_anew(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    applied_then_stopped(database, write_migrations, done=1)
    with connect(database) as connection:
        connection.execute("DROP INDEX t_c")
        connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_b'::regclass")
    events: list[Event] = []

    migrator(database, write_migrations({}), events).up()

    assert noted(events) == ["resumed", "invalid-index-dropped"]
    assert (
        scalar(database, "SELECT bool_and(indisvalid) FROM pg_index WHERE indrelid = 't'::regclass") is True
    )


@pytest.mark.parametrize(
    "body",
    [
        INDEXES + "INSERT INTO t VALUES (1000);",
        "SELECT set_config('search_path', 'public', false);\n" + INDEXES,
    ],
    ids=["what may not run twice is left", "a setting that cannot be repeated"],
)
def test_what_cannot_be_resumed_waits_for_a_person(
    database: DatabaseConfig, write_migrations: WriteMigrations, body: str
) -> None:
    applied_then_stopped(database, write_migrations, done=1, body=body)

    with pytest.raises(DirtyDatabase):
        migrator(database, write_migrations({})).up()

    assert history(database) == [(2, True)]


def test_an_edited_file_is_not_resumed(database: DatabaseConfig, write_migrations: WriteMigrations) -> None:
    applied_then_stopped(database, write_migrations, done=1)

    with pytest.raises(DirtyDatabase):
        migrator(database, write_migrations({"2_i.up.sql": INDEXES + "-- edited\n"})).up()


def test_a_mark_that_somebody_has_moved_since_is_not_ours(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    applied_then_stopped(database, write_migrations, done=1)
    with connect(database) as connection:
        connection.execute("UPDATE schema_migrations SET version = 1")

    with pytest.raises(DirtyDatabase):
        migrator(database, write_migrations({})).up()


def test_down_does_not_go_on_with_what_was_being_applied(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    applied_then_stopped(database, write_migrations, done=1)

    with pytest.raises(DirtyDatabase):
        migrator(database, write_migrations({"2_i.down.sql": "SELECT 1;"})).down()
    with pytest.raises(DirtyDatabase):
        migrator(database, write_migrations({})).up(to=1)


def test_settings_of_the_session_hold_for_the_rest(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    body = "CREATE SCHEMA s; CREATE TABLE s.u (a int);"
    indexes = "SET search_path = s;\nCREATE INDEX CONCURRENTLY u_a ON u (a);\nDROP INDEX CONCURRENTLY u_a;"
    directory = write_migrations({"1_s.up.sql": body, "2_i.up.sql": indexes})
    migrator(database, directory).up()
    stop_at(database, 2)
    with connect(database) as connection:
        connection.execute("CREATE INDEX u_a ON s.u (a)")

    migrator(database, directory).up()

    assert scalar(database, "SELECT to_regclass('s.u_a')") is None
    assert history(database) == [(2, False)]


PARTITIONS = (
    "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);"
    "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);"
)


def test_a_half_detached_partition_is_finalized(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {
            "1_p.up.sql": PARTITIONS,
            "2_d.up.sql": "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;\nVACUUM p2;",
        }
    )
    migrator(database, directory).up(to=1)
    with connect(database) as reader, connect(database) as other:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM p")
        other.execute("SET statement_timeout = '1s'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            other.execute("ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY")
    assert (
        scalar(database, "SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = 'p1'::regclass") is True
    )

    migrator(database, directory).up()

    assert history(database) == [(2, False)]
    assert scalar(database, "SELECT count(*) FROM pg_inherits WHERE inhrelid = 'p1'::regclass") == 0


def test_that_something_is_gone_does_not_show_that_it_was_this_run(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {"1_t.up.sql": TABLE, "2_d.up.sql": "VACUUM t;\nDROP INDEX CONCURRENTLY t_x;"}
    )
    with pytest.raises(MigrationFailed, match="t_x") as caught:
        migrator(database, directory).up()
    assert caught.value.next == ("howdah migrate up", "howdah migrate resolve 2")

    with pytest.raises(MigrationFailed, match="t_x"):
        migrator(database, directory).up()

    assert history(database) == [(2, True)]
    with connect(database) as connection:
        connection.execute("CREATE INDEX t_x ON t (a)")
    migrator(database, directory).up()
    assert history(database) == [(2, False)]


@pytest.mark.parametrize("clause", ["", "IF NOT EXISTS "])
def test_an_invalid_index_that_another_tool_left_is_built_anew(
    database: DatabaseConfig, write_migrations: WriteMigrations, clause: str
) -> None:
    directory = write_migrations(
        {"1_t.up.sql": TABLE, "2_i.up.sql": f"CREATE UNIQUE INDEX CONCURRENTLY {clause}t_b ON t (b);"}
    )
    migrator(database, directory).up(to=1)
    with connect(database) as connection:
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY t_b ON t (b)")
        connection.execute("DELETE FROM t WHERE a > 7")
    events: list[Event] = []

    migrator(database, directory, events).up()

    assert scalar(database, "SELECT indisvalid FROM pg_index WHERE indexrelid = 't_b'::regclass") is True
    assert noted(events) == ["invalid-index-dropped"]


def test_if_not_exists_does_not_keep_an_invalid_index_inside_a_transaction(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {"1_t.up.sql": TABLE, "2_i.up.sql": "CREATE UNIQUE INDEX IF NOT EXISTS t_b ON t (b); SELECT 1;"}
    )
    migrator(database, directory).up(to=1)
    with connect(database) as connection:
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY t_b ON t (b)")
        connection.execute("DELETE FROM t WHERE a > 7")
    events: list[Event] = []

    migrator(database, directory, events).up()

    assert scalar(database, "SELECT indisvalid FROM pg_index WHERE indexrelid = 't_b'::regclass") is True
    assert noted(events) == ["invalid-index-dropped"]


def test_what_an_interrupted_reindex_left_is_dropped_before_the_next(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {"1_t.up.sql": TABLE + "CREATE INDEX t_a ON t (a);", "2_r.up.sql": "REINDEX INDEX CONCURRENTLY t_a;"}
    )
    migrator(database, directory).up(to=1)
    with connect(database) as reader, connect(database) as other:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT count(*) FROM t")
        reader.execute("INSERT INTO t VALUES (1)")
        other.execute("SET statement_timeout = '1s'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            other.execute("REINDEX INDEX CONCURRENTLY t_a")
    assert scalar(database, "SELECT count(*) FROM pg_class WHERE relname = 't_a_ccnew'") == 1

    migrator(database, directory).up()

    assert scalar(database, "SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass") == 1
    assert (
        scalar(database, "SELECT bool_and(indisvalid) FROM pg_index WHERE indrelid = 't'::regclass") is True
    )


def _wait_for_build(database: DatabaseConfig, name: str) -> None:
    with connect(database) as connection:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            row = connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND wait_event_type = 'Lock'"
                " AND query LIKE %s",
                [f"%CONCURRENTLY {name}%"],
            ).fetchone()
            if row:
                return
            time.sleep(0.02)
    pytest.fail(f"the build of {name} did not begin")


@pytest.mark.parametrize("who", ["client", "session"])
def test_after_a_kill_in_the_middle_of_a_build_a_second_run_goes_on(
    database: DatabaseConfig,
    write_migrations: WriteMigrations,
    cli: Cli,
    who: str,
) -> None:
    directory = write_migrations({"1_t.up.sql": TABLE, "2_i.up.sql": INDEXES})
    migrator(database, directory).up(to=1)
    url = plain_url(database)
    with connect(database) as writer:
        writer.execute("BEGIN")
        writer.execute("INSERT INTO t VALUES (999, 3, 'x')")
        process = cli.start("migrate", "up", "--url", url, "--dir", str(directory))
        _wait_for_build(database, "t_a")
        if who == "client":
            process.send_signal(signal.SIGKILL)
        else:
            with connect(database) as other:
                other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name LIKE 'howdah migrate%'"
                )
        process.communicate()
        assert history(database) == [(2, True)]
        writer.execute("COMMIT")

    migrator(database, directory, lock_limit_seconds=30).up()

    assert history(database) == [(2, False)]
    assert relations(database) == {"t", "t_a", "t_b", "t_c"}
    assert (
        scalar(database, "SELECT bool_and(indisvalid) FROM pg_index WHERE indrelid = 't'::regclass") is True
    )
