"""Ctrl-C and SIGTERM: what runs is stopped on the server, rolled back, told of exactly, and the lock is free."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable

import psycopg
import pytest

from fix_cli import Cli
from fix_db import connect
from fix_golang_migrate import as_url
from fix_migrations import WriteMigrations, history, migrator, relations
from howdah.config.database import DatabaseConfig


def _wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def _statements(database: DatabaseConfig) -> list[str]:
    """What runs of howdah are at in this database."""
    with connect(database) as connection:
        rows = connection.execute(
            "SELECT query FROM pg_stat_activity WHERE application_name = 'howdah migrate' AND state = 'active'"
            " AND datname = current_database()"
        ).fetchall()
    return [query for (query,) in rows]


def _locks(database: DatabaseConfig) -> object:
    with connect(database) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchone()
    return row and row[0]


def _start(cli: Cli, database: DatabaseConfig, directory: object, until: str) -> subprocess.Popen[str]:
    process = cli.start("migrate", "up", "--url", as_url(database), "--dir", str(directory))
    _wait_for(lambda: any(until in query for query in _statements(database)))
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_long_statement_is_stopped_and_rolled_back(
    database: DatabaseConfig, write_migrations: WriteMigrations, cli: Cli, number: signal.Signals
) -> None:
    directory = write_migrations(
        {
            "1_a.up.sql": "CREATE TABLE a (id int);",
            "2_b.up.sql": "CREATE TABLE b (id int);\nSELECT pg_sleep(60);\n",
            "3_c.up.sql": "SELECT 3;",
        }
    )
    process = _start(cli, database, directory, "pg_sleep")
    process.send_signal(number)
    started = time.monotonic()
    stdout, stderr = process.communicate(timeout=20)
    assert time.monotonic() - started < 5
    assert process.returncode == 130
    assert stdout == ""
    assert stderr.startswith("applied  1_a.up.sql")
    assert (
        f"{directory}/2_b.up.sql:2: applying 2 (b) failed: canceling statement due to user request" in stderr
    )
    assert "[interrupted]" in stderr
    assert (
        "Nothing of it took effect. 1 migration before it in this run took effect and is recorded." in stderr
    )
    assert "1 migration after it did not run." in stderr
    assert history(database) == [(1, False)]
    assert relations(database) == {"a"}
    assert _locks(database) == 0


def test_a_second_ctrl_c_does_not_wait_for_the_server(
    database: DatabaseConfig, write_migrations: WriteMigrations, cli: Cli
) -> None:
    # This body catches the cancelling and goes on.
    directory = write_migrations(
        {
            "1_a.up.sql": """
DO $$ BEGIN
  LOOP
    BEGIN PERFORM pg_sleep(3); RETURN; EXCEPTION WHEN query_canceled THEN NULL; END;
  END LOOP;
END $$;
CREATE TABLE a (id int);
"""
        }
    )
    process = _start(cli, database, directory, "pg_sleep")
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    _, stderr = process.communicate(timeout=20)
    assert time.monotonic() - started < 2
    assert process.returncode == 130
    assert "applied" not in stderr
    assert "Traceback" not in stderr
    # The server may still finish it. Whatever it does, it does all of it, and another run waits for it.
    migrator(database, directory, lock_limit_seconds=30).up()
    assert history(database) == [(1, False)]
    assert relations(database) == {"a"}


def test_a_stopped_concurrent_build_leaves_nothing(
    database: DatabaseConfig, write_migrations: WriteMigrations, cli: Cli
) -> None:
    directory = write_migrations(
        {"1_a.up.sql": "CREATE TABLE a (id int);", "2_b.up.sql": "CREATE INDEX CONCURRENTLY b ON a (id);"}
    )
    migrator(database, directory).up(to=1)
    with connect(database) as old:
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        old.execute("SELECT count(*) FROM pg_class")
        process = _start(cli, database, directory, "CONCURRENTLY")
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Nothing of it took effect." in stderr
    assert history(database) == [(1, False)]
    assert relations(database) == {"a"}
    assert migrator(database, directory).up()


def test_a_stopped_concurrent_build_that_cannot_be_cleaned_up_says_so(
    database: DatabaseConfig, write_migrations: WriteMigrations, cli: Cli
) -> None:
    directory = write_migrations(
        {"1_a.up.sql": "CREATE TABLE a (id int);", "2_b.up.sql": "CREATE INDEX CONCURRENTLY b ON a (id);"}
    )
    migrator(database, directory).up(to=1)
    options = ("--url", as_url(database), "--dir", str(directory))
    with connect(database) as writer:
        writer.execute("BEGIN")
        writer.execute("LOCK TABLE a IN ROW EXCLUSIVE MODE")
        process = _start(cli, database, directory, "CONCURRENTLY")
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
        assert process.returncode == 130
        assert "0 of its statements took effect; the history is dirty." in stderr
        assert "next: howdah migrate resolve 2" in stderr
    told = cli("migrate", "resolve", "2", *options)
    assert "0 of 1 statements took effect" in told.stdout
    assert "the next one may have, too: line 1: CREATE INDEX CONCURRENTLY b ON a (id)" in told.stdout
    assert "invalid index public.b on a: DROP INDEX it before the migration runs again" in told.stdout
    with connect(database) as connection:
        connection.execute("DROP INDEX b")
    assert cli("migrate", "resolve", "2", "--reverted", *options).code == 0
    assert cli("migrate", "up", *options).code == 0
    assert relations(database) == {"a", "b"}


def test_a_backend_that_is_terminated_is_a_lost_connection_whose_outcome_is_asked_for(
    database: DatabaseConfig, write_migrations: WriteMigrations, cli: Cli
) -> None:
    directory = write_migrations(
        {
            "1_a.up.sql": "CREATE TABLE a (id int);",
            "2_b.up.sql": "CREATE TABLE b (id int); SELECT pg_sleep(60);",
        }
    )
    process = _start(cli, database, directory, "pg_sleep")
    with connect(database) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"
            " AND datname = current_database()"
        )
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 4
    assert "the database is at version 1; 1 migration of this run took effect, 1 did not" in stderr
    assert history(database) == [(1, False)]


def test_statement_timeout_of_a_role_is_told_as_what_it_is(
    database: DatabaseConfig, write_migrations: WriteMigrations, cli: Cli
) -> None:
    directory = write_migrations(
        {"1_a.up.sql": "CREATE TABLE a (id int);", "2_b.up.sql": "SELECT pg_sleep(5);"}
    )
    name = psycopg.sql.Identifier(database.database)
    with connect(database) as connection:
        for setting in ("statement_timeout = '300ms'", "idle_in_transaction_session_timeout = '100ms'"):
            connection.execute(psycopg.sql.SQL("ALTER DATABASE {} SET " + setting).format(name))
    done = cli("migrate", "up", "--url", as_url(database), "--dir", str(directory))
    assert done.code == 4
    assert "2_b.up.sql:1: applying 2 (b) failed: canceling statement due to statement timeout" in done.stderr
    assert history(database) == [(1, False)]
