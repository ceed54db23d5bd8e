"""Read a history from a database: two round trips, no lock, nothing written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from howdah.errors import HistoryMismatch, RefusedError
from howdah.migrate.formats.interface import Format
from howdah.migrate.history import History, HistoryTable, Record
from howdah.migrate.sql import fetch, query


@dataclass(frozen=True)
class Look:
    """What the first round trip shows: where the history is, and what kind of server this is."""

    table: HistoryTable
    exists: bool
    has_side_history: bool
    read_only: bool
    backend_pid: int


def look(
    connection: psycopg.Connection,
    format: Format,
    *,
    schema: str | None,
    table: str | None,
) -> Look:
    """Find the history table; round trip 1.

    Raises:
        HistoryMismatch: a table of that name is there and is not this format's.
        RefusedError: no schema to look in.
    """
    name = table or format.table
    row: dict[str, Any] = fetch(connection, "look", [schema, name])[0]
    where = schema or row["schema"]
    if where is None:
        raise RefusedError(
            "this session has no schema",
            code="no-schema",
            why="No schema of the role's search_path exists, or the role may not use any.",
            fix="Create it, or grant USAGE on it.",
        )
    found = HistoryTable(row["database"], where, name)
    columns = row["columns"]
    if columns is not None and any(columns.get(key) != kind for key, kind in format.columns.items()):
        shown = ", ".join(f"{key} {kind}" for key, kind in columns.items())
        raise HistoryMismatch(
            f"{found.sql} is not a history of {format.name}",
            code="foreign-history",
            why=f"It has the columns ({shown}), not {', '.join(format.columns)}: another tool's, or an application's.",
            fix="Name another history table, or another database.",
        )
    return Look(
        found,
        columns is not None,
        row["has_side_history"],
        row["read_only"],
        row["backend_pid"],
    )


def read_history(connection: psycopg.Connection, format: Format, at: Look) -> History:
    """The history and the side history; round trip 2.

    Raises:
        HistoryMismatch: the table has more than one row.
    """
    rows: list[tuple[int, bool]] = []
    records: list[tuple[Any, ...]] = []
    with connection.pipeline():
        first, second = psycopg.RawCursor(connection), psycopg.RawCursor(connection)
        if at.exists:
            first.execute(format.read_history(at.table).sql.encode())
        if at.has_side_history:
            second.execute(query("read_records"), [at.table.sql])
        rows = first.fetchall() if at.exists else []
        records = second.fetchall() if at.has_side_history else []
    if len(rows) > 1:
        raise HistoryMismatch(
            f"{at.table.sql} has more than one row",
            code="foreign-history",
            why=f"A history of {format.name} has one row at most.",
        )
    version, dirty = rows[0] if rows else (None, False)
    return History(
        at.table,
        exists=at.exists,
        version=version,
        dirty=dirty,
        records={each[0]: Record(*each) for each in records},
        has_side_history=at.has_side_history,
    )
