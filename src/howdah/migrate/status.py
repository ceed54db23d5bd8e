"""What `status` says: each migration with its state, and what is wrong between files and history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from howdah.errors import Where
from howdah.findings import Finding, Severity
from howdah.migrate.checksums import read_content
from howdah.migrate.formats.interface import Format, OutOfOrder
from howdah.migrate.history import Applied, History, Record
from howdah.migrate.migration import Migration, Source
from howdah.migrate.plan import (
    dirty_place,
    dirty_reason,
    out_of_order_notes,
    out_of_order_policy,
    version_to_resolve,
)
from howdah.migrate.standing import Standing, State, stand, states_in


class Change(Enum):
    """How a file differs from what was applied."""

    REFORMATTED = "reformatted"
    MODIFIED = "modified"


@dataclass(frozen=True)
class Entry:
    """One migration: its files (None: the history knows it, no file does), its state, what the side
    history and the tool's own table say of it.
    """

    version: str
    migration: Migration | None
    state: State
    record: Record | None
    applied: Applied | None = None
    change: Change | None = None


@dataclass(frozen=True)
class Status:
    """The migrations by version; `findings` say what is wrong or worth knowing, `server` is PostgreSQL's version."""

    history: History
    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]
    server: str = ""

    @property
    def pending(self) -> tuple[Entry, ...]:
        """The migrations that `up` would run."""
        return tuple(entry for entry in self.entries if entry.state is State.PENDING)


def build_status(
    format: Format, source: Source, history: History, *, out_of_order: OutOfOrder | None = None
) -> Status:
    """Compare files and history; reads the files of applied migrations to find edited ones."""
    standing = stand(format, source, history)
    entries = _entries(format, source, history, standing)
    findings = [
        *source.notes,
        *out_of_order_notes(format, standing, out_of_order_policy(format, standing, out_of_order)),
        *_changes(format, entries),
        *_state_findings(format, source, standing, history),
    ]
    return Status(history, tuple(entries), tuple(findings))


def find_changes(format: Format, source: Source, history: History) -> tuple[Finding, ...]:
    """A finding for each applied migration whose file is not what was applied; an error where the tool would stop."""
    return tuple(_changes(format, _entries(format, source, history, stand(format, source, history))))


def _entries(format: Format, source: Source, history: History, standing: Standing) -> list[Entry]:
    applied = {each.version: each for each in history.applied}
    entries = []
    for version, state in states_in(format, source, standing).items():
        migration, record = source.find(version), history.records.get(version)
        change = None
        if state is State.APPLIED and migration is not None:
            change = _change(format, migration, applied.get(version), record)
        entries.append(Entry(version, migration, state, record, applied.get(version), change))
    return entries


def _change(
    format: Format, migration: Migration, applied: Applied | None, record: Record | None
) -> Change | None:
    """How the file differs from what was applied, by the tool's own checksum, or else by ours."""
    file = migration.up
    if file is None or not (record or applied):
        return None
    known = record if record and record.checksum and record.action != "revert" else None
    if applied and applied.checksum is not None:
        return _change_by_tool(format, file, applied.checksum, known)
    if known is None:
        return None
    content = read_content(format.files, file)
    if content.checksum == known.checksum:
        return None
    return Change.REFORMATTED if content.normal_checksum == known.normal_checksum else Change.MODIFIED


def _change_by_tool(format: Format, file: Path, checksum: str, known: Record | None) -> Change | None:
    raw = file.read_bytes()
    if format.files.checksum(raw) == checksum:
        return None
    if any(format.files.checksum(each) == checksum for each in _other_line_ends(raw)):
        return Change.REFORMATTED
    # What was resolved by hand has our checksum of the file on that day, which may have been edited by then.
    if known is None or known.action not in ("apply", "repair", "baseline"):
        return Change.MODIFIED
    is_same = read_content(format.files, file).normal_checksum == known.normal_checksum
    return Change.REFORMATTED if is_same else Change.MODIFIED


def _other_line_ends(raw: bytes) -> tuple[bytes, ...]:
    """The same text as an editor or git may have written it on another machine."""
    unix = raw.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    dos = unix.replace(b"\n", b"\r\n")
    return unix, dos, unix.removesuffix(b"\n"), unix + b"\n", dos.removesuffix(b"\r\n"), dos + b"\r\n"


def _changes(format: Format, entries: Sequence[Entry]) -> list[Finding]:
    return [
        _changed(format, entry, entry.migration.up)
        for entry in entries
        if entry.change and entry.migration and entry.migration.up
    ]


def _changed(format: Format, entry: Entry, file: Path) -> Finding:
    by = f" by {entry.record.by}" if entry.record else ""
    at = entry.record.started_at if entry.record else entry.applied.at if entry.applied else None
    when = f"({at:%Y-%m-%d %H:%M}{by})" if at else ""
    stops = entry.applied is not None and entry.applied.checksum is not None and format.table.refuses_changes
    if entry.change is Change.REFORMATTED:
        return Finding(
            code="reformatted-migration",
            severity=Severity.WARNING if stops else Severity.INFO,
            message=f"comments or white space changed since it was applied {when}".rstrip(),
            where=Where(str(file)),
            why="The statements are the same."
            + (f" {format.name} itself stops at it: its checksum is of the bytes." if stops else ""),
            next=("howdah migrate repair",),
        )
    return Finding(
        code="modified-migration",
        severity=Severity.ERROR if stops else Severity.WARNING,
        message=f"the statements changed since it was applied {when}".rstrip(),
        where=Where(str(file)),
        why="This database has what the file said then; a new one gets what it says now.",
        fix="Put the file back, and write the change as a new migration.",
        next=("howdah migrate new NAME", "howdah migrate repair"),
    )


def _state_findings(format: Format, source: Source, standing: Standing, history: History) -> list[Finding]:
    found = []
    if history.dirty:
        found.append(
            Finding(
                code="dirty-database",
                message=f"the history is dirty at {dirty_place(history)}",
                why=dirty_reason(format, history),
                next=(f"howdah migrate resolve {version_to_resolve(source, history)}",),
            )
        )
    for version in (*standing.missing, *standing.ahead):
        is_ahead = version in standing.ahead
        is_current = version == standing.current
        stops = not is_ahead and (is_current or format.table.refuses_changes)
        found.append(
            Finding(
                code="database-ahead" if is_ahead else "missing-migration",
                severity=Severity.ERROR if stops else Severity.WARNING,
                message=f"the database is at version {version}, which has no file here"
                if is_current
                else f"migration {version} is applied and has no file here",
                why="A newer release has migrated it." if is_ahead else "The file was deleted or renumbered.",
            )
        )
    return found
