"""Read the sizes of a database's tables: from the catalogue and the counters, with any role, on a replica too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import psycopg

from howdah.errors import RefusedError
from howdah.observe.sizes import Stats, TableSize
from howdah.pg.queries import load_queries

_QUERIES = Path(__file__).with_name("sizes.sql")
_KINDS = {"r": "table", "p": "partitioned table", "m": "materialized view"}
# What a table takes for a row where nobody counted: 24 bytes of header and some columns.
_GUESSED_ROW_BYTES = 100
_SETTINGS = (
    "TimeZone",
    "autovacuum",
    "deadlock_timeout",
    "lock_timeout",
    "maintenance_work_mem",
    "max_connections",
    "max_locks_per_transaction",
    "max_parallel_maintenance_workers",
    "max_wal_size",
    "shared_buffers",
    "statement_timeout",
    "wal_level",
)
# A size is read under a lock that waits for whoever alters the table.
_LOCK_LIMIT = "5s"


def read_stats(connection: psycopg.Connection) -> Stats:
    """The sizes and counters of the connection's database; changes nothing, and reads no row of a table.

    Raises:
        RefusedError: a table is being altered for longer than we wait.
    """
    queries = load_queries(_QUERIES)
    with connection.transaction(force_rollback=True):
        connection.execute("SET TRANSACTION READ ONLY")
        connection.execute("SELECT set_config('lock_timeout', %s, true)", [_LOCK_LIMIT])
        row = connection.execute(queries["about"]).fetchone()
        assert row is not None
        server, major, taken_at, is_replica, counted = row
        settings = connection.execute(queries["settings"], {"names": list(_SETTINGS)}).fetchall()
        found = _read_tables(connection)
    return Stats(
        server=server.split()[0],
        major=major,
        taken_at=taken_at,
        is_replica=is_replica,
        counted_seconds=_age(connection) if counted is None else round(counted, 1),
        settings=dict(settings),
        tables=tuple(sorted(_sum_up(found), key=lambda each: each.name)),
    )


class _Found(NamedTuple):
    oid: int
    parent: int | None
    size: TableSize


def _read_tables(connection: psycopg.Connection) -> list[_Found]:
    try:
        rows = connection.execute(load_queries(_QUERIES)["tables"], {}).fetchall()
    except psycopg.errors.LockNotAvailable as error:
        raise RefusedError(
            f"a table is locked for longer than {_LOCK_LIMIT}: its size cannot be read now",
            code="stats-locked",
            why="Somebody alters, truncates or reindexes it; reading a size waits for that.",
            fix="Try again when that is done.",
        ) from error
    return [_found(*row) for row in rows]


def _found(  # noqa: PLR0913, PLR0917 - a row of the query
    oid: int,
    parent: int | None,
    name: str,
    kind: str,
    estimated: float,
    counted: int | None,
    heap: int,
    index: int,
    toast: int,
    reads: int,
    writes: int,
) -> _Found:
    is_guessed = estimated < 0 and kind != "p"
    guess = counted or heap // _GUESSED_ROW_BYTES
    size = TableSize(
        name,
        _KINDS[kind],
        rows=guess if is_guessed else max(round(estimated), 0),
        rows_are_guessed=is_guessed and heap > 0,
        heap_bytes=heap,
        index_bytes=index,
        toast_bytes=toast,
        reads=reads,
        writes=writes,
    )
    return _Found(oid, parent, size)


def _sum_up(found: list[_Found]) -> Iterator[TableSize]:
    """The tables, and partitioned ones with what their partitions have, of all levels."""
    by_oid = {each.oid: each for each in found}
    sums = {each.oid: _nothing(each.size) for each in found if each.size.kind == "partitioned table"}
    for each in found:
        if each.size.kind == "partitioned table":
            continue
        yield each.size
        above = each.parent
        while above is not None and above in sums:
            sums[above] = _add(sums[above], each.size)
            above = by_oid[above].parent
    yield from sums.values()


def _nothing(size: TableSize) -> TableSize:
    """A partitioned table itself holds nothing; what its counters and its own estimate say is in its partitions."""
    return TableSize(size.name, size.kind)


def _add(total: TableSize, part: TableSize) -> TableSize:
    return replace(
        total,
        rows=total.rows + part.rows,
        rows_are_guessed=total.rows_are_guessed or part.rows_are_guessed,
        heap_bytes=total.heap_bytes + part.heap_bytes,
        index_bytes=total.index_bytes + part.index_bytes,
        toast_bytes=total.toast_bytes + part.toast_bytes,
        reads=total.reads + part.reads,
        writes=total.writes + part.writes,
        partitions=total.partitions + 1,
    )


def _age(connection: psycopg.Connection) -> float | None:
    """How long the database exists, where its counters were never reset and the role may know it."""
    queries = load_queries(_QUERIES)
    may = connection.execute(queries["may_ask_age"]).fetchone()
    if may is None or not may[0]:
        return None
    try:
        row = connection.execute(queries["age"]).fetchone()
    except psycopg.Error:
        return None  # a database in a tablespace, or a service that hides its files
    return None if row is None else round(row[0], 1)
