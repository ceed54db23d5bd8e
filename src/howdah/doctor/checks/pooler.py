"""Whether a pooler stands between us and the server, and what that means for migrations."""

from __future__ import annotations

from howdah.connect.diagnosis import Diagnosis
from howdah.connect.pooler import Pooler, detect_pooler
from howdah.connect.session import try_session
from howdah.doctor.checks.check import Outcome
from howdah.doctor.examination import Examination
from howdah.findings import Finding, Severity


def check(examination: Examination) -> Outcome:
    """The pooler's mode; where it does not keep sessions, migrations need the server's own address."""
    pooler = examination.pooler
    direct = _check_direct(examination)
    if pooler is None:
        return Outcome("none", direct)
    summary = f"{pooler.kind.value} mode: {pooler.evidence}"
    if pooler.keeps_sessions or examination.subject.direct is not None:
        return Outcome(summary, direct)
    return Outcome(summary, (_no_direct_address(examination, pooler),))


def _no_direct_address(examination: Examination, pooler: Pooler) -> Finding:
    return Finding(
        code="transaction-pooler",
        message=f"{examination.subject.database.target} is a pooler in {pooler.kind.value} mode",
        severity=Severity.WARNING,
        why="The application may use it. Migrations may not: their lock belongs to a session, and here each"
        " transaction may get another one.",
        fix="Give the server's own address: `direct-url` in howdah.toml, or HOWDAH_DIRECT_URL.",
        next=("howdah doctor --url URL_OF_THE_SERVER_ITSELF",),
    )


def _check_direct(examination: Examination) -> tuple[Finding, ...]:
    """The direct address must work, and must not be a pooler itself."""
    direct = examination.subject.direct
    if direct is None:
        return ()
    attempt = try_session(direct, application_name="howdah doctor")
    if isinstance(attempt, Diagnosis):
        return (Finding.of(attempt.as_error()),)
    with attempt:
        pooler = detect_pooler(attempt, direct)
    if pooler is None or pooler.keeps_sessions:
        return ()
    return (
        Finding(
            code="transaction-pooler",
            message=f"the direct address {direct.target} is a pooler in {pooler.kind.value} mode too",
            why=f"Migrations use it for their lock, which needs the server itself. {pooler.evidence}.",
            fix="Correct `direct-url` in howdah.toml, or the variable that holds it.",
        ),
    )
