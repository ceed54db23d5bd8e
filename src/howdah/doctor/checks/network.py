"""Whether something listens at the address."""

from __future__ import annotations

from howdah.connect.diagnosis import diagnose
from howdah.connect.failures import Step
from howdah.doctor.checks.check import Outcome, refused
from howdah.doctor.examination import Examination
from howdah.findings import Finding, Severity


def check(examination: Examination) -> Outcome:
    """How fast each address answers; a deaf one is an error only where no other answers."""
    if diagnosis := examination.refusal("network"):
        return refused(examination, diagnosis)
    answering, findings = [], []
    for found in examination.probes:
        if found.failure is None or found.failure.step > Step.CONNECT:
            milliseconds = found.seconds[Step.CONNECT] * 1000
            answering.append(f"{found.address.place} answers in {milliseconds:.1f} ms")
        elif found.failure.step is Step.CONNECT:
            explained = diagnose(examination.subject.database, [found.failure])
            findings.append(
                Finding(
                    code=explained.cause.code,
                    message=f"{found.address.place} ({found.address.hostaddr}): {found.failure.message}",
                    severity=Severity.WARNING
                    if _is_other_host(found.address.host, examination)
                    else Severity.INFO,
                    why=explained.why,
                    fix="Another address answers; this one costs every new connection its time-out.",
                )
            )
    return Outcome("; ".join(answering) or "left to libpq's defaults", tuple(findings))


def _is_other_host(host: str, examination: Examination) -> bool:
    """No number of this host answers; `localhost` that listens on IPv4 only is everyday."""
    same = (found for found in examination.probes if found.address.host == host)
    return not any(found.failure is None or found.failure.step > Step.CONNECT for found in same)
