"""The table of sqlx on a real server: each phase of a step, guarded, with the server's own durations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from fix_db import connect
from howdah.config.database import DatabaseConfig
from howdah.migrate.formats.interface import Phase, Query
from howdah.migrate.formats.sqlx import SQLX
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Direction, Migration, Step

TABLE = SQLX.table
LARGEST = Migration(str(2**63 - 1), "create_%s_'users'", Path("1_a.up.sql"), Path("1_a.down.sql"))
UP = Step(LARGEST, Direction.UP, None, LARGEST.version)
DOWN = Step(LARGEST, Direction.DOWN, LARGEST.version, None)
CHECKSUM = "ab" * 48


@pytest.fixture
def connection(database: DatabaseConfig) -> Iterator[psycopg.Connection]:
    with connect(database) as connection:
        yield connection


@pytest.fixture
def table(connection: psycopg.Connection, database: DatabaseConfig) -> HistoryTable:
    table = HistoryTable(database.database, "public", "_sqlx_migrations")
    run(connection, [*TABLE.create(table), *TABLE.create(table)])
    return table


def run(connection: psycopg.Connection, queries: Sequence[Query]) -> None:
    for each in queries:
        psycopg.RawCursor(connection).execute(each.sql.encode(), each.parameters)


def rows(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        "SELECT version, description, success, encode(checksum, 'hex'), execution_time FROM _sqlx_migrations"
    ).fetchall()


def test_a_transactional_step_is_one_row_with_the_time_since_its_transaction_began(
    connection: psycopg.Connection, table: HistoryTable
) -> None:
    with connection.transaction():
        connection.execute("SELECT pg_sleep(0.02)")
        run(connection, TABLE.record(table, UP, CHECKSUM, start=Phase.BEFORE, end=Phase.AFTER))

    ((version, description, success, checksum, nanoseconds),) = rows(connection)
    assert (version, description, success, checksum) == (2**63 - 1, "create %s 'users'", True, CHECKSUM)
    assert isinstance(nanoseconds, int)
    assert 20_000_000 <= nanoseconds < 20_000_000_000

    run(connection, TABLE.record(table, DOWN, CHECKSUM, start=Phase.BEFORE, end=Phase.AFTER))
    assert rows(connection) == []


def test_a_step_outside_is_marked_not_successful_until_it_ends(
    connection: psycopg.Connection, table: HistoryTable
) -> None:
    run(connection, TABLE.record(table, UP, CHECKSUM, start=Phase.BEFORE, end=Phase.RUNNING))
    assert rows(connection) == [(2**63 - 1, "create %s 'users'", False, CHECKSUM, -1)]

    connection.execute("SELECT pg_sleep(0.02)")
    run(connection, TABLE.record(table, UP, CHECKSUM, start=Phase.RUNNING, end=Phase.AFTER))
    ((_, _, success, _, nanoseconds),) = rows(connection)
    assert success is True
    assert isinstance(nanoseconds, int)
    assert nanoseconds >= 20_000_000

    run(connection, TABLE.record(table, DOWN, CHECKSUM, start=Phase.BEFORE, end=Phase.RUNNING))
    assert [row[2] for row in rows(connection)] == [False]
    run(connection, TABLE.record(table, DOWN, CHECKSUM, start=Phase.RUNNING, end=Phase.BEFORE))
    assert rows(connection) == [(2**63 - 1, "create %s 'users'", True, CHECKSUM, nanoseconds)]


@pytest.mark.parametrize(
    ("step", "start", "end"),
    [
        (UP, Phase.BEFORE, Phase.AFTER),
        (UP, Phase.BEFORE, Phase.RUNNING),
        (UP, Phase.RUNNING, Phase.AFTER),
        (UP, Phase.RUNNING, Phase.BEFORE),
        (DOWN, Phase.RUNNING, Phase.AFTER),
    ],
)
def test_a_history_that_is_elsewhere_is_not_overwritten(
    connection: psycopg.Connection, table: HistoryTable, step: Step, start: Phase, end: Phase
) -> None:
    run(connection, TABLE.record(table, UP, "00", start=None, end=Phase.AFTER))
    before = rows(connection)

    with pytest.raises(psycopg.errors.DivisionByZero):
        run(connection, TABLE.record(table, step, CHECKSUM, start=start, end=end))

    assert rows(connection) == before


def test_a_row_is_forced_and_its_checksum_kept_where_no_file_gives_one(
    connection: psycopg.Connection, table: HistoryTable
) -> None:
    for phase in (Phase.AFTER, Phase.RUNNING, Phase.AFTER):
        run(connection, TABLE.record(table, UP, CHECKSUM, start=None, end=phase))
        assert [row[2:4] for row in rows(connection)] == [(phase is Phase.AFTER, CHECKSUM)]

    run(connection, TABLE.record(table, UP, None, start=None, end=Phase.AFTER))
    assert [row[3] for row in rows(connection)] == [CHECKSUM]

    run(connection, TABLE.bless(table, LARGEST.version, "cd" * 48))
    assert [row[3] for row in rows(connection)] == ["cd" * 48]

    run(connection, TABLE.record(table, UP, None, start=None, end=Phase.BEFORE))
    assert rows(connection) == []


def test_a_baseline_is_taken_in_an_empty_history_only(
    connection: psycopg.Connection, table: HistoryTable
) -> None:
    declared = [(Migration(str(each), 'a_"b"_\\', Path("a")), CHECKSUM) for each in range(10_000)]

    run(connection, TABLE.baseline(table, declared))

    found = rows(connection)
    assert len(found) == 10_000
    assert found[7] == (7, 'a "b" \\', True, CHECKSUM, -1)
    with pytest.raises(psycopg.errors.DivisionByZero):
        run(connection, TABLE.baseline(table, declared[:1]))


def test_rows_of_sqlx_0_6_and_of_a_killed_0_7_are_read(
    connection: psycopg.Connection, table: HistoryTable
) -> None:
    connection.execute(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES"
        " (10, 'ten', TRUE, '\\xab', 123), (9, 'nine', TRUE, '\\xcd', -1), (-1, 'less', FALSE, '', 0)"
    )

    found = psycopg.RawCursor(connection).execute(TABLE.read(table).sql.encode()).fetchall()

    assert [row[:3] for row in found] == [("-1", True, ""), ("9", False, "cd"), ("10", False, "ab")]
    assert all(row[3] is not None for row in found)
