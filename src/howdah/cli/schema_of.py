"""What `howdah schema` compares, from its options: the library's objects for one of a project's databases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from howdah.cli.options import rehearsal_of

if TYPE_CHECKING:
    from howdah.cli.render import Progress
    from howdah.config.project import DatabaseSettings, Project
    from howdah.config.resolve import Resolved
    from howdah.migrate.migrator import Migrator
    from howdah.rehearse.structure import Checked
    from howdah.rehearse.verify import Chain


def migrator_for(target: Resolved, options: dict[str, Any]) -> Migrator | None:
    """What knows the history of a database; None where it has no migrations."""
    from howdah.dev.needs import migrations_of
    from howdah.migrate.migrator import Migrator

    directory = options["directory"] or migrations_of(target.settings, target.project)
    if directory is None:
        return None
    return Migrator.of(
        target.settings,
        target.direct or target.database,
        root=target.project.root,
        directory=directory,
        format=options["format_name"],
        on_event=lambda _: None,
    )


def chain_of(settings: DatabaseSettings, project: Project, options: dict[str, Any]) -> Chain:
    """A database's migrations, by its files alone."""
    from howdah.check.subject import find_subject
    from howdah.rehearse.verify import Chain

    subject = find_subject(
        project, db=settings.name, directory=options["directory"], format=options["format_name"]
    )
    return Chain(subject.format, subject.tool.files.read(subject.directory), subject.variables)


def check_one(
    settings: DatabaseSettings, project: Project, file: Path, *, options: dict[str, Any], progress: Progress
) -> Checked:
    """Whether one file is what the migrations of one database give."""
    from howdah.rehearse.replay import surroundings_of
    from howdah.rehearse.structure import check_file

    return check_file(
        file,
        chain_of(settings, project, options),
        rehearsal=rehearsal_of(options, progress),
        surroundings=surroundings_of(settings.setup),
        major=project.dev.major,
    )
