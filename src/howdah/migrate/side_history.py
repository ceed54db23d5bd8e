"""howdah.history: checksums, bodies, who, when and how long, beside the tool's own table.

It is optional: where this role may not create it, migrations run without. The statements for one step are Queries,
to go into the same transaction and the same round trip as the step itself.
"""

from __future__ import annotations

import getpass
import os
import socket
from functools import cache
from typing import TYPE_CHECKING

import psycopg

from howdah.migrate.checksums import Content, read_content
from howdah.migrate.formats.interface import Files, Format, Query
from howdah.migrate.history import History, HistoryTable, Record
from howdah.migrate.migration import Direction, Migration, Source, Step
from howdah.migrate.sql import query, run_queries
from howdah.migrate.standing import State, states

if TYPE_CHECKING:
    from howdah.migrate.script import Script

# Bodies are kept to show what an edited file said; above this size the checksum must do.
_LARGEST_BODY_BYTES = 256 * 1024
_ACTIONS = {Direction.UP: "apply", Direction.DOWN: "revert"}


def create_side_history(connection: psycopg.Connection) -> bool:
    """Make the table where it is missing; False where this role may not."""
    try:
        connection.execute(query("create_side_history"))
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction):
        return False
    except (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateTable, psycopg.errors.DuplicateSchema):
        # Two runs on two histories of one database made it at the same moment.
        return True
    return True


def adopt(connection: psycopg.Connection, format: Format, source: Source, history: History) -> bool:
    """Record what another tool applied, with the checksums of today's files; whether there was any.

    Where the tool keeps no checksums, nobody knows what the files said then. From here on it is known when they change.
    """
    state_of = states(format, source, history)
    unknown = [
        each
        for each in source.migrations
        if state_of[each.version] is State.APPLIED and _is_unknown(history.records.get(each.version))
    ]
    if not history.has_side_history or not unknown:
        return False
    checksums = {each.version: each.checksum for each in history.applied}
    queries = [
        record_declaration(
            history.table,
            each,
            "baseline",
            history.version,
            None if _was_edited(format, each, checksums.get(each.version)) else format.files,
        )
        for each in unknown
    ]
    run_queries(connection, queries)
    return True


def _was_edited(format: Format, migration: Migration, checksum: str | None) -> bool:
    """Whether the tool's own checksum shows that its file says something else than what was applied."""
    if migration.up is None or checksum is None:
        return False
    return format.files.checksum(migration.up.read_bytes()) != checksum


def _is_unknown(record: Record | None) -> bool:
    # What we reverted, and is applied all the same, somebody else applied again.
    return record is None or record.action in ("revert", "resolve-reverted")


def record_step(table: HistoryTable, step: Step, script: Script) -> Query:
    """The statement that records a step in the transaction that did it."""
    return Query(query("add_record"), _parameters(table, step, script))


def record_start(table: HistoryTable, step: Step, script: Script) -> Query:
    """The statement that records that a step outside a transaction has started."""
    return Query(query("begin_record"), _parameters(table, step, script))


def record_progress(table: HistoryTable, step: Step, done: int) -> Query:
    """The statement that records how far such a step has come."""
    return Query(query("advance_record"), (table.sql, step.migration.version, str(done)))


def record_end(table: HistoryTable, step: Step) -> Query:
    """The statement that records that such a step is done."""
    return Query(query("finish_record"), (table.sql, step.migration.version))


def drop_start(table: HistoryTable, step: Step) -> Query:
    """The statement that takes back `record_start`: the step did nothing after all."""
    return Query(query("drop_record"), (table.sql, step.migration.version))


def record_foreign(table: HistoryTable, step: Step, content: Content, *, seconds: float) -> Query:
    """The statement that records a step that its own tool has run, in so many seconds."""
    values = _values(table, step.migration, _ACTIONS[step.direction], step.before, content, statements=0)
    return Query(query("add_foreign_record"), (*values, str(seconds)))


def record_declaration(
    table: HistoryTable, migration: Migration, action: str, previous: str | None, files: Files | None
) -> Query:
    """The statement that records what a person, or another tool's history, says: nothing was run.

    With what the file says now, as `files` read it; None: that is not what was applied. Raises OSError: cannot be read.
    """
    content = read_content(files, migration.up) if files and migration.up else None
    return Query(query("add_record"), _values(table, migration, action, previous, content, statements=0))


def _parameters(table: HistoryTable, step: Step, script: Script) -> tuple[str | None, ...]:
    action = _ACTIONS[step.direction]
    return _values(
        table, step.migration, action, step.before, script.content, statements=len(script.statements)
    )


def _values(
    table: HistoryTable,
    migration: Migration,
    action: str,
    previous: str | None,
    content: Content | None,
    *,
    statements: int,
) -> tuple[str | None, ...]:
    return (
        table.sql,
        migration.version,
        migration.name,
        action,
        previous,
        _bytea(content.checksum if content else None),
        _bytea(content.normal_checksum if content else None),
        content.text if content and content.size_bytes <= _LARGEST_BODY_BYTES else None,
        str(statements),
        _client(),
    )


def _bytea(raw: bytes | None) -> str | None:
    return None if raw is None else f"\\x{raw.hex()}"


@cache
def _client() -> str:
    """Who runs us, where: `deploy@web-1`, as the operating system says."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
