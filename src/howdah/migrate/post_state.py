"""What an interrupted statement left behind: find it, clear it away, and tell whether the statement took effect."""

from __future__ import annotations

import logging
from collections.abc import Callable

import psycopg

from howdah.findings import Finding, Severity
from howdah.migrate.repeat import Repeat, Repeatable
from howdah.migrate.sql import fetch

_log = logging.getLogger(__name__)


def clear_leftovers(
    connection: psycopg.Connection, found: Repeatable, on_dropped: Callable[[Finding], None]
) -> None:
    """Drop the INVALID indexes that are in the way of a statement, whoever has left them.

    The one it wants to make under its own name (with IF NOT EXISTS PostgreSQL would keep it as it is), or those of an
    interrupted REINDEX CONCURRENTLY. What somebody is building at the moment stays.
    """
    names: list[str] = []
    if found.repeat is Repeat.CREATE_INDEX:
        rows = fetch(connection, "index_state", [found.name, found.table])
        names = [row["name"] for row in rows if not row["is_valid"] and not row["being_built"]]
    elif found.repeat is Repeat.REINDEX and (found.name or found.table):
        names = [row["name"] for row in fetch(connection, "reindex_leftovers", [found.name, found.table])]
    for name in names:
        try:
            connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}".encode())
        except psycopg.errors.InsufficientPrivilege as error:
            _log.debug("%s stays: %s", name, error)  # the statement itself will fail, and say why
        else:
            on_dropped(_dropped(name))


def text_to_run(connection: psycopg.Connection, found: Repeatable, text: str) -> str:
    """The statement to send: the one that is written, or the one that finishes what an interrupted one began."""
    if found.repeat is Repeat.DETACH:
        for row in fetch(connection, "partition_state", [found.name, found.table]):
            if row["is_pending"]:
                return f"ALTER TABLE {found.table} DETACH PARTITION {found.name} FINALIZE"
    return text


def is_in_effect(connection: psycopg.Connection, found: Repeatable) -> bool:
    """Whether what a statement makes is there already, just as it would make it: a valid index of its definition.

    That something is *not* there shows nothing: the statement may have been about a name that never was. It is run
    again, and fails where there is nothing to do.
    """
    if found.repeat is not Repeat.CREATE_INDEX:
        return False
    for row in fetch(connection, "index_state", [found.name, found.table]):
        if row["is_valid"] and row["is_unique"] == found.is_unique:
            return found.if_exists or _body(row["definition"]) == _definition(connection, found)
    return False


def _definition(connection: psycopg.Connection, found: Repeatable) -> str | None:
    """What the server makes of the definition: it builds the index on an empty table of the same columns."""
    unique = "UNIQUE " if found.is_unique else ""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(f"CREATE TEMP TABLE howdah_like (LIKE {found.table})".encode())
            connection.execute(
                f"CREATE {unique}INDEX howdah_like_index ON pg_temp.howdah_like {found.rest}".encode()
            )
            row = connection.execute(
                "SELECT pg_get_indexdef('pg_temp.howdah_like_index'::regclass)"
            ).fetchone()
    except psycopg.Error as error:
        _log.debug("the definition of %s could not be told: %s", found.name, error)
        return None
    return _body(row[0]) if row else None


def _body(definition: str) -> str:
    """What follows the names: method, columns, predicate."""
    return definition.partition(" USING ")[2]


def _dropped(name: str) -> Finding:
    return Finding(
        code="invalid-index-dropped",
        severity=Severity.INFO,
        message=f"{name} was INVALID and has been dropped, to be built anew",
        why="An interrupted build left it. No query uses such an index, and IF NOT EXISTS takes it for the real one.",
    )
