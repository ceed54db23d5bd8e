"""Run the named statements of queries.sql, and the queries that formats make."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from howdah.migrate.formats.interface import Query
from howdah.pg.queries import load_queries

_QUERIES = Path(__file__).with_name("queries.sql")


def query(name: str) -> LiteralString:
    """The statement of this name, with numbered parameters."""
    return load_queries(_QUERIES)[name]


def fetch(connection: psycopg.Connection, name: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """The rows of a named query."""
    with psycopg.RawCursor(connection, row_factory=dict_row) as cursor:
        return cursor.execute(query(name), parameters or None).fetchall()


def run_queries(connection: psycopg.Connection, queries: list[Query]) -> None:
    """Run queries in one durable transaction, or, inside the body's own, as part of it."""
    is_ours = connection.info.transaction_status == TransactionStatus.IDLE
    with connection.transaction() if is_ours else nullcontext():
        if is_ours:
            connection.execute(query("durably"))
        for each in queries:
            psycopg.RawCursor(connection).execute(each.sql.encode(), each.parameters)
