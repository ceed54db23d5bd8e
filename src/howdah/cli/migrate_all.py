"""`howdah migrate ... --all`: the same in every database of the project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from howdah.cli import exit_codes
from howdah.cli.answer import Answer, progress_line
from howdah.cli.fleet_problems import of_databases
from howdah.cli.fleet_progress import FleetProgress
from howdah.cli.fleet_text import (
    count_databases,
    outcome_code,
    outcome_data,
    outcome_problems,
    outcome_text,
)
from howdah.cli.migrate_text import how_it_runs, plan_data
from howdah.cli.render import printable, table
from howdah.cli.target import target_data
from howdah.findings import Finding
from howdah.fleet.migrate import migrate_all

if TYPE_CHECKING:
    from howdah.config.project import Project
    from howdah.fleet.plan import DatabasePlan
    from howdah.migrate.formats.interface import OutOfOrder
    from howdah.migrate.script import Script
    from howdah.migrate.settings import RunSettings


def up_all(
    project: Project,
    *,
    parallel: int,
    wait_seconds: float,
    out_of_order: OutOfOrder | None,
    run_settings: RunSettings,
) -> Answer:
    """`migrate up` in every database."""
    with progress_line() as progress:
        show = FleetProgress(progress, len(project.databases))
        outcome = migrate_all(
            project,
            parallel=parallel,
            wait_seconds=wait_seconds,
            out_of_order=out_of_order,
            run_settings=run_settings,
            on_event=show,
        )
    code = outcome_code(outcome)
    return Answer(
        data=outcome_data(outcome),
        text=outcome_text(outcome),
        problems=of_databases((*show.noted(), *outcome_problems(outcome)), len(outcome.databases)),
        ok=code == exit_codes.DONE,
        exit_code=code,
    )


def answer_plans(project: Project) -> Answer:
    """`migrate plan` over every database."""
    from howdah.fleet.plan import plan_all

    with progress_line() as progress:
        progress.doing(f"reading {count_databases(len(project.databases))}")
        plans = plan_all(project)
    scripts = {each.name: _scripts(each) for each in plans}
    code = exit_codes.gravest(exit_codes.exit_code_of(each.error) for each in plans if each.error)
    return Answer(
        data={"databases": [_plan_data(each, scripts[each.name]) for each in plans]},
        text=_plans_text(plans, scripts),
        problems=of_databases(
            (
                (each.name, finding)
                for each in plans
                for finding in (*each.notes, *((Finding.of(each.error),) if each.error else ()))
            ),
            len(plans),
        ),
        ok=code == exit_codes.DONE,
        exit_code=code,
    )


def _scripts(planned: DatabasePlan) -> list[Script | None]:
    from howdah.migrate.script import load_script

    plan = planned.plan
    return (
        [None if step.migration.foreign else load_script(plan.format, step) for step in plan.steps]
        if plan
        else []
    )


def _plans_text(plans: Sequence[DatabasePlan], scripts: dict[str, list[Script | None]]) -> str:
    """A line for each step in the order in which they run, and a sentence."""
    rows = [
        (
            printable(each.name),
            step.migration.version,
            step.migration.name,
            str(len(script.statements)) if script else "",
            how_it_runs(step, script),
        )
        for each in plans
        if each.plan
        for step, script in zip(each.plan.steps, scripts[each.name], strict=True)
    ]
    busy = sum(1 for each in plans if each.plan and each.plan.steps)
    failed = sum(1 for each in plans if each.error)
    head = table(("DATABASE", "VERSION", "NAME", "STATEMENTS", "HOW"), rows) + "\n\n" if rows else ""
    todo = f"{len(rows)} to run in {busy} of them" if rows else "nothing to run"
    return f"{head}{count_databases(len(plans))}: {todo}" + (
        f"; nothing can run in {failed}" if failed else ""
    )


def _plan_data(planned: DatabasePlan, scripts: Sequence[Script | None]) -> dict[str, Any]:
    plan = planned.plan
    return {
        "name": planned.name,
        "target": target_data(planned.target),
        "depends_on": list(planned.depends_on),
        **(plan_data(plan, scripts) if plan else {"version": None, "steps": []}),
        "error": Finding.of(planned.error).as_json() if planned.error else None,
    }
