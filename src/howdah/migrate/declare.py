"""Move a history without running anything, because a person says so: resolve a dirty version, take a baseline."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from howdah.errors import HistoryMismatch, SourceError
from howdah.migrate.checksums import read_content
from howdah.migrate.formats.interface import Format
from howdah.migrate.history import History
from howdah.migrate.migration import Migration, Source
from howdah.migrate.side_history import record_declaration
from howdah.migrate.sql import run_queries


@dataclass(frozen=True)
class Resolution:
    """The history before and after; None: empty."""

    before: int | None
    was_dirty: bool
    after: int | None


def resolve(
    connection: psycopg.Connection,
    format: Format,
    source: Source,
    history: History,
    version: int,
    *,
    applied: bool,
) -> Resolution:
    """Declare `version` applied, or reverted: then the one before it is current. The history is clean afterwards.

    Raises:
        SourceError: no file has this version.
    """
    migration = _find(source, version)
    lower = [each.version for each in source.migrations if each.version < version]
    after = version if applied else (lower[-1] if lower else None)
    action = "resolve-applied" if applied else "resolve-reverted"
    _move(connection, format, history, after, [(migration, action)])
    return Resolution(history.version, history.dirty, after)


def baseline(
    connection: psycopg.Connection,
    format: Format,
    source: Source,
    history: History,
    version: int,
) -> Resolution:
    """Record `version` and all below it as applied, in a database without a history.

    Raises:
        HistoryMismatch: it has one.
        SourceError: no file has this version.
    """
    if history.version is not None or history.dirty:
        raise HistoryMismatch(
            f"{history.table.sql} is at version {history.version} already",
            code="history-exists",
            why="A baseline is for a database that no migration tool has touched.",
            next=("howdah migrate status", f"howdah migrate resolve {version} --applied"),
        )
    _find(source, version)
    adopted = [(each, "baseline") for each in source.migrations if each.version <= version]
    _move(connection, format, history, version, adopted)
    return Resolution(None, was_dirty=False, after=version)


def _find(source: Source, version: int) -> Migration:
    migration = source.find(version)
    if migration is None:
        raise SourceError(
            f"there is no migration {version} in {source.directory}",
            code="unknown-version",
            next=("howdah migrate status",),
        )
    return migration


def _move(
    connection: psycopg.Connection,
    format: Format,
    history: History,
    after: int | None,
    declared: list[tuple[Migration, str]],
) -> None:
    moves = format.move_history(history.table, before=(history.version, history.dirty), after=(after, False))
    records = [
        record_declaration(
            history.table, each, action, history.version, read_content(each.up) if each.up else None
        )
        for each, action in declared
    ]
    run_queries(connection, [*moves, *(records if history.has_side_history else [])])
