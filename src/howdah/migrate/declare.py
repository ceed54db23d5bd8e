"""Move a history without running anything, because a person says so: resolve a dirty version, take a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from howdah.errors import HistoryMismatch
from howdah.migrate.formats.interface import Format, Keeps, Phase, Query
from howdah.migrate.history import History
from howdah.migrate.migration import Direction, Migration, Source, Step
from howdah.migrate.plan import unknown_version
from howdah.migrate.side_history import record_declaration
from howdah.migrate.sql import run_queries
from howdah.migrate.standing import ancestors, descendants, stand


@dataclass(frozen=True)
class Resolution:
    """The version that was applied last, before and after; None: nothing is."""

    before: str | None
    was_dirty: bool
    after: str | None


def resolve(
    connection: psycopg.Connection,
    format: Format,
    source: Source,
    history: History,
    version: str,
    *,
    applied: bool,
) -> Resolution:
    """Declare `version` applied, or reverted. The history is not dirty there afterwards.

    In a history of one number, everything below `version` is then applied, and nothing above it.

    Raises:
        SourceError: no file has this version, and the history is not dirty at it.
    """
    is_dirty = any(each.version == version and each.is_dirty for each in history.applied)
    migration = Migration(version, "") if is_dirty and not source.find(version) else _find(source, version)
    others = [each.version for each in history.applied if each.version != version]
    before = others[-1] if others else None
    if format.table.keeps is Keeps.NUMBER:
        key = format.files.sort_key
        lower = [each.version for each in source.migrations if key(each.version) < key(version)]
        before = lower[-1] if lower else None
    if format.table.keeps is Keeps.HEADS:
        moves = _move_heads(format, source, history, version, applied=applied)
    else:
        step = Step(migration, Direction.UP, before, version)
        end = Phase.AFTER if applied else Phase.BEFORE
        moves = format.table.record(history.table, step, checksum_of(format, migration), start=None, end=end)
    action = "resolve-applied" if applied else "resolve-reverted"
    _declare(connection, format, history, moves, [(migration, action)])
    return Resolution(history.version, history.dirty is not None, version if applied else before)


def baseline(
    connection: psycopg.Connection, format: Format, source: Source, history: History, version: str
) -> Resolution:
    """Record `version` and all before it as applied, in a database without a history.

    Raises:
        HistoryMismatch: it has one.
        SourceError: no file has this version.
    """
    if history.applied:
        raise HistoryMismatch(
            f"{history.table.sql} is at version {history.version} already",
            code="history-exists",
            why="A baseline is for a database that no migration tool has touched.",
            next=("howdah migrate status", f"howdah migrate resolve {version} --applied"),
        )
    last = source.migrations.index(_find(source, version))
    adopted = source.migrations[: last + 1]
    if format.table.keeps is Keeps.HEADS:  # what stands before it in another branch does not belong to it
        below = ancestors(source, [version])
        adopted = tuple(each for each in adopted if each.version in below)
    moves = format.table.baseline(history.table, [(each, checksum_of(format, each)) for each in adopted])
    _declare(connection, format, history, moves, [(each, "baseline") for each in adopted])
    return Resolution(None, was_dirty=False, after=version)


def _move_heads(
    format: Format, source: Source, history: History, version: str, *, applied: bool
) -> Sequence[Query]:
    """The heads of what is applied, with `version` and all that it builds upon, or without it and all upon it."""
    known = set(stand(format, source, history).applied)
    if applied:
        known |= ancestors(source, [version])
    else:
        known -= descendants(source, [version])
    heads = [
        Step(Migration(each.version, ""), Direction.DOWN, each.version, None) for each in history.applied
    ]
    gone = [
        query
        for head in heads
        for query in format.table.record(history.table, head, None, start=Phase.BEFORE, end=Phase.AFTER)
    ]
    declared = [(each, None) for each in source.migrations if each.version in known]
    return [*gone, *format.table.baseline(history.table, declared)]


def checksum_of(format: Format, migration: Migration) -> str | None:
    """The checksum that the format's table keeps of a migration; None where it keeps none, or there is no file."""
    return format.files.checksum(migration.up.read_bytes()) if migration.up else None


def _find(source: Source, version: str) -> Migration:
    migration = source.find(version)
    if migration is None:
        raise unknown_version(source, version)
    return migration


def _declare(
    connection: psycopg.Connection,
    format: Format,
    history: History,
    moves: Sequence[Query],
    declared: Sequence[tuple[Migration, str]],
) -> None:
    records = [
        record_declaration(history.table, each, action, history.version, format.files)
        for each, action in declared
    ]
    run_queries(connection, [*moves, *(records if history.has_side_history else [])])
