"""Findings as marks on lines of files: what every code host shows, each in its own form. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from howdah.check.report import CheckReport, MigrationReport, RuleFinding, SafeStep
from howdah.findings import Severity
from howdah.observe.verdict import Verdict


class Level(Enum):
    """How much a mark matters to the check."""

    ERROR = "error"  # it fails the check
    WARNING = "warning"
    NOTE = "note"


_LEVELS = {Severity.ERROR: Level.ERROR, Severity.WARNING: Level.WARNING}


@dataclass(frozen=True)
class Mark:
    """A finding at a place, or the good news that a migration has none.

    Attributes:
        database: the project's name of it.
        migration: version and name; "" where it is about no single one.
        file: relative to the repository's root, with slashes; "" where there is none.
        line: from 1.
        rule: "" where there is nothing to say.
        message: one line.
        details: why, fix, and the safe steps: lines of text.
        allowed: the reason in the file; "" where it is not.
    """

    database: str
    migration: str
    file: str
    line: int
    rule: str
    level: Level
    verdict: Verdict
    message: str
    details: str
    allowed: str = ""

    @property
    def fingerprint(self) -> str:
        """The same for the same finding when lines above it come and go."""
        parts = (self.database, self.migration, self.file, self.rule, self.message)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def marks_of(reports: Sequence[CheckReport], *, root: Path, fail_on: Verdict) -> tuple[Mark, ...]:
    """Every finding that is new, in the order of the files, and one mark without a rule for each clean migration."""
    return tuple(mark for report in reports for mark in _marks(report, root, fail_on))


def _marks(report: CheckReport, root: Path, fail_on: Verdict) -> Iterator[Mark]:
    for each in report.findings:
        if not each.is_old:
            yield _mark(report, None, each, root, fail_on)
    for migration in report.migrations:
        if not migration.is_new:
            continue
        found = [each for each in migration.all_findings if not each.is_old]
        yield from (_mark(report, migration, each, root, fail_on) for each in found)
        if not found:
            file = _relative(migration.file, root) if migration.file else ""
            yield Mark(
                report.database,
                f"{migration.version} {migration.name}",
                file,
                1,
                "",
                Level.NOTE,
                migration.verdict,
                "",
                "",
            )


def _mark(
    report: CheckReport, migration: MigrationReport | None, found: RuleFinding, root: Path, fail_on: Verdict
) -> Mark:
    finding = found.finding
    where = finding.where
    file = where.file if where else str(migration.file or "") if migration else ""
    return Mark(
        database=report.database,
        migration=f"{migration.version} {migration.name}" if migration else "",
        file=_relative(Path(file), root) if file else "",
        line=(where.line if where else None) or 1,
        rule=finding.code,
        level=_LEVELS.get(found.severity(fail_on), Level.NOTE),
        verdict=found.verdict,
        message=finding.message,
        details="\n".join(_details(found)),
        allowed=found.allowed,
    )


def _details(found: RuleFinding) -> Iterator[str]:
    finding = found.finding
    if finding.why:
        yield finding.why
    if finding.fix:
        yield finding.fix
    if found.steps:
        yield from steps_text(found.steps)
    yield from (f"next: {command}" for command in finding.next)


def steps_text(steps: Iterable[SafeStep]) -> Iterator[str]:
    """The safe steps, a statement a line, each with what it was seen to do."""
    for number, each in enumerate(steps, 1):
        seen = f"  -- {each.verdict.value}, observed" if each.verdict else ""
        outside = "" if each.transactional else "  (in a file of its own, outside a transaction)"
        head, *more = each.sql.splitlines() or [""]
        yield f"{number}. {head}{'' if more else seen + outside}"
        yield from (f"   {line}" for line in more[:-1])
        if more:
            yield f"   {more[-1]}{seen}{outside}"


def _relative(path: Path, root: Path) -> str:
    """As code hosts want it; a file outside the repository keeps its name."""
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return path.as_posix()
