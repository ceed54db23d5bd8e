"""`howdah migrate`: status, plan, up, down, new, resolve, baseline; repair and adopt are beside it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from howdah.cli.answer import Answer, answers
from howdah.cli.confirm import confirm_database, confirm_option
from howdah.cli.groups import Area
from howdah.cli.migrate_adopt import adopt
from howdah.cli.migrate_options import (
    migration_options,
    migrator_of,
    of_one,
    patience_of,
    policy_of,
    run_options,
)
from howdah.cli.migrate_progress import progress_of
from howdah.cli.migrate_repair import repair
from howdah.cli.migrate_squash import squash
from howdah.cli.migrate_text import (
    baseline_text,
    diagnosis_data,
    diagnosis_text,
    plan_data,
    plan_text,
    resolution_data,
    resolution_text,
    results_data,
    run_text,
    status_data,
    status_text,
)
from howdah.cli.options import (
    all_option,
    exit_code_option,
    parallel_option,
    wait_option,
    wants_all,
)
from howdah.cli.target import project_of
from howdah.findings import Severity

# What the same is called by other tools.
_THEIR_WORDS = {
    "run": "up",
    "deploy": "up",
    "upgrade": "up",
    "migrate": "up",
    "up-to": "up --to",
    "revert": "down",
    "rollback": "down",
    "downgrade": "down",
    "undo": "down",
    "down-to": "down --to",
    "info": "status",
    "current": "status",
    "history": "status",
    "version": "status",
    "validate": "plan",
    "create": "new",
    "add": "new",
    "revision": "new",
    "generate": "new",
    "force": "resolve",
    "stamp": "baseline",
}


@click.group(cls=Area, first="status", meant=_THEIR_WORDS)
def area() -> None:
    """Apply, revert and inspect migrations.

    Reads the files and keeps the history table of the tool you have, and takes its lock: both may be used side by
    side. Bare `howdah migrate` shows the status and changes nothing.

    \b
    howdah migrate status
    howdah migrate up
    howdah migrate down                 one step back
    howdah migrate new add_widgets
    howdah migrate up --url postgresql://deploy@db.example.test/app --dir migrations
    """  # noqa: D301 - click keeps the lines after a backspace as they are


@area.command()
@migration_options
@all_option
@exit_code_option
@answers("migrate status")
def status(*, all_databases: bool, exit_code: bool, **options: Any) -> Answer:
    """Show each migration and its state.

    Applied, pending, dirty, out of order, missing, edited; when, how long it took, and by whom. With --all a line for
    each database of the project, as `howdah status`.
    """
    if wants_all(all_databases, **of_one(options)):
        from howdah.cli.status import answer_status

        return answer_status(project_of(options["config_file"]), exit_code=exit_code)
    target, migrator = migrator_of(options)
    found = migrator.status()
    bad = any(finding.severity is Severity.ERROR for finding in found.findings)
    return Answer(
        data=status_data(found),
        text=status_text(found, migrator),
        problems=(*target.notes, *found.findings),
        ok=not bad and not (exit_code and found.pending),
        target=migrator.database,
    )


@area.command()
@migration_options
@all_option
@click.option("--to", metavar="VERSION", help="As far as this version.")
@click.option("--down", "is_down", is_flag=True, help="Plan `down` instead of `up`.")
@answers("migrate plan")
def plan(*, all_databases: bool, to: str | None, is_down: bool, **options: Any) -> Answer:
    """Show what `up` would run, and how.

    Changes nothing. Every file is read and judged: what could not run is refused here as it would be by `up`. With
    --all what `up --all` would run in every database of the project, in that order.
    """
    if wants_all(all_databases, **of_one(options), to=to, is_down=is_down):
        from howdah.cli.migrate_all import answer_plans

        return answer_plans(project_of(options["config_file"]))
    from howdah.migrate.script import load_script

    target, migrator = migrator_of(options)
    planned = migrator.plan_down(to=to) if is_down else migrator.plan(to=to)
    scripts = [
        None if step.migration.foreign else load_script(planned.format, step) for step in planned.steps
    ]
    return Answer(
        data=plan_data(planned, scripts),
        text=plan_text(planned, scripts, migrator),
        problems=(*target.notes, *planned.notes),
        target=migrator.database,
    )


@area.command()
@migration_options
@all_option
@parallel_option
@run_options
@click.option("--to", metavar="VERSION", help="As far as this version.")
@wait_option
@answers("migrate up")
def up(*, all_databases: bool, parallel: int, to: str | None, wait: float, **options: Any) -> Answer:
    """Apply the pending migrations.

    Oldest first, each with its history in one transaction, where PostgreSQL allows one. With --all in every database of
    the project, those first that others depend on; where one fails, what depends on it is skipped, the rest goes on.
    """
    if wants_all(all_databases, **of_one(options), to=to):
        from howdah.cli.migrate_all import up_all

        return up_all(
            project_of(options["config_file"]),
            parallel=parallel,
            wait_seconds=wait,
            out_of_order=policy_of(options),
            run_settings=patience_of(options),
        )
    if click.get_current_context().get_parameter_source("parallel") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--parallel says how many databases at a time, and goes with --all")
    with progress_of("up") as show:
        target, migrator = migrator_of(options, show)
        results = migrator.up(to=to, wait_seconds=wait)
    return Answer(
        data=results_data(results),
        text=run_text(results, migrator, "applied"),
        problems=(*target.notes, *show.noted()),
        target=migrator.database,
    )


@area.command()
@migration_options
@run_options
@click.option(
    "--to",
    metavar="VERSION",
    help="Down to this version; 0: everything, and asks.",
)
@confirm_option
@answers("migrate down")
def down(*, to: str | None, confirm: str | None, **options: Any) -> Answer:
    """Revert the newest applied migration.

    One step; with --to all above that version. All the way down, --to 0, asks for the database's name.
    """
    with progress_of("down") as show:
        target, migrator = migrator_of(options, show)
        if target.settings.protected or to == "0":
            what = (
                "revert the newest migration" if to is None else f"revert all migrations above version {to}"
            )
            what = "revert all migrations" if to == "0" else what
            confirm_database(
                migrator.database, what=what, given=confirm, is_protected=target.settings.protected
            )
        results = migrator.down(to=to)
    return Answer(
        data=results_data(results),
        text=run_text(results, migrator, "reverted"),
        problems=(*target.notes, *show.noted()),
        target=migrator.database,
    )


@area.command()
@click.argument("name")
@migration_options
@click.option("--autogenerate", is_flag=True, help="Fill it from the application's models (Alembic).")
@answers("migrate new")
def new(*, name: str, autogenerate: bool, **options: Any) -> Answer:
    """Write the files of the next migration.

    They are empty, and numbered as the ones there are.

    \b
    howdah migrate new add_widgets_table
    """  # noqa: D301 - click keeps the lines after a backspace as they are
    from howdah.config.resolve import pick_database
    from howdah.migrate.create import autogenerate_migration, create_migration
    from howdah.migrate.discover import directory_of
    from howdah.migrate.formats import DEFAULT_FORMAT, find_format
    from howdah.migrate.formats.detect import detect_format

    if autogenerate:
        migrator = migrator_of(options)[1]
        return _files(
            autogenerate_migration(
                migrator.directory, name, format=find_format(migrator.format), database=migrator.database
            )
        )
    project = project_of(options["config_file"])
    directory, format_name = options["directory"], options["format_name"]
    if directory is None or format_name is None:
        settings = pick_database(project, options["db"])
        directory = directory or directory_of(settings, project, words=shlex.quote(name))
        format_name = (
            format_name or settings.format or detect_format(directory, default=DEFAULT_FORMAT).format
        )
    return _files(create_migration(directory, name, format=find_format(format_name)))


def _files(paths: Sequence[Path]) -> Answer:
    return Answer(data={"files": [str(path) for path in paths]}, text="\n".join(str(path) for path in paths))


@area.command(context_settings={"ignore_unknown_options": True})
@click.argument("version")
@migration_options
@click.option("--applied", is_flag=True, help="It took effect: the history says so from now on.")
@click.option("--reverted", is_flag=True, help="It did not: the version before it is current.")
@answers("migrate resolve")
def resolve(*, version: str, applied: bool, reverted: bool, **options: Any) -> Answer:
    """Put a dirty history right.

    What golang-migrate calls `force`.

    Without --applied or --reverted it only tells what is known: what ran, what is there, who still runs it.
    """
    if applied and reverted:
        raise click.UsageError("it is either --applied or --reverted")
    target, migrator = migrator_of(options)
    found = migrator.diagnose()
    if not (applied or reverted):
        return Answer(
            data=diagnosis_data(found),
            text=diagnosis_text(found),
            ok=not found.history.dirty,
            target=migrator.database,
        )
    if target.settings.protected and not found.history.dirty:
        what = "move a history that is clean"
        confirm_database(migrator.database, what=what, given=None, is_protected=True)
    done = migrator.resolve(version, applied=applied)
    return Answer(data=resolution_data(done), text=resolution_text(done), target=migrator.database)


@area.command()
@click.argument("version")
@migration_options
@answers("migrate baseline")
def baseline(*, version: str, **options: Any) -> Answer:
    """Adopt a database that has the schema already.

    VERSION and all below it count as applied from then on; nothing is run.
    """
    _, migrator = migrator_of(options)
    done = migrator.baseline(version)
    return Answer(data=resolution_data(done), text=baseline_text(done), target=migrator.database)


area.add_command(repair)
area.add_command(adopt)
area.add_command(squash)
