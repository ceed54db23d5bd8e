"""`howdah schema diff`: drift, and the comparison of two sides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from howdah.cli.answer import Answer, answers, progress_line
from howdah.cli.migrate_options import migration_options, migrator_of
from howdah.cli.options import rehearsal_of, rehearse_option
from howdah.cli.schema_of import chain_of, migrator_for
from howdah.cli.target import project_of, resolve_target

if TYPE_CHECKING:
    from howdah.config.project import Project
    from howdah.config.resolve import Resolved
    from howdah.rehearse.sides import Side


@click.command()
@click.argument("sides", nargs=-1, metavar="[A [B]]")
@click.option(
    "--ignore", multiple=True, metavar="KIND", help="A kind of object that does not count: comment, ..."
)
@click.option("--privileges", is_flag=True, help="Compare also who may do what, of two live databases.")
@rehearse_option
@migration_options
@answers("schema diff")
def diff(*, sides: tuple[str, ...], ignore: tuple[str, ...], privileges: bool, **options: Any) -> Answer:
    """Show drift, or what differs from A to B.

    Exits with 1 where something does. Without a side it is drift: the database as it is, against what its applied
    migrations give when they are replayed on a server that is thrown away. Each difference comes with what it means
    and, where it is that simple, the statement that brings the database back. Nothing is changed.

    A and B are each a URL, a database of the project by its name, `migrations` (what all the files give),
    `migrations@VERSION`, or a file of SQL such as a dump. With A alone it is compared with the database.

    \b
    howdah schema diff
    howdah schema diff migrations migrations@41
    howdah schema diff db/schema.sql migrations
    howdah schema diff postgresql://reader@a.example.test/app postgresql://reader@b.example.test/app
    """  # noqa: D301 - click keeps the lines after a backspace as they are
    if len(sides) > 2:
        raise click.UsageError("there are two sides at most")
    if not sides:
        return _drift(options, ignore)
    project = project_of(options["config_file"])
    before, after = (_side(text, project, options) for text in (*sides, "")[:2])
    return _compare(before, after, project, ignore=ignore, privileges=privileges, options=options)


def _drift(options: dict[str, Any], ignore: tuple[str, ...]) -> Answer:
    from dataclasses import replace

    from howdah.cli.schema_text import drift_data, drift_text
    from howdah.rehearse.live_drift import read_drift

    target, migrator = migrator_of(options)
    with progress_line() as progress:
        progress.doing(f"reading {migrator.database.target}")
        found = read_drift(
            migrator, rehearsal=rehearsal_of(options, progress), schemas=target.settings.setup.schemas
        )
    found = replace(found, differences=tuple(each for each in found.differences if each.kind not in ignore))
    return Answer(
        data=drift_data(found),
        text=drift_text(found, migrator.database.target),
        problems=(*target.notes, *found.notes),
        ok=not found.differences,
        target=migrator.database,
    )


def _compare(
    before: Side,
    after: Side,
    project: Project,
    *,
    ignore: tuple[str, ...],
    privileges: bool,
    options: dict[str, Any],
) -> Answer:
    from howdah.cli.schema_text import compared_data, compared_text
    from howdah.rehearse.sides import LiveSide, compare_sides

    if privileges and not (isinstance(before, LiveSide) and isinstance(after, LiveSide)):
        raise click.UsageError(
            "--privileges compares two live databases: setup grants, which no migration says"
        )
    with progress_line() as progress:
        progress.doing(f"reading {before.name} and {after.name}")
        done = compare_sides(
            before,
            after,
            rehearsal=rehearsal_of(options, progress),
            ignoring=ignore,
            privileges=privileges,
            major=project.dev.major,
        )
    return Answer(
        data=compared_data(done, before.name, after.name),
        text=compared_text(done, before.name, after.name),
        problems=done.notes,
        ok=not done.differences,
    )


def _side(text: str, project: Project, options: dict[str, Any]) -> Side:
    """What a word of the command line means; "" is the database that is meant without one."""
    from howdah.config.resolve import pick_database
    from howdah.rehearse.replay import surroundings_of
    from howdah.rehearse.sides import FileSide, MigrationsSide

    if text in {each.name for each in project.databases}:
        return _live(resolve_target(None, options["config_file"], text), {**options, "directory": None}, text)
    if "://" in text or "=" in text:
        found = resolve_target(text, options["config_file"], options["db"])
        return _live(found, options, (found.direct or found.database).target)
    if not text:
        found = resolve_target(options["url"], options["config_file"], options["db"])
        return _live(found, options, (found.direct or found.database).target)
    word, _, version = text.partition("@")
    if word == "migrations":
        settings = pick_database(project, options["db"])
        chain = chain_of(settings, project, options)
        return MigrationsSide(text, chain, version or None, surroundings_of(settings.setup))
    file = Path(text)
    if file.is_file():
        return FileSide(text, file)
    names = ", ".join(each.name for each in project.databases)
    raise click.UsageError(
        f"'{text}' is no side: name a URL, a database of the project ({names}), migrations, migrations@VERSION"
        " or a file"
    )


def _live(found: Resolved, options: dict[str, Any], name: str) -> Side:
    from howdah.rehearse.sides import LiveSide

    return LiveSide(name, found.direct or found.database, migrator_for(found, options))
