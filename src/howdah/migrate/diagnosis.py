"""What is known of a dirty version, so that a person can decide: what ran, what is there, who still runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import psycopg

from howdah.errors import HowdahError
from howdah.migrate.history import History, Record
from howdah.migrate.lock import LockHolder, find_lock_holders
from howdah.migrate.migration import Direction, Migration, Source
from howdah.migrate.script import load_script
from howdah.migrate.sql import fetch
from howdah.migrate.traces import Trace, find_traces
from howdah.pg.statements import Statement


@dataclass(frozen=True)
class InvalidIndex:
    """An index that a build left unfinished, or that is being built."""

    name: str
    table: str
    being_built: bool


@dataclass(frozen=True, slots=True)
class Suspect:
    """A step that may have been under way when the history became dirty.

    `traces` are what its migration makes, and what of it is there.
    """

    migration: Migration
    direction: Direction
    traces: tuple[Trace, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """Facts about a dirty history.

    Attributes:
        unfinished: the side history's row of a step of ours that started and did not end; None: the run was
            another tool's, or there is no side history.
        suspects: the step it was. A history of golang-migrate names the version it was moving to, so there the
            step may have been that version's up half or the next one's down half.
        next_statement: of a step of ours, the first statement of which nobody knows whether it took effect.
        holders: sessions that hold the migration lock: while there is one, the step may still be running.
        invalid_indexes: what CREATE INDEX CONCURRENTLY leaves when it is killed.
    """

    history: History
    unfinished: Record | None
    suspects: tuple[Suspect, ...]
    next_statement: Statement | None
    holders: tuple[LockHolder, ...]
    invalid_indexes: tuple[InvalidIndex, ...]


def diagnose(
    connection: psycopg.Connection, source: Source, history: History, *, keys: Sequence[int]
) -> Diagnosis:
    """Collect the facts; changes nothing."""
    unfinished = _unfinished(history)
    suspects = find_suspects(source, history)
    return Diagnosis(
        history,
        unfinished,
        tuple(replace(each, traces=_traces(connection, each.migration)) for each in suspects),
        _next_statement(unfinished, suspects),
        tuple(each for each in find_lock_holders(connection, keys) if each.granted),
        tuple(
            InvalidIndex(row["name"], row["on_table"], row["being_built"])
            for row in fetch(connection, "invalid_indexes")
        ),
    )


def find_suspects(source: Source, history: History) -> tuple[Suspect, ...]:
    """The steps that a dirty history may stand for: one where the side history knows, otherwise up to two."""
    if not history.dirty:
        return ()
    if record := _unfinished(history):
        migration = source.find(record.version)
        direction = Direction.UP if record.action == "apply" else Direction.DOWN
        return (Suspect(migration, direction),) if migration else ()
    assert history.version is not None  # a dirty history has a row
    at = source.find(history.version)
    above = next((each for each in source.migrations if each.version > history.version), None)
    found = [Suspect(at, Direction.UP)] if at else []
    return (*found, Suspect(above, Direction.DOWN)) if above and above.down else tuple(found)


def _traces(connection: psycopg.Connection, migration: Migration) -> tuple[Trace, ...]:
    try:
        return find_traces(connection, load_script(migration.up)) if migration.up else ()
    except HowdahError:  # a file that cannot run, which the plan will say
        return ()


def _unfinished(history: History) -> Record | None:
    """Our step that made the history dirty. An older one does not count: somebody has moved the history since."""
    if not history.dirty or history.version is None:
        return None
    for record in history.records.values():
        is_up = record.action == "apply" and record.version == history.version
        is_down = record.action == "revert" and record.version > history.version
        if record.finished_at is None and (is_up or is_down):
            return record
    return None


def _next_statement(record: Record | None, suspects: Sequence[Suspect]) -> Statement | None:
    if record is None or not suspects:
        return None
    file = suspects[0].migration.file(suspects[0].direction)
    try:
        script = load_script(file) if file else None
    except HowdahError:
        return None
    if script is None or script.content.checksum != record.checksum:
        return None
    return next(iter(script.statements[record.statements_done :]), None)
