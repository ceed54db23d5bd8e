"""Whether the host's name leads to an address."""

from __future__ import annotations

from howdah.connect.diagnosis import diagnose
from howdah.connect.failures import Step
from howdah.doctor.checks.check import Outcome, refused
from howdah.doctor.examination import Examination
from howdah.findings import Finding, Severity


def check(examination: Examination) -> Outcome:
    """The addresses that each host stands for; a host without one is an error only where no other answers."""
    if diagnosis := examination.refusal("name"):
        return refused(examination, diagnosis)
    numbers: dict[str, list[str]] = {}
    unknown = []
    for found in examination.probes:
        address = found.address
        if address.is_socket:
            continue
        if found.failure is not None and found.failure.step is Step.RESOLVE:
            unknown.append(found.failure)
        elif address.host and address.host != address.hostaddr:
            numbers.setdefault(address.host, []).append(address.hostaddr)
    findings = [
        Finding(
            code="unknown-host",
            message=f"{failure.place} has no address: {failure.message}",
            severity=Severity.WARNING,
            why=diagnose(examination.subject.database, [failure]).why,
            fix="The other hosts of the address answer; take this one out, or correct its name.",
        )
        for failure in unknown
    ]
    said = "; ".join(f"{host} is {', '.join(found)}" for host, found in numbers.items())
    return Outcome(said or "nothing to look up", tuple(findings))
