"""`howdah schema`: dump, diff, stats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from howdah.cli.answer import Answer, answers, progress_line
from howdah.cli.groups import Area
from howdah.cli.migrate_options import migration_options, of_one
from howdah.cli.options import all_option, rehearse_option, wants_all
from howdah.cli.render import as_typed
from howdah.cli.schema_diff import diff
from howdah.cli.schema_of import check_one, migrator_for
from howdah.cli.schema_stats import stats
from howdah.cli.target import project_of, resolve_target

if TYPE_CHECKING:
    from howdah.config.project import DatabaseSettings, Project

# What the same is called by other tools.
_THEIR_WORDS = {
    "inspect": "dump",
    "export": "dump",
    "drift": "diff",
    "compare": "diff",
    "check": "dump --check",
}


@click.group(cls=Area, first="dump", meant=_THEIR_WORDS)
def area() -> None:
    """The structure of a database: as SQL to commit, and what differs.

    Bare `howdah schema` prints the structure. No database is ever changed.

    \b
    howdah schema dump
    howdah schema dump --write          into the file that howdah.toml names
    howdah schema dump --check          is that file what the migrations give?
    howdah schema diff                  is the database what its migrations give?
    howdah schema stats                 how large its tables are, for `howdah check --stats`
    """  # noqa: D301 - click keeps the lines after a backspace as they are


@area.command()
@migration_options
@all_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Write it to this file, where it says something else.",
)
@click.option("--write", is_flag=True, help="Write it to the database's `schema-file` of howdah.toml.")
@click.option(
    "--check",
    is_flag=True,
    help="Exit with 1 where that file is not what the migrations give; they are replayed on a server that is thrown"
    " away, no database is needed.",
)
@click.option("--privileges", is_flag=True, help="With who may do what.")
@rehearse_option
@answers("schema dump")
def dump(*, all_databases: bool, check: bool, write: bool, privileges: bool, **options: Any) -> Answer:
    """Print the structure as SQL to commit.

    The same structure gives the same text. PostgreSQL's own pg_dump says it; howdah puts each table together with what
    belongs to it, sorted by name, and leaves out what would change from one machine to another, owners, tablespaces and
    the migration tools' tables among it. psql loads it into an empty database. With --all a file for each database of
    the project.

    \b
    howdah schema dump -o db/schema.sql
    howdah schema dump --url postgresql://reader@db.example.test/app
    howdah schema dump --write --all
    howdah schema dump --check --all
    """  # noqa: D301 - click keeps the lines after a backspace as they are
    if check and (write or privileges):
        raise click.UsageError("--check only compares: it goes without --write and --privileges")
    if write and options["output"]:
        raise click.UsageError("it is either --write, to the file that howdah.toml names, or --output FILE")
    if wants_all(all_databases, **of_one(options), output=options["output"]):
        if not (check or write):
            raise click.UsageError("with --all it is --write or --check: one file for each database")
        from howdah.cli.schema_all import check_all, write_all

        project = project_of(options["config_file"])
        return check_all(project, options) if check else write_all(project, privileges=privileges)
    if check:
        return _check(options)
    return _dump(options, write=write, privileges=privileges)


def _dump(options: dict[str, Any], *, write: bool, privileges: bool) -> Answer:
    from howdah.cli.schema_text import structure_data
    from howdah.rehearse.structure import read_structure
    from howdah.schema.file import write_file

    target = resolve_target(options["url"], options["config_file"], options["db"])
    file = _file_of(target.settings, target.project) if write else options["output"]
    migrator = migrator_for(target, options)
    database = target.direct or target.database
    with progress_line() as progress:
        progress.doing(f"reading {database.target}")
        found = read_structure(database, migrator, privileges=privileges)
    is_written = write_file(file, found.text) if file else None
    said = "written" if is_written else "is current"
    text = found.text if file is None else f"{as_typed(file)}: {said}"
    return Answer(
        data=structure_data(found, file, is_written=is_written),
        text=text,
        problems=(*target.notes, *found.dump.notes),
        target=database,
    )


def _check(options: dict[str, Any]) -> Answer:
    from howdah.cli.schema_text import checked_data, checked_problems, checked_text
    from howdah.config.resolve import pick_database

    project = project_of(options["config_file"])
    settings = pick_database(project, options["db"])
    file = options["output"] or _file_of(settings, project)
    with progress_line() as progress:
        done = check_one(settings, project, file, options=options, progress=progress)
    return Answer(
        data=checked_data(done, file),
        text=checked_text(done, file),
        problems=checked_problems(done, file, settings, project),
        ok=done.is_current,
    )


def _file_of(settings: DatabaseSettings, project: Project) -> Path:
    from howdah.errors import ConfigError

    if settings.schema_file is None:
        raise ConfigError(
            f"nothing says in which file the structure of '{settings.name}' is",
            code="no-schema-file",
            fix=f'Write schema-file = "db/schema.sql" into [database.{settings.name}] of howdah.toml, or name it'
            " with --output.",
        )
    return settings.schema_file


area.add_command(diff)
area.add_command(stats)
