"""Whether the server lets us in."""

from __future__ import annotations

from howdah.connect.addresses import is_local
from howdah.doctor.checks.check import Outcome, refused
from howdah.doctor.examination import Examination
from howdah.findings import Finding, Severity


def check(examination: Examination) -> Outcome:
    """As whom, and how the server was convinced."""
    if diagnosis := examination.refusal("login"):
        return refused(examination, diagnosis)
    found = examination.telling_probe
    method = found.method if found else None
    user = examination.subject.database.user or "this system user"
    outcome = f"as {user}" + (f", {method}" if method else "")
    if found is None or method != "trust" or is_local(found.address.host or found.address.hostaddr):
        return Outcome(outcome)
    finding = Finding(
        code="no-password-asked",
        message=f"{found.address.place} lets {user} in without a password",
        severity=Severity.WARNING,
        why="A `trust` line in its pg_hba.conf is for this host, user and database.",
        fix="Use scram-sha-256 there.",
    )
    return Outcome(outcome, (finding,))
