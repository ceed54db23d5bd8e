"""Say which rows made a migration fail: how many, the keys of some, and the query that finds them all.

What a constraint says is read where the migration ran on the same tables without a row; there it succeeds.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from howdah.config.database import DatabaseConfig
from howdah.connect.session import open_session
from howdah.errors import HowdahError, MigrationFailed
from howdah.migrate.migrator import Migrator
from howdah.pg.identifiers import quote_identifier
from howdah.pg.lexer import Kind, read_tokens
from howdah.pg.queries import load_queries
from howdah.rehearse.interrupts import raising_interrupts
from howdah.rehearse.measured import DataFailure, DataFailureKind

_log = logging.getLogger(__name__)
_QUERIES = Path(__file__).with_name("live.sql")
_KINDS = {
    "23505": DataFailureKind.DUPLICATES,
    "23502": DataFailureKind.NULLS,
    "23503": DataFailureKind.ORPHANS,
    "23514": DataFailureKind.CHECK,
}
# "cannot convert infinity to integer" has the code of what is not supported.
_CONSTRAINTS, _CASTS, _NOT_SUPPORTED = "23", "22", "0A000"
_ABOUT_KEYS = "Key "
_VALUE = re.compile(r':? ".*"(?= is out of range|$)', re.DOTALL)
_EXAMPLES = 5
_LIMIT = "60s"


@dataclass(frozen=True, slots=True)
class _Table:
    """A table with rows, and the columns of its primary key."""

    relation: str
    schema: str
    name: str
    key: tuple[str, ...]

    @property
    def selected(self) -> str:
        """What to select of a row: its key; of a table without one, all."""
        return ", ".join(map(quote_identifier, self.key)) or "*"


def explain(
    failed: MigrationFailed, statement: str, migrator: Migrator, rows: DatabaseConfig
) -> DataFailure | None:
    """What in the rows made a statement of a migration fail; None: it was not the rows.

    `migrator` is that of the copy where it failed: that is emptied. `rows` is another copy, with the rows as they were
    before the migration.
    """
    error = failed.__cause__
    if not isinstance(error, psycopg.Error) or not _is_about_rows(error):
        return None
    found = _plain(error)
    try:
        _succeed_without_rows(migrator, failed)
        with open_session(migrator.database) as empty, open_session(rows) as full:
            for session in (empty, full):
                session.execute("SELECT set_config('search_path', '', false)")
            full.execute("SELECT set_config('statement_timeout', %s, false)", [_LIMIT])
            return _with_rows(found, error, statement, empty, full)
    except (HowdahError, psycopg.Error) as trouble:
        # More cannot be said; what failed stands all the same.
        _log.debug("rows of %s are not known: %s", found.message, trouble)
        return found


def _is_about_rows(error: psycopg.Error) -> bool:
    code = error.sqlstate or ""
    return code.startswith((_CONSTRAINTS, _CASTS)) or (code == _NOT_SUPPORTED and "infinity" in str(error))


def _plain(error: psycopg.Error) -> DataFailure:
    """What the server itself says; a detail with a whole row is left out."""
    diag = error.diag
    detail = diag.message_detail or ""
    schema, table = diag.schema_name, diag.table_name
    code = error.sqlstate or ""
    other = DataFailureKind.OTHER if code.startswith(_CONSTRAINTS) else DataFailureKind.CAST
    return DataFailure(
        _KINDS.get(code, other),
        _without_value(error, diag.message_primary or str(error)),
        detail=detail if detail.startswith(_ABOUT_KEYS) else "",
        relation=f"{_shown(schema)}.{_shown(table)}" if schema and table else "",
    )


def hide_values(failed: MigrationFailed) -> None:
    """Take out of an error what it tells of the values in a row; keys stay."""
    error = failed.__cause__
    if not isinstance(error, psycopg.Error):
        return
    said, detail = error.diag.message_primary or "", error.diag.message_detail or ""
    failed.message = failed.message.replace(said, _without_value(error, said))
    if detail and failed.why and not detail.startswith(_ABOUT_KEYS):
        failed.why = failed.why.replace(f" Detail: {detail}", "")


def _without_value(error: psycopg.Error, said: str) -> str:
    """A message about a value that cannot be read ends with it."""
    return _VALUE.sub("", said) if (error.sqlstate or "").startswith(_CASTS) else said


def _shown(name: str) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else quote_identifier(name)


def _succeed_without_rows(migrator: Migrator, failed: MigrationFailed) -> None:
    """Take all rows out of the copy but those of the history, and apply the migration."""
    with migrator.access.session() as session:
        history = migrator.access.look(session).table
    with open_session(migrator.database) as session:
        # Without triggers, where the role may say so.
        session.execute(load_queries(_QUERIES)["no_triggers"])
        for schema, name in session.execute(load_queries(_QUERIES)["tables_to_empty"], {}).fetchall():
            if schema != history.schema or not name.startswith(history.table):
                session.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.Identifier(schema, name)))
    assert failed.failed is not None
    with raising_interrupts():
        replace(migrator, probe=None).up(to=failed.failed)


def _with_rows(
    found: DataFailure,
    error: psycopg.Error,
    statement: str,
    empty: psycopg.Connection,
    full: psycopg.Connection,
) -> DataFailure:
    if found.kind is DataFailureKind.OTHER:
        return found
    if found.kind is DataFailureKind.CAST:
        return _with_cast(found, statement, empty, full)
    diag = error.diag
    table = _table(full, diag.schema_name, diag.table_name)
    if table is None:
        return found
    names = {
        "schema": diag.schema_name,
        "constraint": diag.constraint_name,
        "relation": table.relation,
    }
    query = {
        DataFailureKind.NULLS: lambda: f"{quote_identifier(diag.column_name or '')} IS NULL",
        DataFailureKind.CHECK: lambda: _check(empty, names),
        DataFailureKind.ORPHANS: lambda: _orphans(empty, names),
        DataFailureKind.DUPLICATES: lambda: _duplicates(empty, names, table),
    }[found.kind]()
    if not query:
        return found
    if found.kind is not DataFailureKind.DUPLICATES:
        query = f"SELECT {table.selected} FROM {table.relation} AS a WHERE {query}"
    return _counted(replace(found, relation=table.relation, query=query), table, full)


def _table(session: psycopg.Connection, schema: str | None, name: str | None) -> _Table | None:
    row = _one(session, "relation", {"schema": schema, "name": name})
    return _Table(row[0], row[1], row[2], tuple(row[3])) if row else None


def _check(empty: psycopg.Connection, names: Mapping[str, Any]) -> str:
    row = _one(empty, "check", names)
    return f"NOT ({row[0]})" if row else ""


def _orphans(empty: psycopg.Connection, names: Mapping[str, Any]) -> str:
    row = _one(empty, "foreign_key", names)
    if not row:
        return ""
    parent, columns, keys = row
    filled = [f"a.{quote_identifier(each)} IS NOT NULL" for each in columns]
    equal = " AND ".join(
        f"b.{quote_identifier(key)} = a.{quote_identifier(column)}"
        for column, key in zip(columns, keys, strict=True)
    )
    return " AND ".join([*filled, f"NOT EXISTS (SELECT FROM {parent} AS b WHERE {equal})"])


def _duplicates(empty: psycopg.Connection, names: Mapping[str, Any], table: _Table) -> str:
    row = _one(empty, "unique_index", names)
    if not row:
        return ""
    keys, predicate, nulls_are_equal = row
    wanted = [f"({predicate})"] if predicate else []
    wanted += [] if nulls_are_equal else [f"({key}) IS NOT NULL" for key in keys]
    where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
    return (
        f"SELECT {table.selected} FROM (SELECT *, count(*) OVER (PARTITION BY {', '.join(keys)}) AS howdah_alike"
        f" FROM {table.relation}{where}) AS a WHERE howdah_alike > 1"
    )


def _with_cast(
    found: DataFailure, statement: str, empty: psycopg.Connection, full: psycopg.Connection
) -> DataFailure:
    """Of the columns whose type the migration changes or computes, the first one with values that do not fit."""
    before = {(relation, column): kind for relation, column, kind, _ in _columns(full)}
    for relation, column, kind, computed in _columns(empty):
        was = before.get((relation, column))
        if relation not in {each for each, _ in before} or (was == kind) or (was is None and not computed):
            continue
        expression = computed or _using(statement) or quote_identifier(column)
        parts = _one(full, "names", {"relation": relation})
        table = _table(full, *parts) if parts else None
        if table is None:
            continue
        helper = _fits(relation, table.name, expression, kind)
        full.execute(helper.encode())
        query = f"SELECT {table.selected} FROM {relation} AS a WHERE NOT pg_temp.howdah_fits(a)"
        told = _counted(replace(found, relation=relation, query=query), table, full)
        if told.count:
            return replace(told, query=f"{helper};\n{query}")
    return found


def _fits(relation: str, name: str, expression: str, kind: str) -> str:
    """A function that tries a row; assigned, as ALTER TABLE does, since a cast would cut what is too long."""
    return (
        f"CREATE OR REPLACE FUNCTION pg_temp.howdah_fits(howdah_row {relation}) RETURNS boolean LANGUAGE plpgsql"
        f" AS $howdah$ DECLARE howdah_value {kind}; BEGIN\n"
        f"  SELECT {expression} INTO howdah_value FROM (SELECT (howdah_row).*) AS {quote_identifier(name)};\n"
        "  RETURN true;\n"
        "EXCEPTION WHEN data_exception OR integrity_constraint_violation OR feature_not_supported THEN RETURN false;\n"
        "END $howdah$"
    )


def _using(text: str) -> str:
    """What a statement says behind USING."""
    depth, start = 0, 0
    for kind, begin, end in read_tokens(text):
        depth += (kind is Kind.OPEN) - (kind is Kind.CLOSE)
        if not start and depth == 0 and text[begin:end].upper() == "USING":
            start = end
        elif start and depth == 0 and text[begin:end] in {",", ";"}:
            return text[start:begin].strip()
    return text[start:].strip() if start else ""


def _columns(session: psycopg.Connection) -> list[tuple[str, str, str, str | None]]:
    return session.execute(load_queries(_QUERIES)["columns"], {}).fetchall()


def _counted(found: DataFailure, table: _Table, full: psycopg.Connection) -> DataFailure:
    """How many rows the query finds, and the keys of some; where it cannot run on the rows of before, no more."""
    try:
        row = full.execute(f"SELECT count(*) FROM ({found.query}) AS howdah_found".encode()).fetchone()
        keys = _examples(found, table, full) if table.key else ()
    except psycopg.Error as error:
        _log.debug("%s: %s", found.query, error)
        return found
    assert row is not None
    # The migration made them itself, in a statement before.
    return replace(found, count=row[0], examples=keys) if row[0] else replace(found, query="")


def _examples(found: DataFailure, table: _Table, full: psycopg.Connection) -> tuple[str, ...]:
    ordered = f"{found.query} ORDER BY {table.selected} LIMIT {_EXAMPLES}"
    rows: list[tuple[Any, ...]] = full.execute(ordered.encode()).fetchall()
    return tuple(
        ", ".join(f"{name}={value}" for name, value in zip(table.key, row, strict=True)) for row in rows
    )


def _one(session: psycopg.Connection, query: str, names: Mapping[str, Any]) -> tuple[Any, ...] | None:
    return session.execute(load_queries(_QUERIES)[query], names).fetchone()
