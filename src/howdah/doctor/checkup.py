"""Run the checks in order; what depends on a failed one is reported as not checked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from howdah.config.resolve import Resolved
from howdah.connect.failures import server_said
from howdah.doctor.checks import CHECKS
from howdah.doctor.checks.check import Check, Outcome
from howdah.doctor.examination import Examination
from howdah.errors import HowdahError
from howdah.findings import Finding, Severity

_log = logging.getLogger(__name__)
_ORDER = (Severity.OK, Severity.INFO, Severity.WARNING, Severity.ERROR)


@dataclass(frozen=True)
class Result:
    """What one check found. `severity` is None where it was not run, for the reason in `summary`."""

    name: str
    severity: Severity | None
    summary: str
    findings: tuple[Finding, ...] = ()
    next: str = ""


@dataclass(frozen=True)
class Checkup:
    """All results, in order."""

    subject: Resolved
    results: tuple[Result, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is to tell, the gravest last, where people look first; of equals, the earlier check's."""
        found = [finding for result in reversed(self.results) for finding in result.findings]
        return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity)))

    @property
    def is_fine(self) -> bool:
        """Nothing is wrong or doubtful."""
        return all(finding.severity in (Severity.OK, Severity.INFO) for finding in self.findings)

    @property
    def is_connected(self) -> bool:
        """A session was opened."""
        return next(result for result in self.results if result.name == "database").severity not in (
            None,
            Severity.ERROR,
        )

    @property
    def next(self) -> str:
        """The one command to type now."""
        commands = [command for finding in reversed(self.findings) for command in finding.next[:1]]
        if commands:
            return commands[0]
        offered = [result.next for result in self.results if result.next]
        return offered[-1] if self.is_fine and offered else "howdah doctor"


def examine(subject: Resolved, *, on_result: Callable[[Result], None] | None = None) -> Checkup:
    """Examine a database step by step; changes nothing. `on_result` is called as each check is done."""
    results = []
    with Examination(subject) as examination:
        for result in _run(examination):
            results.append(result)
            if on_result is not None:
                on_result(result)
    return Checkup(subject, tuple(results))


def _run(examination: Examination) -> Iterator[Result]:
    stopped: dict[str, str] = {}  # check that is not passed -> the one that failed first
    for check in CHECKS:
        cause = next((stopped[name] for name in check.needs if name in stopped), None)
        if cause is not None:
            stopped[check.name] = cause
            yield Result(check.name, None, f"not checked: needs {cause}")
            continue
        outcome = _ask(check, examination)
        severity = max(
            (finding.severity for finding in outcome.findings), key=_ORDER.index, default=Severity.OK
        )
        if severity is Severity.ERROR:
            stopped[check.name] = check.name
        yield Result(check.name, severity, outcome.summary, outcome.findings, outcome.next)


def _ask(check: Check, examination: Examination) -> Outcome:
    """The check's outcome; a library's error is a finding here, for the next check may tell more."""
    import psycopg

    try:
        return check.run(examination)
    except HowdahError as error:
        return Outcome(error.message, (Finding.of(error),))
    except psycopg.Error as error:
        _log.debug("check %s failed", check.name, exc_info=True)
        finding = Finding(
            code="check-failed",
            message=f"the server did not answer the check of {check.name}: {server_said(error)}",
            why="The session broke, or the role may not look there.",
            next=("howdah doctor -v",),
        )
        return Outcome("the server's answer is an error", (finding,))
