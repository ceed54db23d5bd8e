"""The table of dbmate on a real server: guarded rows, any schema, any width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from fix_db import connect
from howdah.config.database import DatabaseConfig
from howdah.migrate.formats.dbmate import DBMATE
from howdah.migrate.formats.interface import Phase, Query
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Direction, Migration, Step

TABLE = DBMATE.table
FILE = Path("007_a.sql")
UP = Step(Migration("007", "a", FILE, FILE), Direction.UP, None, "007")
DOWN = Step(Migration("007", "a", FILE, FILE), Direction.DOWN, "007", None)


@pytest.fixture
def connection(database: DatabaseConfig) -> Iterator[psycopg.Connection]:
    with connect(database) as connection:
        yield connection


def run(connection: psycopg.Connection, queries: Sequence[Query]) -> None:
    for each in queries:
        psycopg.RawCursor(connection).execute(each.sql.encode(), each.parameters)


def rows(connection: psycopg.Connection, table: HistoryTable) -> list[str]:
    found = psycopg.RawCursor(connection).execute(TABLE.read(table).sql.encode()).fetchall()
    assert not any(row[1] for row in found)
    return [row[0] for row in found]


@pytest.mark.parametrize("schema", ["public", "not there", 'it\'s \\ "quoted" $$'])
def test_the_table_is_made_with_its_schema_once(
    connection: psycopg.Connection, database: DatabaseConfig, schema: str
) -> None:
    table = HistoryTable(database.database, schema, "schema_migrations")

    run(connection, [*TABLE.create(table), *TABLE.create(table)])

    run(connection, TABLE.record(table, UP, None, start=Phase.BEFORE, end=Phase.AFTER))
    assert rows(connection, table) == ["007"]


@pytest.mark.parametrize("column", ["varchar(128) PRIMARY KEY", "varchar(255) PRIMARY KEY", "varchar"])
def test_a_row_comes_and_goes_and_is_never_overwritten(
    connection: psycopg.Connection, database: DatabaseConfig, column: str
) -> None:
    table = HistoryTable(database.database, "public", "schema_migrations")
    connection.execute(f"CREATE TABLE schema_migrations (version {column})".encode())
    with pytest.raises(psycopg.errors.DivisionByZero):
        run(connection, TABLE.record(table, DOWN, None, start=Phase.BEFORE, end=Phase.AFTER))

    run(connection, TABLE.record(table, UP, None, start=Phase.BEFORE, end=Phase.AFTER))
    with pytest.raises(psycopg.errors.DivisionByZero):
        run(connection, TABLE.record(table, UP, None, start=Phase.BEFORE, end=Phase.AFTER))
    run(connection, TABLE.record(table, UP, None, start=None, end=Phase.AFTER))
    assert rows(connection, table) == ["007"]

    run(connection, TABLE.record(table, DOWN, None, start=Phase.BEFORE, end=Phase.AFTER))
    run(connection, TABLE.record(table, DOWN, None, start=None, end=Phase.AFTER))
    assert rows(connection, table) == []


def test_a_baseline_is_taken_in_an_empty_history_only(
    connection: psycopg.Connection, database: DatabaseConfig
) -> None:
    table = HistoryTable(database.database, "public", "schema_migrations")
    run(connection, TABLE.create(table))
    versions = sorted(map(str, range(10_000)), key=DBMATE.files.sort_key)
    declared = [(Migration(each, "a", FILE, FILE), None) for each in versions]

    run(connection, TABLE.baseline(table, declared))

    assert rows(connection, table) == versions
    with pytest.raises(psycopg.errors.DivisionByZero):
        run(connection, TABLE.baseline(table, declared[:1]))
