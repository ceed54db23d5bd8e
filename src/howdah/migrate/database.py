"""Read a history from a database: two round trips, no lock, nothing written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from howdah.errors import HistoryMismatch, RefusedError
from howdah.migrate.formats import all_formats
from howdah.migrate.formats.interface import Format, Keeps
from howdah.migrate.history import Applied, History, HistoryTable, Record
from howdah.migrate.sql import fetch, query

_TABLES = {"r", "p"}
_KINDS = {
    "v": "a view",
    "m": "a materialized view",
    "f": "a foreign table",
    "S": "a sequence",
    "i": "an index",
}


@dataclass(frozen=True)
class Look:
    """What the first round trip shows: where the history is, and what kind of server this is.

    `may_fence`: this role may lock the table against other writers.
    """

    table: HistoryTable
    exists: bool
    has_side_history: bool
    read_only: bool
    backend_pid: int
    may_fence: bool = True


def look(
    connection: psycopg.Connection,
    format: Format,
    *,
    schema: str | None,
    table: str | None,
    evidence: str = "",
) -> Look:
    """Find the history table; round trip 1. `evidence`: why the files were taken for this format; empty: it was said.

    Raises:
        HistoryMismatch: something of that name is there and is no table, or not this format's, or hides rows from
            this role; or there is none, and another format's history is, while nobody said the format.
        RefusedError: no schema to look in.
    """
    name = table or format.table.name
    row: dict[str, Any] = fetch(connection, "look", [schema, name])[0]
    if format.follows_search_path and schema is None and row["first_on_path"] not in {None, row["schema"]}:
        return look(connection, format, schema=row["first_on_path"], table=table)
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
    _refuse_unreadable(found, row)
    if columns is not None and not format.table.recognises(columns):
        raise _not_of(format, found, columns)
    if columns is None and table is None and evidence:
        _refuse_other_history(connection, format, where, evidence)
    return Look(
        found,
        columns is not None,
        row["has_side_history"],
        row["read_only"],
        row["backend_pid"],
        row["may_fence"] or columns is None,
    )


def _refuse_unreadable(found: HistoryTable, row: Mapping[str, Any]) -> None:
    """What would read as an empty history, and is none."""
    if row["kind"] is not None and row["kind"] not in _TABLES:
        raise HistoryMismatch(
            f"{found.sql} is {_KINDS.get(row['kind'], 'no table')}",
            code="foreign-history",
            why="A history is a table: what else has its name can be written to in ways that nobody here can foresee.",
            fix="Name the table itself with `history-table` in howdah.toml, or rename this.",
        )
    if row["hides_rows"]:
        raise HistoryMismatch(
            f"{found.sql} hides rows from this role",
            code="hidden-history",
            why="Row security is on for it: what is applied could look pending.",
            fix=f"Migrate as the table's owner, or: ALTER TABLE {found.sql} DISABLE ROW LEVEL SECURITY;",
        )


def _not_of(format: Format, found: HistoryTable, columns: Mapping[str, str]) -> HistoryMismatch:
    """The error of a table by the name of the history that is something else: it names both readings."""
    from howdah.migrate.formats.strangers import name_stranger

    others = [each.name for each in all_formats() if each.table.recognises(columns)]
    whose = f"a history of {others[0]}" if others else name_stranger(columns)
    shown = ", ".join(f"{key} {kind}" for key, kind in columns.items())
    return HistoryMismatch(
        f"{found.sql} is not a history of {format.name}" + (f", but {whose}" if whose else ""),
        code="foreign-history",
        why=f"It has the columns ({shown}).",
        fix=f"If the files are {others[0]}'s, too, say so; otherwise name another history table, or another database."
        if others
        else "Name another history table with `history-table` in howdah.toml, or another database.",
        next=tuple(f"howdah migrate status --format {other}" for other in others),
    )


def _refuse_other_history(connection: psycopg.Connection, format: Format, schema: str, evidence: str) -> None:
    """Where nobody said the format, a database with another tool's history is not begun anew."""
    for other in all_formats():
        if other.name == format.name:
            continue
        columns = fetch(connection, "look", [schema, other.table.name])[0]["columns"]
        if columns is None or not other.table.recognises(columns):
            continue
        name = HistoryTable("", schema, other.table.name).sql
        raise HistoryMismatch(
            f"the files read as migrations of {format.name}, the database has a history of {other.name}",
            code="contradictory-history",
            why=f"For {format.name}: {evidence}. For {other.name}: the columns of {name}.",
            fix="Say whose migrations these are with --format, or `format = ...` in howdah.toml.",
            next=tuple(f"howdah migrate status --format {each.name}" for each in (other, format)),
        )


def read_history(connection: psycopg.Connection, format: Format, at: Look) -> History:
    """The history and the side history; round trip 2.

    Raises:
        HistoryMismatch: the table holds what the tool never writes.
    """
    rows: list[tuple[Any, ...]] = []
    records: list[tuple[Any, ...]] = []
    with connection.pipeline():
        first, second = psycopg.RawCursor(connection), psycopg.RawCursor(connection)
        if at.exists:
            reading = format.table.read(at.table)
            first.execute(reading.sql.encode(), reading.parameters or None)
        if at.has_side_history:
            second.execute(query("read_records"), [at.table.sql])
        rows = first.fetchall() if at.exists else []
        records = second.fetchall() if at.has_side_history else []
    applied = tuple(Applied(*each) for each in rows)
    _refuse_strange_rows(format, at.table, applied)
    known = {each[0]: Record(*each) for each in records}
    if not format.table.marks_running:
        applied = _with_unfinished(applied, known)
    return History(
        at.table,
        exists=at.exists,
        applied=applied,
        records=known,
        has_side_history=at.has_side_history,
        may_fence=at.may_fence,
    )


def _refuse_strange_rows(format: Format, table: HistoryTable, applied: tuple[Applied, ...]) -> None:
    if format.table.keeps is Keeps.NUMBER and len(applied) > 1:
        raise HistoryMismatch(
            f"{table.sql} has more than one row",
            code="foreign-history",
            why=f"A history of {format.name} has one row at most.",
        )
    if any(each.version is None for each in applied):
        raise HistoryMismatch(
            f"{table.sql} has a row without a version",
            code="foreign-history",
            why=f"{format.name} never writes one.",
            fix="Delete the row: what it stands for cannot be told.",
        )


def _with_unfinished(applied: tuple[Applied, ...], records: Mapping[str, Record]) -> tuple[Applied, ...]:
    """Add what the table cannot say: a step of ours that has begun outside a transaction and not ended.

    Where the table meanwhile says that it is done, somebody else has brought it to its end.
    """
    unfinished = [each for each in records.values() if each.finished_at is None]
    if not unfinished:
        return applied
    known = {each.version for each in applied}
    half_up = [each.version for each in unfinished if each.action == "apply" and each.version not in known]
    half_down = {each.version for each in unfinished if each.action == "revert"}
    marked = (replace(each, is_dirty=True) if each.version in half_down else each for each in applied)
    return (*marked, *(Applied(version, is_dirty=True) for version in half_up))
