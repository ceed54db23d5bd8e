"""`howdah migrate squash`: one migration in the place of many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from howdah.cli.answer import Answer, answers, progress_line
from howdah.cli.migrate_options import migration_options, migrator_of
from howdah.cli.options import rehearsal_of, rehearse_option
from howdah.cli.target import project_of

if TYPE_CHECKING:
    from howdah.rehearse.squash import Squashed


@click.command()
@click.option("--to", metavar="VERSION", help="The last migration to squash; the new one has its version.")
@click.option(
    "--keep-data",
    is_flag=True,
    help="Keep the statements that change rows, in their order behind the structure.",
)
@click.option(
    "--settle",
    is_flag=True,
    help="Change a database instead: carry it on to the squashed version, and take the rows of the versions that have"
    " no file any more out of its history. Only sqlx needs that.",
)
@rehearse_option
@migration_options
@answers("migrate squash")
def squash(*, to: str | None, keep_data: bool, settle: bool, **options: Any) -> Answer:
    """Put one migration in the place of many.

    Runs the migrations up to a version on a server that is thrown away, writes what they built as one migration of that
    version, and runs both chains to prove that they build the same. The old files go into the folder `squashed`, which
    no tool reads: `howdah migrate up` carries on with them where a database stands among them. A database at that
    version or past it has nothing to do. No database is changed.

    \b
    howdah migrate squash --to 40
    howdah migrate squash --settle --url postgresql://deploy@db.example.test/app
    """  # noqa: D301 - click keeps the lines after a backspace as they are
    if settle == (to is not None):
        raise click.UsageError("it is either --to VERSION, for the files, or --settle, for a database")
    return _settle(options) if settle else _squash(str(to), keep_data=keep_data, options=options)


def _squash(to: str, *, keep_data: bool, options: dict[str, Any]) -> Answer:
    from howdah.config.resolve import pick_database
    from howdah.migrate.discover import directory_of
    from howdah.migrate.formats import DEFAULT_FORMAT
    from howdah.migrate.formats.detect import detect_format
    from howdah.provision.extensions import read_extension
    from howdah.rehearse import squash as library

    project = project_of(options["config_file"])
    settings = pick_database(project, options["db"])
    directory = options["directory"] or directory_of(settings, project)
    said = options["format_name"] or settings.format
    with progress_line() as progress:
        request = library.SquashRequest(
            format=said or detect_format(directory, default=DEFAULT_FORMAT).format,
            directory=directory,
            to=to,
            keep_data=keep_data,
            major=project.dev.major,
            extensions=tuple(read_extension(each).name for each in settings.setup.extensions),
            rehearsal=rehearsal_of(options, progress),
        )
        done = library.squash(request)
    return Answer(data=squash_data(done), text=squash_text(done, request.format), problems=done.notes)


def _settle(options: dict[str, Any]) -> Answer:
    from howdah.rehearse.settle import settle

    target, migrator = migrator_of(options)
    done = settle(migrator)
    gone = ", ".join(done.removed)
    text = f"taken out of the history: {gone}" if gone else "nothing to settle"
    applied = [result.step.migration.version for result in done.applied]
    return Answer(
        data={"applied": applied, "removed": list(done.removed)},
        text=f"applied {', '.join(applied)}\n{text}" if applied else text,
        problems=target.notes,
        target=migrator.database,
    )


def squash_text(done: Squashed, format_name: str) -> str:
    """What became of the files, and what others have to know."""
    from howdah.migrate.formats import find_format

    first, last = done.replaced[0].version, done.replaced[-1].version
    settling = (
        f"      {format_name} stops at a history with versions that have no file; once for each database:",
        "      howdah migrate squash --settle --url URL",
    )
    return "\n".join(
        [
            *(f"written  {path}" for path in done.files),
            f"kept     {len(done.replaced)} migrations, {first} to {last}, in {done.archive}",
            f"proved   both build the same; a database at {last} or past it has nothing to do",
            f"next: commit all of it; a database between {first} and {last} is carried on by `howdah migrate up` alone",
            *(settling if find_format(format_name).table.refuses_changes else ()),
        ]
    )


def squash_data(done: Squashed) -> dict[str, Any]:
    """The JSON of `migrate squash`."""
    return {
        "version": done.migration.version,
        "files": [str(path) for path in done.files],
        "replaced": [each.version for each in done.replaced],
        "archive": str(done.archive),
        "data": list(done.data),
        "has_down": done.has_down,
    }
