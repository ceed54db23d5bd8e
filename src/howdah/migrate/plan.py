"""Decide which migrations to run: pure, from the files and the history to a frozen Plan or a precise error."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from pathlib import Path

from howdah.errors import DirtyDatabase, HistoryMismatch, SourceError, Where
from howdah.findings import Finding, Severity
from howdah.migrate.history import History
from howdah.migrate.migration import Direction, Migration, Source

# The version of an empty history, as golang-migrate counts.
NOTHING = -1


@dataclass(frozen=True, slots=True)
class Step:
    """Run one half of a migration; the history goes from `before` to `after` (None: empty)."""

    migration: Migration
    direction: Direction
    before: int | None
    after: int | None

    @property
    def file(self) -> Path:
        """The file that runs: a plan has no step without one."""
        file = self.migration.file(self.direction)
        assert file is not None
        return file


@dataclass(frozen=True)
class Plan:
    """The steps, in order, from the version the database is at; `notes` are things to know that stop nothing."""

    steps: tuple[Step, ...]
    history: History
    notes: tuple[Finding, ...] = ()


# What a record says that leaves its version applied.
_APPLIED_BY = {"apply", "baseline", "resolve-applied"}


class State(Enum):
    """What status says about one migration."""

    APPLIED = "applied"
    PENDING = "pending"
    OUT_OF_ORDER = "out of order"
    MISSING = "missing"
    DIRTY = "dirty"


def plan_up(source: Source, history: History, *, to: int | None = None) -> Plan:
    """The steps that bring the database up to `to`, or to the newest migration.

    Raises:
        DirtyDatabase: a human must look first.
        HistoryMismatch: the current version has no file, or `to` is behind the database.
        SourceError: `to` has no file, or a step has no up half.
    """
    _refuse_dirty(source, history)
    current = _version(history)
    versions = [each.version for each in source.migrations]
    if to is not None and to not in versions:
        raise SourceError(
            f"there is no migration {to}",
            code="unknown-version",
            why=f"{source.directory} has {_range(versions)}.",
            next=("howdah migrate status",),
        )
    if to is not None and to < current:
        raise HistoryMismatch(
            f"the database is at version {current}, past {to}",
            code="target-behind",
            fix="Going back is `down`, never `up`.",
            next=(f"howdah migrate down --to {to}",),
        )
    notes = [*source.notes, *out_of_order(source, history)]
    if current != NOTHING and current not in versions:
        if any(version > current for version in versions):
            raise _no_file(source, current)
        notes.append(_ahead(current, versions))
    last = max(versions, default=NOTHING) if to is None else to
    todo = [each for each in source.migrations if current < each.version <= last]
    for each in todo:
        if each.up is None:
            raise _half_missing(each, Direction.UP)
    before = [history.version, *(each.version for each in todo)]
    steps = tuple(
        Step(each, Direction.UP, old, new) for each, (old, new) in zip(todo, pairwise(before), strict=True)
    )
    return Plan(steps, history, tuple(notes))


def plan_down(source: Source, history: History, *, to: int | None = None) -> Plan:
    """The step that reverts the newest applied migration, or those down to `to` (0: all of them).

    Raises:
        DirtyDatabase, HistoryMismatch, SourceError: as `plan_up`; also where a step has no down half.
    """
    _refuse_dirty(source, history)
    current = _version(history)
    if to is not None and to > current and not (to == 0 and current == NOTHING):
        raise HistoryMismatch(
            f"the database is at version {'none' if current == NOTHING else current}, before {to}",
            code="target-ahead",
            fix="Going forward is `up`, never `down`.",
            next=(f"howdah migrate up --to {to}",),
        )
    if current == NOTHING:
        return Plan((), history, source.notes)
    versions = [each.version for each in source.migrations]
    if current not in versions:
        raise _no_file(source, current)
    if to not in (None, 0) and to not in versions:
        raise SourceError(
            f"there is no migration {to}", code="unknown-version", next=("howdah migrate status",)
        )
    applied = [each for each in source.migrations if each.version <= current]
    stop = _stop(applied, to)
    todo = [each for each in reversed(applied) if each.version > stop]
    previous: dict[int, int | None] = {
        new.version: old.version for old, new in pairwise(applied)
    }  # the first one goes to an empty history
    for each in todo:
        if each.down is None:
            raise _half_missing(each, Direction.DOWN)
    steps = tuple(Step(each, Direction.DOWN, each.version, previous.get(each.version)) for each in todo)
    return Plan(steps, history, (*source.notes, *out_of_order(source, history)))


def _stop(applied: list[Migration], to: int | None) -> int:
    """The version that stays: nothing above it does. `--to 0` empties the history, or stops at a migration 0."""
    if to is None:
        return applied[-2].version if len(applied) > 1 else NOTHING
    return NOTHING if to == 0 and applied[0].version != 0 else to


def states(source: Source, history: History) -> dict[int, State]:
    """Version -> state, for every file, and for what is applied, as far as it is known, and has none."""
    current = _version(history)
    skipped = {finding_version for finding_version, _ in _out_of_order(source, history)}
    result = {}
    for each in source.migrations:
        if each.version in skipped:
            result[each.version] = State.OUT_OF_ORDER
        else:
            result[each.version] = State.APPLIED if each.version <= current else State.PENDING
    known = {record.version for record in history.records.values() if record.action in _APPLIED_BY}
    for version in {current, *known}:
        if NOTHING < version <= current and version not in result:
            result[version] = State.MISSING
    if history.dirty and current in result:
        result[current] = State.DIRTY
    return dict(sorted(result.items()))


def out_of_order(source: Source, history: History) -> tuple[Finding, ...]:
    """A warning for each migration that the history passed by."""
    return tuple(finding for _, finding in _out_of_order(source, history))


def _out_of_order(source: Source, history: History) -> list[tuple[int, Finding]]:
    # A history of one row cannot tell. Ours can: a step that went from `previous` straight to `version`
    # passed by every file between them, unless a later row says that it ran after all.
    current = _version(history)
    jumps = [
        (NOTHING if record.previous is None else record.previous, record.version)
        for record in history.records.values()
        if record.action == "apply" and record.version <= current
    ]
    found = []
    for each in source.migrations:
        if each.version in history.records or each.version >= current:
            continue
        if any(low < each.version < high for low, high in jumps):
            file = each.up or each.down
            found.append(
                (
                    each.version,
                    Finding(
                        code="out-of-order-migration",
                        severity=Severity.WARNING,
                        message=f"migration {each.version} was added after a newer one had been applied;"
                        " it has not run and will not",
                        where=Where(str(file)),
                        why="A golang-migrate history is one number: versions below it are never looked at.",
                        fix="Give the file a version above the newest one.",
                    ),
                )
            )
    return found


def _version(history: History) -> int:
    return NOTHING if history.version is None else history.version


def _refuse_dirty(source: Source, history: History) -> None:
    if history.dirty:
        raise DirtyDatabase(
            f"{history.table.sql} is dirty at {dirty_place(history)}",
            why="A run stopped half-way outside a transaction, or golang-migrate failed or was killed.",
            fix="Look at what ran; then say whether the version counts as applied or as reverted.",
            next=(f"howdah migrate resolve {version_to_resolve(source, history)}",),
        )


def dirty_place(history: History) -> str:
    """Where a dirty history is, in words: golang-migrate writes -1 where it failed reverting the first migration."""
    return (
        "the state before all migrations (-1)" if history.version == NOTHING else f"version {history.version}"
    )


def version_to_resolve(source: Source, history: History) -> int | None:
    """The version to name for `resolve`: the dirty one, or the first, which was being reverted."""
    first = source.migrations[0].version if source.migrations else None
    return first if history.version == NOTHING else history.version


def _no_file(source: Source, current: int) -> HistoryMismatch:
    versions = [each.version for each in source.migrations]
    return HistoryMismatch(
        f"the database is at version {current}, which has no file in {source.directory}",
        code="missing-migration",
        why=f"The directory has {_range(versions)}.",
        fix="Bring the file back, or check that this is the right directory and branch.",
        next=("howdah migrate status",),
    )


def _half_missing(migration: Migration, direction: Direction) -> SourceError:
    other = migration.down if direction is Direction.UP else migration.up
    word = direction.value
    return SourceError(
        f"migration {migration.version} ({migration.name}) has no {word} file",
        code=f"missing-{word}-file",
        where=Where(str(other)),
        why=f"golang-migrate would move the history past it and run nothing: the history would claim"
        f" what did not happen ({word}).",
        fix=f"Add the {word} file; an empty one says that nothing is to do.",
    )


def _ahead(current: int, versions: list[int]) -> Finding:
    return Finding(
        code="database-ahead",
        severity=Severity.WARNING,
        message=f"the database is at version {current}, ahead of these files ({_range(versions)})",
        why="A newer release has migrated it; nothing is to do for this one.",
    )


def _range(versions: list[int]) -> str:
    if not versions:
        return "no migrations"
    return f"versions {versions[0]} to {versions[-1]}" if len(versions) > 1 else f"version {versions[0]} only"
