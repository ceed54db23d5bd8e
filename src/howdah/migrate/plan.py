"""Decide which migrations to run: pure, from the files and the history to a frozen Plan or a precise error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from howdah.config.project import ForeignSettings
from howdah.errors import ConfigError, DirtyDatabase, HistoryMismatch, SourceError, Where
from howdah.findings import Finding, Severity
from howdah.migrate.formats.interface import Format, Keeps, OutOfOrder
from howdah.migrate.history import NOTHING, History
from howdah.migrate.migration import Direction, Migration, Source, Step
from howdah.migrate.standing import Standing, ancestors, descendants, stand, unfinished_record

_WILL = {
    OutOfOrder.APPLY: ", and runs late",
    OutOfOrder.REFUSE: ": `up` stops at it",
    OutOfOrder.SKIP: " and will not",
}


@dataclass(frozen=True)
class Plan:
    """The steps, in order, from where the database is; `notes` are things to know that stop nothing."""

    format: Format
    source: Source
    history: History
    steps: tuple[Step, ...] = ()
    notes: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Wish:
    """What a run is for: how its plan is made, and which version, left half-done, it may go on with."""

    source: Source
    make_plan: Callable[[History], Plan]
    may_resume: Callable[[str], bool] = lambda _: False


def plan_up(
    format: Format,
    source: Source,
    history: History,
    *,
    to: str | None = None,
    out_of_order: OutOfOrder | None = None,
) -> Plan:
    """The steps that bring the database up to `to`, or to the newest migration.

    `out_of_order` says what becomes of a pending migration older than the newest applied one; None: what the tool does.

    Raises:
        DirtyDatabase: a human must look first.
        HistoryMismatch: an applied version has no file and the tool would stop at that, a migration is out of order
            and the policy says refuse, or `to` is behind the database.
        SourceError: `to` has no file, or a step has no up half.
    """
    refuse_dirty(format, source, history)
    standing = stand(format, source, history)
    if to is not None:
        _check_target_up(format, source, standing, to)
    notes = [*source.notes, *_without_file(format, source, standing)]
    todo = _pending(format, source, standing, to)
    late, more = _late(format, standing, out_of_order_policy(format, standing, out_of_order))
    notes += more
    todo = late + todo  # what is late is older than the newest applied one, which `to` is not behind
    before = standing.current
    steps = []
    for each in todo:
        if each.up is None:
            raise half_missing(format, each, Direction.UP)
        after = before if each.repeats else each.version
        steps.append(Step(each, Direction.UP, before, after))
        before = after
    return Plan(format, source, history, tuple(steps), tuple(notes))


def plan_down(format: Format, source: Source, history: History, *, to: str | None = None) -> Plan:
    """The step that reverts the migration applied last, or those down to `to` ("0": all of them).

    Raises:
        DirtyDatabase, HistoryMismatch, SourceError: as `plan_up`; also where a step has no down half.
    """
    refuse_dirty(format, source, history)
    standing = stand(format, source, history)
    is_all = to == "0" and source.find("0") is None
    if to is not None and not is_all:
        _check_target_down(format, source, standing, to)
    notes = (*source.notes, *out_of_order_notes(format, standing, OutOfOrder.SKIP))
    if not standing.applied:
        return Plan(format, source, history, (), notes)
    todo = [*standing.applied] if is_all else _to_revert(format, source, standing, to)
    left, gone, steps = list(standing.applied), set[str](), []
    for version in reversed(todo):
        migration = source.find(version)
        if migration is None:
            raise _no_file(source, standing, version)
        if migration.down is None:
            goes_back = any(each.down for each in source.migrations)
            raise half_missing(format, migration, Direction.DOWN, goes_back=goes_back)
        gone.add(version)
        while left and left[-1] in gone:
            left.pop()
        steps.append(Step(migration, Direction.DOWN, version, left[-1] if left else None))
    return Plan(format, source, history, tuple(steps), notes)


def out_of_order_policy(format: Format, standing: Standing, said: OutOfOrder | None) -> OutOfOrder:
    """What becomes of a migration out of order: what somebody said, or what the tool does."""
    # In a database ahead of its files such a tool does nothing at all.
    theirs = OutOfOrder.SKIP if standing.ahead and format.table.refuses_changes else format.table.out_of_order
    return said or theirs


def out_of_order_notes(format: Format, standing: Standing, policy: OutOfOrder) -> tuple[Finding, ...]:
    """A warning for each migration that is older than the newest applied one."""
    one_number = format.table.keeps is Keeps.NUMBER
    return tuple(
        Finding(
            code="out-of-order-migration",
            severity=Severity.WARNING,
            message=f"migration {each.version} was added after a newer one had been applied; it has not run"
            + _WILL[policy],
            where=each.where,
            why=f"A {format.name} history is one number: versions below it are never looked at."
            if one_number
            else "Elsewhere it may have run in another order, before the newer ones.",
            fix="Give the file a version above the newest one."
            if one_number
            else "Let it run with --out-of-order apply, or give the file a version above the newest one.",
        )
        for each in standing.out_of_order
    )


def _pending(format: Format, source: Source, standing: Standing, to: str | None) -> list[Migration]:
    if to is None:
        return list(standing.pending)
    if format.table.keeps is Keeps.HEADS:
        wanted = ancestors(source, [to])
        return [each for each in standing.pending if each.version in wanted]
    key = format.files.sort_key
    return [each for each in standing.pending if key(each.version) <= key(to)]


def _late(
    format: Format, standing: Standing, policy: OutOfOrder
) -> tuple[list[Migration], tuple[Finding, ...]]:
    """The migrations out of order that run, and what to say of all of them."""
    notes = out_of_order_notes(format, standing, policy)
    if policy is OutOfOrder.APPLY:
        if format.table.keeps is Keeps.NUMBER:
            raise ConfigError(
                f"a history of {format.name} cannot record a migration out of order",
                code="out-of-order-unrecordable",
                why="It is one number: what is below it counts as applied.",
                fix="Use --out-of-order skip or refuse, and give the file a version above the newest one.",
            )
        return list(standing.out_of_order), notes
    if policy is OutOfOrder.REFUSE and standing.out_of_order:
        first = standing.out_of_order[0]
        names = ", ".join(each.version for each in standing.out_of_order)
        raise HistoryMismatch(
            f"out of order, older than what is applied: {names}",
            code="out-of-order-migration",
            where=first.where,
            why=f"{standing.current} was applied before {'it' if len(standing.out_of_order) == 1 else 'them'};"
            " elsewhere they may have run the other way round.",
            fix="Give the file a version above the newest one; or let it run late, or leave it out.",
            next=("howdah migrate up --out-of-order apply", "howdah migrate up --out-of-order skip"),
        )
    return [], notes


def _without_file(format: Format, source: Source, standing: Standing) -> list[Finding]:
    """What is to be said of applied versions without a file.

    Raises:
        HistoryMismatch: the tool itself would not go on, or nobody can say what comes next.
    """
    notes = []
    if standing.missing:
        is_lost = format.table.keeps is Keeps.NUMBER and standing.current in standing.missing
        if is_lost or format.table.refuses_changes:
            raise _no_file(source, standing, standing.missing[-1])
        notes.append(
            Finding(
                code="missing-migration",
                severity=Severity.WARNING,
                message=f"applied, and without a file here: {shown(standing.missing)}",
                why="The files were deleted, renumbered or squashed.",
            )
        )
    if standing.ahead:
        notes.append(_ahead(format, source, standing))
    return notes


def _check_target_up(format: Format, source: Source, standing: Standing, to: str) -> None:
    current = standing.current
    if source.find(to) is None and to != current:
        raise unknown_version(source, to)
    if format.table.keeps is Keeps.HEADS:
        return
    newest = max(standing.applied, key=format.files.sort_key, default=None)
    if newest is not None and format.files.sort_key(to) < format.files.sort_key(newest):
        raise HistoryMismatch(
            f"the database is at version {newest}, past {to}",
            code="target-behind",
            fix="Going back is `down`, never `up`.",
            next=(f"howdah migrate down --to {to}",),
        )


def _check_target_down(format: Format, source: Source, standing: Standing, to: str) -> None:
    if source.find(to) is None and to not in standing.applied:
        raise unknown_version(source, to)
    newest = max(standing.applied, key=format.files.sort_key, default=None)
    if to not in standing.applied and (
        format.table.keeps is Keeps.HEADS
        or newest is None
        or format.files.sort_key(to) > format.files.sort_key(newest)
    ):
        raise HistoryMismatch(
            f"the database is at version {standing.current or 'none'}, before {to}",
            code="target-ahead",
            fix="Going forward is `up`, never `down`.",
            next=(f"howdah migrate up --to {to}",),
        )


def _to_revert(format: Format, source: Source, standing: Standing, to: str | None) -> list[str]:
    """What goes, in the order it was applied."""
    if format.table.keeps is Keeps.HEADS:
        return _to_revert_of_branches(source, standing, to)
    if to is None:
        return [standing.applied[-1]]
    key = format.files.sort_key
    return [version for version in standing.applied if key(version) > key(to)]


def _to_revert_of_branches(source: Source, standing: Standing, to: str | None) -> list[str]:
    if standing.ahead:
        raise _no_file(source, standing, standing.ahead[-1])
    if to is not None:
        # What follows it on its branch goes, and all that builds upon that or needs it; as Alembic does it.
        next_ones = {
            version
            for version in standing.applied
            if (found := source.find(version)) and to in {*found.parents} - {*found.depends_on}
        }
        gone = descendants(source, next_ones)
        return [version for version in standing.applied if version in gone]
    parents = {
        parent for version in standing.applied if (found := source.find(version)) for parent in found.parents
    }
    heads = [version for version in standing.applied if version not in parents]
    if len(heads) > 1:
        raise HistoryMismatch(
            f"the database is at several heads: {', '.join(heads)}",
            code="several-heads",
            why="One step back could be a step on any of these branches.",
            fix="Say down to which version.",
            next=tuple(
                f"howdah migrate down --to {parent}"
                for head in heads
                if (found := source.find(head))
                for parent in found.parents[:1]
            ),
        )
    return heads


def refuse_dirty(format: Format, source: Source, history: History) -> None:
    """Raise DirtyDatabase where a human must look first."""
    if history.dirty:
        raise DirtyDatabase(
            f"{history.table.sql} is dirty at {dirty_place(history)}",
            why=dirty_reason(format, history),
            fix="Look at what ran; then say whether the version counts as applied or as reverted.",
            next=(f"howdah migrate resolve {version_to_resolve(source, history)}",),
        )


def dirty_reason(format: Format, history: History) -> str:
    """Why a history is dirty, as far as that can be known."""
    if unfinished_record(format, history):
        return "A run of howdah stopped half-way outside a transaction."
    if format.dirty_means:
        return format.dirty_means
    theirs = f", or {format.name} failed or was killed" if format.table.marks_running else ""
    return f"A run stopped half-way outside a transaction{theirs}."


def dirty_place(history: History) -> str:
    """Where a dirty history is, in words: golang-migrate writes -1 where it failed reverting the first migration."""
    version = history.dirty.version if history.dirty else None
    return "the state before all migrations (-1)" if version == NOTHING else f"version {version}"


def version_to_resolve(source: Source, history: History) -> str | None:
    """The version to name for `resolve`: the dirty one, or the first, which was being reverted."""
    first = source.migrations[0].version if source.migrations else None
    version = history.dirty.version if history.dirty else None
    return first if version == NOTHING else version


def stops_before(plan: Plan, commands: ForeignSettings) -> tuple[Finding, ...]:
    """A warning where the run would stop before a step that is no SQL, because no command is named for it."""
    step = next((each for each in plan.steps if each.migration.foreign), None)
    if step is None or plan.format.host:
        return ()
    if commands.up if step.direction is Direction.UP else commands.down:
        return ()
    migration, tool = step.migration, plan.format.name
    return (
        Finding(
            "foreign-step",
            f"{migration.version} ({migration.name}) is {migration.foreign}: `{step.direction.value}` stops before it",
            Severity.WARNING,
            where=Where(str(step.file)),
            why=f"Only {tool} can run it, and howdah.toml names no command for it.",
            fix=f"Run it with {tool} when it is due, or name the command below [database.NAME.foreign].",
        ),
    )


def shown(versions: Sequence[str], *, most: int = 5) -> str:
    """The versions, or the first and last where they are many."""
    if len(versions) <= most:
        return ", ".join(versions)
    return f"{', '.join(versions[: most - 1])} ... {versions[-1]} ({len(versions)})"


def unknown_version(source: Source, version: str) -> SourceError:
    """The error of a version that somebody named, and that no file has."""
    return SourceError(
        f"there is no migration {version} in {source.directory}",
        code="unknown-version",
        next=("howdah migrate status",),
    )


def _no_file(source: Source, standing: Standing, version: str) -> HistoryMismatch:
    is_current = version == standing.current
    return HistoryMismatch(
        f"the database is at version {version}, which has no file in {source.directory}"
        if is_current
        else f"migration {version} is applied and has no file in {source.directory}",
        code="missing-migration",
        why=f"The directory has {_range(source)}.",
        fix="Bring the file back, or check that this is the right directory and branch.",
        next=("howdah migrate status",),
    )


def half_missing(
    format: Format, migration: Migration, direction: Direction, *, goes_back: bool = True
) -> SourceError:
    """The error of a migration that cannot go this way; `goes_back`: others of its source can."""
    other = migration.down if direction is Direction.UP else migration.up
    word = direction.value
    thing = "section" if migration.up and migration.up == migration.down else "file"
    return SourceError(
        f"migration {migration.version} ({migration.name}) has no {word} {thing}",
        code=f"missing-{word}-file",
        where=Where(str(other)),
        why=f"{format.name} would move the history past it and run nothing: the history would claim"
        f" what did not happen ({word})."
        if format.table.keeps is Keeps.NUMBER
        else f"Nothing says how to go {word}.",
        fix="Undo it with a new migration: these files only go forward."
        if direction is Direction.DOWN and not goes_back
        else f"Add the {word} {thing}; an empty one says that nothing is to do.",
    )


def _ahead(format: Format, source: Source, standing: Standing) -> Finding:
    return Finding(
        code="database-ahead",
        severity=Severity.WARNING,
        message=f"the database is at version {standing.ahead[-1]}, ahead of these files ({_range(source)})",
        why="A newer release, or another branch, has migrated it. What that builds upon cannot be told from these"
        " files: none of them is run."
        if format.table.keeps is Keeps.HEADS
        else "A newer release has migrated it"
        + ("." if standing.out_of_order else "; nothing is to do for this one."),
    )


def _range(source: Source) -> str:
    versions = [each.version for each in source.migrations if not each.repeats]
    if not versions:
        return "no migrations"
    return f"versions {versions[0]} to {versions[-1]}" if len(versions) > 1 else f"version {versions[0]} only"
