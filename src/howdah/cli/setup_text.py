"""What `howdah setup` shows, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from howdah.cli import exit_codes
from howdah.findings import Finding

if TYPE_CHECKING:
    from howdah.provision.apply import SetupResult
    from howdah.provision.steps import SetupPlan, Step

_MARKS = {"already-there": "=", "will-create": "+", "will-change": "~", "blocked": "!"}


def exit_code_of(result: SetupResult) -> int:
    """REFUSED where nothing but the guard of a protected database is in the way."""
    guarded = all(step.blocked and step.blocked.code == "protected-database" for step in result.blocked)
    return exit_codes.REFUSED if guarded and not result.failed else exit_codes.FAILED


def causes(blocked: tuple[Step, ...]) -> tuple[Finding, ...]:
    """The steps that are blocked by themselves, not by another one that is."""
    follows = ("missing-role", "missing-database", "missing-object")
    causes = tuple(s.finding for s in blocked if s.blocked and s.blocked.code not in follows)
    return causes or tuple(step.finding for step in blocked)


def plan_text(found: SetupPlan) -> str:
    """A plan for people: a mark, the object, what is to do, and what comes next."""
    there = len(found.steps) - len(found.pending) - len(found.blocked)
    lines = [found.target.target, found.server, "", *map(_line, found.steps), ""]
    lines += [f"{there} there, {len(found.pending)} to do, {len(found.blocked)} blocked"]
    lines += ["next: howdah setup apply"] if found.pending else []
    lines += (
        ["next: howdah setup plan --sql, for someone who may do what is blocked"] if found.blocked else []
    )
    return "\n".join(lines)


def result_text(result: SetupResult) -> str:
    """A run for people: what was there, what is done, what is not."""
    lines = [result.plan.target.target, result.plan.server, ""]
    lines += [_line(step) for step in (*result.there, *result.done)]
    lines += [_line(step, mark="x") for step, _ in result.failed]
    lines += [_line(step) for step in result.blocked]
    counts = f"{len(result.there)} were there, {len(result.done)} done"
    left = f", {len(result.failed)} failed, {len(result.blocked)} blocked" if not result.is_complete else ""
    return "\n".join([*lines, "", counts + left])


def _line(step: Step, mark: str = "") -> str:
    note = step.blocked.why if step.blocked else step.note
    says = "" if step.status.value == "already-there" else f": {step.change.says}"
    return f"  {mark or _MARKS[step.status.value]} {step.change.what} {step.change.subject}{says}" + (
        f" ({note})" if note else ""
    )


def step_data(step: Step) -> dict[str, Any]:
    """A step of the JSON contract (docs/reference/setup.md)."""
    from howdah.provision.steps import statement_text

    return {
        "what": step.change.what,
        "subject": step.change.subject,
        "status": step.status.value,
        "says": step.change.says,
        "note": step.note or None,
        "sql": statement_text(step.change),
        "on": step.change.on.value,
        "blocked": step.blocked.code if step.blocked else None,
    }


def result_data(result: SetupResult) -> dict[str, Any]:
    """A run of the JSON contract: every step in one of four lists."""
    return {
        "server": result.plan.server,
        "there": [step_data(step) for step in result.there],
        "done": [step_data(step) for step in result.done],
        "failed": [
            {**step_data(step), "status": "failed", "blocked": None, "code": finding.code}
            for step, finding in result.failed
        ],
        "blocked": [step_data(step) for step in result.blocked],
    }
