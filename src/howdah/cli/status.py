"""`howdah status`: one table for one database or ninety."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from howdah.cli import exit_codes
from howdah.cli.answer import Answer, answers, progress_line
from howdah.cli.options import all_option, exit_code_option, target_options, wants_all

if TYPE_CHECKING:
    from howdah.config.project import Project
    from howdah.config.resolve import Resolved


@click.command()
@target_options
@all_option
@exit_code_option
@answers("status")
def area(
    *, url: str | None, config_file: str | None, db: str | None, all_databases: bool, exit_code: bool
) -> Answer:
    """Show how the databases of the project stand: a line for each. Changes nothing.

    All of them, unless --db or --url names one. The states: ok, pending (`migrate up` has something to do), ahead (a
    newer release was here), wrong (files and history contradict each other), dirty (a run stopped half-way), no
    migrations, unreachable, unreadable. Exits with 0 where all is well, 1 where one is wrong or dirty, or with
    --exit-code pending, 3 where one cannot be reached; of several, the gravest.

    \b
    howdah status
    howdah status --db chat
    howdah status --json
    """  # noqa: D301 - click keeps the lines after a backspace as they are
    from howdah.cli.target import project_of, resolve_target

    is_one = not wants_all(all_databases, url=url, db=db) and (url or db)
    chosen = resolve_target(url, config_file, db) if is_one else project_of(config_file)
    return answer_status(chosen, exit_code=exit_code)


def answer_status(chosen: Resolved | Project, *, exit_code: bool) -> Answer:
    """The table for one database, or for all of a project."""
    from howdah.cli.fleet_text import statuses_code, statuses_data, statuses_problems, statuses_text
    from howdah.config.project import Project
    from howdah.fleet.inventory import find_addresses
    from howdah.fleet.status import DatabaseStatus, read_found

    found = find_addresses(chosen) if isinstance(chosen, Project) else {chosen.settings.name: chosen}
    left = set(found)

    def tell(status: DatabaseStatus) -> None:
        left.discard(status.name)
        progress.doing(f"reading {len(left)} of {len(found)} databases")

    with progress_line() as progress:
        progress.doing(f"reading {len(found)} databases")
        statuses = read_found(found, on_event=tell)
    code = statuses_code(statuses, exit_code=exit_code)
    return Answer(
        data=statuses_data(statuses),
        text=statuses_text(statuses),
        problems=statuses_problems(statuses),
        ok=code == exit_codes.DONE,
        target=statuses[0].target if len(statuses) == 1 else None,
        exit_code=code,
    )
