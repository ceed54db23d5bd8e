"""Whether the extensions that the project needs are there: installed, permitted, preloaded."""

from __future__ import annotations

from howdah.doctor.checks.check import Outcome
from howdah.doctor.examination import Examination
from howdah.findings import Finding, Severity
from howdah.provision.changes import CreateExtension, PreloadLibraries, UpdateExtension
from howdah.provision.steps import Status, Step

EXTENSION_CHANGES = (CreateExtension, PreloadLibraries, UpdateExtension)


def check(examination: Examination) -> Outcome:
    """Each extension of `extensions` in howdah.toml."""
    if not examination.subject.settings.setup.extensions:
        return Outcome("the project asks for none")
    if examination.server["in_recovery"]:
        return Outcome("those of the primary")
    steps = [step for step in examination.setup_plan.steps if isinstance(step.change, EXTENSION_CHANGES)]
    said = [f"{step.change.subject} {_word(step)}" for step in steps]
    return Outcome(", ".join(said), tuple(filter(None, map(_finding, steps))))


def _word(step: Step) -> str:
    if step.status is Status.BLOCKED:
        return "cannot be had"
    return "is there" if step.status is Status.THERE else "is missing"


def _finding(step: Step) -> Finding | None:
    if step.status is Status.THERE:
        return None
    if step.status is Status.BLOCKED:
        return step.finding
    return Finding(
        code="extension-missing",
        message=f"extension {step.change.subject}: {step.change.says} is still to do",
        severity=Severity.WARNING,
        why="The server has it to offer, and this role may create it.",
        fix=f"{step.change.sql};",
        next=("howdah setup apply",),
    )
