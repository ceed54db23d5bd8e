"""Check one database's migrations: files, the base branch, an environment's history, and what a rehearsal shows."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from howdah.check import file_rules
from howdah.check.allow import apply_allowances, read_allowances
from howdah.check.base import read_base
from howdah.check.comparison import Comparison, compare_with_base
from howdah.check.files import are_runnable, examine_files
from howdah.check.report import CheckReport, MigrationReport, RuleFinding
from howdah.check.settings import CheckSettings
from howdah.check.subject import Subject
from howdah.migrate.migration import Migration, Source

if TYPE_CHECKING:
    from howdah.check.live import Live
    from howdah.check.rehearsed import Rehearsed


def check_migrations(subject: Subject, settings: CheckSettings) -> CheckReport:
    """Everything that is to be said of a database's migrations; nothing is changed.

    Raises:
        ConfigError: the base is not there.
        SourceError: there is no such folder.
        ConnectError: the environment cannot be reached.
        UnsupportedError: no PostgreSQL here has what the migrations need.
    """
    return _Check(subject, settings).run()


@dataclass
class _Check:
    """One check; `run()` may be called once."""

    subject: Subject
    settings: CheckSettings
    _started: float = field(default_factory=time.monotonic, init=False)

    def run(self) -> CheckReport:
        subject, settings = self.subject, self.settings
        tool = subject.tool
        base = read_base(tool, subject.directory, settings.base)
        source, found = examine_files(tool, subject.directory)
        if source is None:
            return self._report((), found, base=base.name)
        comparison = compare_with_base(
            tool,
            source,
            base,
            allow_renumbering=settings.allow_renumbering,
            out_of_order=subject.out_of_order,
        )
        can_run = are_runnable(found)
        found = (*map(comparison.mark_old, found), *comparison.findings, *self._of_environment(source))
        new = comparison.new if base.name else None
        rehearsed = self._rehearse(source, new) if can_run else None
        live = self._rehearse_live() if can_run else None
        found = (*found, *(live.findings if live else ()))
        filed = _Filed(source, found)
        migrations = (
            _allowed(
                _with_findings(_report_of(each, comparison, rehearsed), filed.about(each)),
                _files(each),
            )
            for each in source.migrations
        )
        return self._report(tuple(migrations), filed.rest, base=base.name, rehearsed=rehearsed, live=live)

    def _of_environment(self, source: Source) -> tuple[RuleFinding, ...]:
        if self.settings.against is None:
            return ()
        from howdah.check.history import compare_with_history

        return compare_with_history(self.settings.against, source).findings

    def _rehearse(self, source: Source, new: Collection[str] | None) -> Rehearsed | None:
        if self.settings.rehearsal is None:
            return None
        from howdah.check.rehearsed import rehearse

        return rehearse(self.subject, source, self.settings, new=new)

    def _rehearse_live(self) -> Live | None:
        if self.settings.data is None or self.settings.rehearsal is None:
            return None
        from howdah.check.live import rehearse_live

        return rehearse_live(self.subject, self.settings)

    def _report(
        self,
        migrations: tuple[MigrationReport, ...],
        found: tuple[RuleFinding, ...],
        *,
        base: str,
        rehearsed: Rehearsed | None = None,
        live: Live | None = None,
    ) -> CheckReport:
        against = self.settings.against
        return CheckReport(
            self.subject.name,
            self.subject.directory,
            self.subject.format,
            migrations,
            (*found, *(rehearsed.findings if rehearsed else ())),
            base=base,
            against=against.database.target if against else "",
            server=rehearsed.server if rehearsed else "",
            live=live.rehearsal if live else None,
            seconds=time.monotonic() - self._started,
        )


class _Filed:
    """Findings by the migration whose file they are about."""

    def __init__(self, source: Source, found: Iterable[RuleFinding]) -> None:
        owners = {str(file): each.version for each in source.migrations for file in _files(each)}
        self._about: dict[str | None, list[RuleFinding]] = {}
        for each in found:
            where = each.finding.where
            self._about.setdefault(owners.get(where.file) if where else None, []).append(each)

    def about(self, migration: Migration) -> tuple[RuleFinding, ...]:
        return tuple(self._about.get(migration.version, ()))

    @property
    def rest(self) -> tuple[RuleFinding, ...]:
        """Those about no single migration."""
        return tuple(self._about.get(None, ()))


def _files(migration: Migration) -> tuple[Path, ...]:
    return tuple({path: None for path in (migration.up, migration.down) if path})


def _report_of(migration: Migration, comparison: Comparison, rehearsed: Rehearsed | None) -> MigrationReport:
    if rehearsed and (report := rehearsed.reports.get(migration.version)):
        return report
    return MigrationReport(
        migration.version,
        migration.name,
        migration.up or migration.down,
        is_new=migration.version in comparison.new,
    )


def _allowed(report: MigrationReport, files: Collection[Path]) -> MigrationReport:
    """The report with what its files allow themselves; of what was not watched nothing is allowed in vain."""
    if not any(map(read_allowances, files)):
        return report
    from howdah.check.rules import ALLOWABLE  # many modules, for the few files that allow something

    is_watched = report.is_run and not report.is_unknown
    judged = frozenset(file_rules.OF_FILES) | (ALLOWABLE if is_watched else frozenset())
    return apply_allowances(report, files, known=ALLOWABLE | file_rules.ALLOWABLE, judged=judged)


def _with_findings(report: MigrationReport, found: tuple[RuleFinding, ...]) -> MigrationReport:
    return replace(report, findings=(*found, *report.findings)) if found else report
