"""What is known of a dirty version, so that a person can decide: what ran, what is there, who still runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import psycopg

from howdah.errors import HowdahError
from howdah.migrate.formats.interface import Format, Keeps
from howdah.migrate.history import Applied, History, Record
from howdah.migrate.lock import LockHolder, find_lock_holders, lock_keys
from howdah.migrate.migration import Direction, Migration, Source, Step
from howdah.migrate.script import load_script
from howdah.migrate.sql import fetch
from howdah.migrate.standing import unfinished_record
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
        means: what the mark says where no run of ours has left it; empty: nothing beyond that.
    """

    history: History
    unfinished: Record | None
    suspects: tuple[Suspect, ...]
    next_statement: Statement | None
    holders: tuple[LockHolder, ...]
    invalid_indexes: tuple[InvalidIndex, ...]
    means: str = ""


def diagnose(connection: psycopg.Connection, format: Format, source: Source, history: History) -> Diagnosis:
    """Collect the facts; changes nothing."""
    unfinished = unfinished_record(format, history)
    suspects = find_suspects(format, source, history)
    keys = lock_keys(format, history.table)
    return Diagnosis(
        history,
        unfinished,
        tuple(replace(each, traces=_traces(connection, format, each.migration)) for each in suspects),
        _next_statement(format, unfinished, suspects),
        tuple(each for each in find_lock_holders(connection, keys) if each.granted),
        tuple(
            InvalidIndex(row["name"], row["on_table"], row["being_built"])
            for row in fetch(connection, "invalid_indexes")
        ),
        means=format.dirty_means if history.dirty and not unfinished else "",
    )


def find_suspects(format: Format, source: Source, history: History) -> tuple[Suspect, ...]:
    """The steps that a dirty history may stand for: one where the side history knows, otherwise up to two."""
    dirty = history.dirty
    if dirty is None:
        return ()
    if record := unfinished_record(format, history):
        migration = source.find(record.version)
        direction = Direction.UP if record.action == "apply" else Direction.DOWN
        return (Suspect(migration, direction),) if migration else ()
    at = source.find(dirty.version)
    found = (Suspect(at, Direction.UP),) if at else ()
    above = _above(format, source, dirty) if format.table.keeps is Keeps.NUMBER else None
    return (*found, Suspect(above, Direction.DOWN)) if above and above.down else found


def _above(format: Format, source: Source, dirty: Applied) -> Migration | None:
    key = format.files.sort_key
    return next((each for each in source.migrations if key(each.version) > key(dirty.version)), None)


def _traces(connection: psycopg.Connection, format: Format, migration: Migration) -> tuple[Trace, ...]:
    if migration.up is None or migration.foreign:
        return ()
    try:
        step = Step(migration, Direction.UP, None, migration.version)
        return find_traces(connection, load_script(format, step))
    except HowdahError:  # a file that cannot run, which the plan will say
        return ()


def _next_statement(format: Format, record: Record | None, suspects: Sequence[Suspect]) -> Statement | None:
    if record is None or not suspects:
        return None
    suspect = suspects[0]
    try:
        script = load_script(format, Step(suspect.migration, suspect.direction, None, None))
    except HowdahError:
        return None
    if script.content.checksum != record.checksum:
        return None
    return next(iter(script.statements[record.statements_done :]), None)
