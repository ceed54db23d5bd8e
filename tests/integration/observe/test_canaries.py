"""Canaries wait as long as others would, and stand in nobody's way."""

from __future__ import annotations

import time

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from fix_db import connect
from howdah.config.database import DatabaseConfig
from howdah.observe.canaries import Flock, Target, canaries

_NOTES = Target('public."Notes; x"', "public", "Notes; x")
_TOTALS = Target("public.totals", "public", "totals", is_view=True)


@pytest.fixture
def session(database: DatabaseConfig) -> psycopg.Connection:
    with connect(database) as connection:
        connection.execute('CREATE TABLE "Notes; x" (id int)')
        connection.execute("CREATE MATERIALIZED VIEW totals AS SELECT 1")
    return psycopg.connect(make_conninfo(**database.conninfo()))


def held(
    database: DatabaseConfig, session: psycopg.Connection, statement: str, seconds: float, *targets: Target
) -> Flock:
    """The canaries of a transaction that holds what the statement locks for so long."""
    with session, canaries(database, targets) as flock:
        session.execute(statement.encode())
        time.sleep(seconds)
        session.commit()
    return flock


def longest(flock: Flock, *, is_writer: bool) -> float:
    return max((each.seconds for each in flock.stalls if each.is_writer is is_writer), default=0.0)


def test_readers_and_writers_wait_for_an_exclusive_lock(
    database: DatabaseConfig, session: psycopg.Connection
) -> None:
    flock = held(database, session, 'ALTER TABLE "Notes; x" ADD COLUMN a int', 0.5, _NOTES)
    assert longest(flock, is_writer=False) > 0.3
    assert longest(flock, is_writer=True) > 0.3


def test_only_writers_wait_for_an_index(database: DatabaseConfig, session: psycopg.Connection) -> None:
    flock = held(database, session, 'CREATE INDEX ON "Notes; x" (id)', 0.5, _NOTES)
    assert longest(flock, is_writer=False) < 0.3 < longest(flock, is_writer=True)


def test_readers_of_a_materialized_view_wait(database: DatabaseConfig, session: psycopg.Connection) -> None:
    flock = held(database, session, "REFRESH MATERIALIZED VIEW totals", 0.5, _TOTALS)
    assert longest(flock, is_writer=False) > 0.3
    assert not any(each.is_writer for each in flock.stalls)


def test_the_wait_for_a_table_that_goes_away_counts(
    database: DatabaseConfig, session: psycopg.Connection
) -> None:
    flock = held(database, session, 'DROP TABLE "Notes; x"', 0.5, _NOTES)
    assert longest(flock, is_writer=False) > 0.3


def test_sessions_are_closed_in_the_end(database: DatabaseConfig, session: psycopg.Connection) -> None:
    held(database, session, "SELECT 1", 0.0, _NOTES, _TOTALS)
    with connect(database) as connection:
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'howdah canary'"
                " AND datname = current_database()"
            ).fetchone()
            if row == (0,):
                return
    pytest.fail("a canary is still there")
