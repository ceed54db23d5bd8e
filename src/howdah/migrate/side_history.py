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

from howdah.migrate.formats.interface import Query
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Direction
from howdah.migrate.plan import Step
from howdah.migrate.sql import query

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


def record_step(table: HistoryTable, step: Step, script: Script) -> Query:
    """The statement that records a step in the transaction that did it."""
    return Query(query("add_record"), _parameters(table, step, script))


def record_start(table: HistoryTable, step: Step, script: Script) -> Query:
    """The statement that records that a step outside a transaction has started."""
    return Query(query("begin_record"), _parameters(table, step, script))


def record_progress(table: HistoryTable, step: Step, done: int) -> Query:
    """The statement that records how far such a step has come."""
    return Query(query("advance_record"), (table.sql, str(step.migration.version), str(done)))


def record_end(table: HistoryTable, step: Step) -> Query:
    """The statement that records that such a step is done."""
    return Query(query("finish_record"), (table.sql, str(step.migration.version)))


def drop_start(table: HistoryTable, step: Step) -> Query:
    """The statement that takes back `record_start`: the step did nothing after all."""
    return Query(query("drop_record"), (table.sql, str(step.migration.version)))


def record_declaration(
    table: HistoryTable, version: int, name: str, action: str, previous: int | None, script: Script | None
) -> Query:
    """The statement that records what a person declared: a baseline or a resolution."""
    return Query(query("add_record"), _values(table, version, name, action, previous, script))


def _parameters(table: HistoryTable, step: Step, script: Script) -> tuple[str | None, ...]:
    migration = step.migration
    return _values(table, migration.version, migration.name, _ACTIONS[step.direction], step.before, script)


def _values(
    table: HistoryTable, version: int, name: str, action: str, previous: int | None, script: Script | None
) -> tuple[str | None, ...]:
    return (
        table.sql,
        str(version),
        name,
        action,
        None if previous is None else str(previous),
        None if script is None else f"\\x{script.checksum.hex()}",
        None if script is None else f"\\x{script.normal_checksum.hex()}",
        script.text if script is not None and script.size_bytes <= _LARGEST_BODY_BYTES else None,
        str(0 if script is None else len(script.statements)),
        _client(),
    )


@cache
def _client() -> str:
    """Who runs us, where: `deploy@web-1`, as the operating system says."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
