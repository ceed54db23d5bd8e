"""What is known of a dirty version, so that a person can decide: what ran, what is there, who still runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from howdah.migrate.history import History, Record
from howdah.migrate.lock import LockHolder, find_lock_holders
from howdah.migrate.sql import fetch


@dataclass(frozen=True)
class InvalidIndex:
    """An index that a build left unfinished, or that is being built."""

    name: str
    table: str
    being_built: bool


@dataclass(frozen=True)
class Diagnosis:
    """Facts about a dirty history.

    Attributes:
        unfinished: the side history's row of a step of ours that started and did not end; None: the run was
            another tool's, or there is no side history.
        holders: sessions that hold the migration lock: while there is one, the step may still be running.
        invalid_indexes: what CREATE INDEX CONCURRENTLY leaves when it is killed.
    """

    history: History
    unfinished: Record | None
    holders: tuple[LockHolder, ...]
    invalid_indexes: tuple[InvalidIndex, ...]


def diagnose(connection: psycopg.Connection, history: History, *, keys: Sequence[int]) -> Diagnosis:
    """Collect the facts; changes nothing."""
    unfinished = [
        record
        for record in history.records.values()
        if record.finished_at is None and record.action in ("apply", "revert")
    ]
    return Diagnosis(
        history,
        unfinished[-1] if unfinished else None,
        tuple(each for each in find_lock_holders(connection, keys) if each.granted),
        tuple(
            InvalidIndex(row["name"], row["on_table"], row["being_built"])
            for row in fetch(connection, "invalid_indexes")
        ),
    )
