"""How the files and the history stand to each other: what is applied, pending, out of order, missing. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from howdah.migrate.formats.interface import Files, Format, Keeps
from howdah.migrate.history import NOTHING, History, Record
from howdah.migrate.migration import Migration, Source

# What a record says that leaves its version applied.
_APPLIED_BY = {"apply", "baseline", "repair", "resolve-applied"}


class State(Enum):
    """What status says about one migration."""

    APPLIED = "applied"
    PENDING = "pending"
    OUT_OF_ORDER = "out of order"
    MISSING = "missing"
    DIRTY = "dirty"


@dataclass(frozen=True)
class Standing:
    """What counts as what.

    Attributes:
        applied: versions in the order they were applied, with a file or without.
        pending: not applied, and newer than all that is.
        out_of_order: not applied, though a newer one is; of golang-migrate's history as far as it can be proved.
        missing: applied, without a file, older than the newest file.
        ahead: applied, without a file, newer than every file: a later release was here.
        dirty: a run of it stopped half-way.
    """

    applied: tuple[str, ...]
    pending: tuple[Migration, ...]
    out_of_order: tuple[Migration, ...]
    missing: tuple[str, ...]
    ahead: tuple[str, ...]
    dirty: str | None

    @property
    def current(self) -> str | None:
        """The version that was applied last; None: nothing is."""
        return self.applied[-1] if self.applied else None


def stand(format: Format, source: Source, history: History) -> Standing:
    """Compare files and history."""
    match format.table.keeps:
        case Keeps.NUMBER:
            applied, passed = _up_to_number(format.files, source, history)
        case Keeps.EVERY:
            applied = _by_rows(format.files, source, history)
            passed = _older_than_newest(format.files, source, applied)
            passed -= {row.version for row in history.applied if row.is_dirty}
        case Keeps.HEADS:
            applied, passed = _below_heads(source, history), set()
    known = set(applied) | _unchanged(source, history)
    done = known | passed
    dirty = history.dirty.version if history.dirty else None
    unknown = [version for version in applied if source.find(version) is None]
    ahead = _ahead(format, source, unknown)
    return Standing(
        applied=tuple(applied),
        pending=tuple(each for each in source.migrations if each.version not in done),
        out_of_order=tuple(each for each in source.migrations if each.version in passed),
        missing=tuple(version for version in unknown if version not in ahead),
        ahead=ahead,
        dirty=dirty,
    )


def newest_applied(source: Source, standing: Standing) -> str | None:
    """The newest of the applied migrations for people, "0042 (add_widgets)", whenever each was applied."""
    if standing.ahead:
        return standing.ahead[-1]
    applied = set(standing.applied)
    found = next((each for each in reversed(source.migrations) if each.version in applied), None)
    return f"{found.version} ({found.name})" if found else standing.current


def states(format: Format, source: Source, history: History) -> dict[str, State]:
    """Version -> state, for every file, and for what is applied, as far as it is known, and has none."""
    return states_in(format, source, stand(format, source, history))


def states_in(format: Format, source: Source, standing: Standing) -> dict[str, State]:
    """The same where it is known already how files and history stand."""
    result = dict.fromkeys(source.by_version, State.APPLIED)
    result |= dict.fromkeys((each.version for each in standing.pending), State.PENDING)
    result |= dict.fromkeys((each.version for each in standing.out_of_order), State.OUT_OF_ORDER)
    without_file = (*standing.missing, *standing.ahead)
    result |= dict.fromkeys(without_file, State.MISSING)
    if standing.dirty in result or (standing.dirty and standing.dirty != NOTHING):
        result[standing.dirty] = State.DIRTY
    if format.table.keeps is Keeps.HEADS or not without_file:
        return result
    return dict(sorted(result.items(), key=lambda item: format.files.sort_key(item[0])))


def unfinished_record(format: Format, history: History) -> Record | None:
    """Our step that made the history dirty. An older one does not count: somebody has moved the history since."""
    dirty = history.dirty
    if dirty is None:
        return None
    is_number = format.table.keeps is Keeps.NUMBER
    for record in history.records.values():
        is_same = record.version == dirty.version
        # One number names the version that was moved to: of a `down`, the one below.
        is_down = record.action == "revert" and (
            _is_above(format, record.version, dirty.version) if is_number else is_same
        )
        if record.finished_at is None and (is_down or (record.action == "apply" and is_same)):
            return record
    return None


def _is_above(format: Format, version: str, other: str) -> bool:
    return other == NOTHING or format.files.sort_key(version) > format.files.sort_key(other)


def ancestors(source: Source, versions: Iterable[str]) -> set[str]:
    """These versions and all that they build upon, as far as there are files."""
    todo, found = list(versions), set()
    while todo:
        migration = source.find(todo.pop())
        if migration is not None and migration.version not in found:
            found.add(migration.version)
            todo.extend(migration.parents)
    return found


def descendants(source: Source, versions: Iterable[str]) -> set[str]:
    """These versions and all that build upon them."""
    found = set(versions)
    for each in source.migrations:  # parents come first
        if not found.isdisjoint(each.parents):
            found.add(each.version)
    return found


def _up_to_number(files: Files, source: Source, history: History) -> tuple[list[str], set[str]]:
    """Of a history of one number: what counts as applied, and what is known to have been passed by.

    The number cannot tell. The side history can: a step that went from `previous` straight to `version`
    passed by every file between them, unless a later row says that it ran after all.
    """
    current = history.version
    if current is None or current == NOTHING:
        return [], set()
    newest = files.sort_key(current)
    key = {each.version: files.sort_key(each.version) for each in source.migrations}
    jumps = [
        (
            files.sort_key(NOTHING if record.previous is None else record.previous),
            files.sort_key(record.version),
        )
        for record in history.records.values()
        if record.action in ("apply", "repair") and files.sort_key(record.version) <= newest
    ]
    passed = {
        version
        for version in key
        if version not in history.records and any(low < key[version] < high for low, high in jumps)
    }
    applied = {version for version in key if key[version] <= newest and version not in passed}
    known = {record.version for record in history.records.values() if record.action in _APPLIED_BY}
    applied |= {version for version in known if files.sort_key(version) <= newest}
    return sorted(applied | {current}, key=files.sort_key), passed


def _by_rows(files: Files, source: Source, history: History) -> list[str]:
    applied: dict[str, None] = {}
    for row in history.applied:
        found = source.find(row.version)
        if row.is_dirty or (found and found.repeats):
            continue
        if row.covers_lower:
            key = files.sort_key(row.version)
            applied |= dict.fromkeys(
                each.version
                for each in source.migrations
                if not each.repeats and files.sort_key(each.version) < key
            )
        applied[row.version] = None
    return list(applied)


def _unchanged(source: Source, history: History) -> set[str]:
    """The repeatable migrations whose last run was of today's file."""
    return {
        row.version
        for row in history.applied
        if (found := source.find(row.version)) and found.repeats == row.checksum and not row.is_dirty
    }


def _older_than_newest(files: Files, source: Source, applied: list[str]) -> set[str]:
    if not applied:
        return set()
    known, newest = set(applied), max(map(files.sort_key, applied))
    return {
        each.version
        for each in source.migrations
        if each.version not in known and not each.repeats and files.sort_key(each.version) < newest
    }


def _below_heads(source: Source, history: History) -> list[str]:
    heads = [row.version for row in history.applied]
    unknown = [version for version in heads if source.find(version) is None]
    # What an unknown head builds upon cannot be told. After a later release it is all that there is here.
    found = source.by_version if unknown else ancestors(source, heads)
    return [version for version in source.by_version if version in found] + unknown


def _ahead(format: Format, source: Source, unknown: list[str]) -> tuple[str, ...]:
    # A revision that no file has descends from some other release's files: which one, nobody here can tell.
    if format.table.keeps is Keeps.HEADS or not source.migrations:
        return tuple(unknown)
    key = format.files.sort_key
    newest = max(key(each.version) for each in source.migrations)
    return tuple(version for version in unknown if key(version) > newest)
