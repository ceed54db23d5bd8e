"""What `status` says: each migration with its state, and what is wrong between files and history."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from howdah.errors import Where
from howdah.findings import Finding, Severity
from howdah.migrate.checksums import read_content
from howdah.migrate.history import History, Record
from howdah.migrate.migration import Migration, Source
from howdah.migrate.plan import NOTHING, State, dirty_place, out_of_order, states, version_to_resolve


class Change(Enum):
    """How a file differs from what was applied."""

    REFORMATTED = "reformatted"
    MODIFIED = "modified"


@dataclass(frozen=True)
class Entry:
    """One migration: its files (None: the history knows it, no file does), its state, what the side history says."""

    version: int
    migration: Migration | None
    state: State
    record: Record | None
    change: Change | None = None


@dataclass(frozen=True)
class Status:
    """The migrations by version; `findings` say what is wrong or worth knowing."""

    history: History
    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]

    @property
    def pending(self) -> tuple[Entry, ...]:
        """The migrations that `up` would run."""
        return tuple(entry for entry in self.entries if entry.state is State.PENDING)


def build_status(source: Source, history: History) -> Status:
    """Compare files and history; reads the files of applied migrations to find edited ones."""
    by_version = {each.version: each for each in source.migrations}
    entries = []
    for version, state in states(source, history).items():
        migration, record = by_version.get(version), history.records.get(version)
        change = _change(migration, record) if state is State.APPLIED else None
        entries.append(Entry(version, migration, state, record, change))
    findings = [
        *source.notes,
        *out_of_order(source, history),
        *_changes(entries),
        *_state_findings(source, entries, history),
    ]
    return Status(history, tuple(entries), tuple(findings))


def find_changes(source: Source, history: History) -> tuple[Finding, ...]:
    """A finding for each applied migration whose file is not what was applied."""
    return tuple(_changes(build_status(source, history).entries))


def _change(migration: Migration | None, record: Record | None) -> Change | None:
    file = migration.up if migration else None
    if file is None or record is None or record.checksum is None or record.action == "revert":
        return None
    content = read_content(file)
    if content.checksum == record.checksum:
        return None
    is_same = content.normal_checksum == record.normal_checksum
    return Change.REFORMATTED if is_same else Change.MODIFIED


def _changes(entries: list[Entry] | tuple[Entry, ...]) -> list[Finding]:
    return [
        _changed(entry.migration.up, entry.record, entry.change)
        for entry in entries
        if entry.change and entry.migration and entry.migration.up and entry.record
    ]


def _changed(file: Path, record: Record, change: Change) -> Finding:
    when = f"{record.started_at:%Y-%m-%d %H:%M}"
    if change is Change.REFORMATTED:
        return Finding(
            code="reformatted-migration",
            severity=Severity.INFO,
            message=f"comments or white space changed since it was applied ({when})",
            where=Where(str(file)),
            why="The statements are the same.",
        )
    return Finding(
        code="modified-migration",
        severity=Severity.WARNING,
        message=f"the statements changed since it was applied ({when} by {record.by})",
        where=Where(str(file)),
        why="This database has what the file said then; a new one gets what it says now.",
        fix="Put the file back, and write the change as a new migration.",
        next=("howdah migrate new NAME",),
    )


def _state_findings(source: Source, entries: list[Entry], history: History) -> list[Finding]:
    found = []
    newest = max((entry.version for entry in entries if entry.migration), default=NOTHING)
    if history.dirty:
        found.append(
            Finding(
                code="dirty-database",
                message=f"the history is dirty at {dirty_place(history)}",
                why="A run stopped half-way outside a transaction, or golang-migrate failed or was killed.",
                next=(f"howdah migrate resolve {version_to_resolve(source, history)}",),
            )
        )
    for entry in entries:
        if entry.state is State.MISSING:
            is_ahead = entry.version > newest
            is_current = entry.version == history.version
            found.append(
                Finding(
                    code="database-ahead" if is_ahead else "missing-migration",
                    severity=Severity.ERROR if is_current and not is_ahead else Severity.WARNING,
                    message=f"the database is at version {entry.version}, which has no file here"
                    if is_current
                    else f"migration {entry.version} is applied and has no file here",
                    why="A newer release has migrated it."
                    if is_ahead
                    else "The file was deleted or renumbered.",
                )
            )
    return found
