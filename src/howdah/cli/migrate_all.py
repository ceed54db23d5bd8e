"""`howdah migrate ... --all`: the same in every database of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from howdah.cli import exit_codes
from howdah.cli.answer import Answer, progress_line
from howdah.cli.fleet_progress import FleetProgress
from howdah.cli.fleet_text import outcome_code, outcome_data, outcome_problems, outcome_text
from howdah.cli.target import project_of
from howdah.fleet.migrate import migrate_all

if TYPE_CHECKING:
    from howdah.migrate.formats.interface import OutOfOrder
    from howdah.migrate.settings import RunSettings


def up_all(
    config_file: str | None,
    *,
    parallel: int,
    wait_seconds: float,
    out_of_order: OutOfOrder | None,
    run_settings: RunSettings,
) -> Answer:
    """`migrate up` in every database."""
    project = project_of(config_file)
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
        problems=(*show.noted(), *outcome_problems(outcome)),
        ok=code == exit_codes.DONE,
        exit_code=code,
    )
