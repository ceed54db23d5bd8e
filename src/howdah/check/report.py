"""What a check found: values, for people and programs alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from howdah.findings import Finding, Severity
from howdah.observe.effect import Effect
from howdah.observe.verdict import Verdict, worst
from howdah.rehearse.trip import Return

if TYPE_CHECKING:
    from howdah.rehearse.measured import LiveRehearsal

FAIL_ON = Verdict.BREAKING
"""From which verdict on a check fails, where nobody says otherwise."""


@dataclass(frozen=True)
class SafeStep:
    """A part of another way to the same end, and what it was observed to do.

    Attributes:
        sql: one statement or several.
        transactional: whether it may stand in a transaction with others; False: in a file of its own, outside one.
        verdict: as observed when it was run; None: it was not.
    """

    sql: str
    transactional: bool = True
    verdict: Verdict | None = None


@dataclass(frozen=True)
class RuleFinding:
    """What a rule says of a statement, or of a whole file.

    Attributes:
        finding: its code is the rule's name.
        verdict: what it weighs.
        steps: a safe way, run and observed; () where none is known or none was proved.
        allowed: the reason of the file's own `-- howdah: allow`; "" where there is none.
        is_old: the file is the base's; shown on request, and never fails a check.
    """

    finding: Finding
    verdict: Verdict
    steps: tuple[SafeStep, ...] = ()
    allowed: str = ""
    is_old: bool = False

    def severity(self, fail_on: Verdict) -> Severity:
        """How much it matters to a check that fails from this verdict on: an error is what fails it."""
        if self.allowed or self.is_old:
            return Severity.INFO
        if self.verdict.rank >= fail_on.rank:
            return Severity.ERROR
        own = self.finding.severity
        return Severity.WARNING if own is Severity.ERROR else own


@dataclass(frozen=True)
class StatementReport:
    """One statement as it ran; `number` and `line` count from 1."""

    number: int
    line: int
    text: str
    verdict: Verdict
    effect: Effect
    findings: tuple[RuleFinding, ...] = ()


@dataclass(frozen=True)
class MigrationReport:
    """One migration.

    Attributes:
        is_new: not in the base, or there is no base.
        is_run: it was run, and looked at.
        statements: of its `up`, in order; () where it was not run or is no SQL.
        down: of its `down`, likewise.
        findings: about the whole file, its `down` or its place in the history.
        is_unknown: only its own tool can run it, and it was not observed.
    """

    version: str
    name: str
    file: Path | None
    is_new: bool
    is_run: bool = False
    statements: tuple[StatementReport, ...] = ()
    down: tuple[StatementReport, ...] = ()
    reversible: Return = Return.NOT_TESTED
    findings: tuple[RuleFinding, ...] = ()
    is_unknown: bool = False

    @property
    def all_findings(self) -> tuple[RuleFinding, ...]:
        """Of the file and of each statement."""
        inside = (each for statement in (*self.statements, *self.down) for each in statement.findings)
        return (*self.findings, *inside)

    @property
    def verdict(self) -> Verdict:
        """The worst; what the file allows itself does not count. UNKNOWN at best of what was not run."""
        found = [each.verdict for each in self.all_findings if not each.allowed]
        plain = [each.verdict for each in self.statements if not each.findings]
        return worst([*found, *plain, *([] if self.is_run and not self.is_unknown else [Verdict.UNKNOWN])])


@dataclass(frozen=True)
class CheckReport:
    """What a check of one database's migrations found.

    Attributes:
        base: what was compared with, for people: "origin/main"; "" where there was no base.
        against: the environment it was compared with; "".
        server: the version it was rehearsed on; "" where it was not.
        live: what was measured on real data; None: that was not asked for.
        findings: about no single migration.
    """

    database: str
    directory: Path
    format: str
    migrations: tuple[MigrationReport, ...]
    findings: tuple[RuleFinding, ...] = ()
    base: str = ""
    against: str = ""
    server: str = ""
    live: LiveRehearsal | None = None
    seconds: float = 0.0

    @property
    def all_findings(self) -> tuple[RuleFinding, ...]:
        """Everything that was found, in the order of the files."""
        return (*self.findings, *(each for migration in self.migrations for each in migration.all_findings))

    @property
    def verdict(self) -> Verdict:
        """The worst of what is new and not allowed; where nothing was run, of files and history."""
        counted = [each.verdict for each in self.all_findings if not each.is_old and not each.allowed]
        run = [each.verdict for each in self.migrations if each.is_new and self.server]
        return worst([*counted, *run])

    def is_ok(self, fail_on: Verdict = FAIL_ON) -> bool:
        """Whether nothing in it is as bad as `fail_on`, or worse."""
        return self.verdict.rank < fail_on.rank
