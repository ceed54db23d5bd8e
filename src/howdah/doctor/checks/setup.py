"""Whether the rest of what the project's [setup] asks for is there."""

from __future__ import annotations

from howdah.doctor.checks.check import Outcome
from howdah.doctor.checks.extensions import EXTENSION_CHANGES
from howdah.doctor.examination import Examination
from howdah.findings import Finding, Severity


def check(examination: Examination) -> Outcome:
    """Roles, owners, schemas and grants; one finding for all that `setup apply` would do."""
    if examination.subject.project.file is None:
        return Outcome("no howdah.toml")
    if examination.server["in_recovery"]:
        return Outcome("that of the primary")
    steps = [step for step in examination.setup_plan.steps if not isinstance(step.change, EXTENSION_CHANGES)]
    pending = [step for step in steps if step.is_pending]
    findings = [step.finding for step in steps if step.blocked]
    if pending:
        findings.append(
            Finding(
                code="setup-incomplete",
                message=f"{len(pending)} of {len(steps)} steps of the project's setup are still to do",
                severity=Severity.WARNING,
                why="; ".join(f"{step.change.subject}: {step.change.says}" for step in pending) + ".",
                next=("howdah setup apply",),
            )
        )
    there = len(steps) - len(pending) - sum(step.blocked is not None for step in steps)
    return Outcome(f"{there} of {len(steps)} steps are done", tuple(findings))
