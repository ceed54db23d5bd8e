"""Which extensions a project's databases need: what setup names and what the migrations in SQL create."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from howdah.config.project import DatabaseSettings, Project
from howdah.errors import ConfigError
from howdah.migrate.discover import directory_of
from howdah.pg.extensions import created_extensions
from howdah.provision.extensions import read_extension


def needed_extensions(project: Project) -> frozenset[str]:
    """The extensions that bringing up the project's databases creates."""
    return frozenset(
        name
        for settings in project.databases
        for name in (*_of_setup(settings), *_of_migrations(settings, project))
    )


def migrations_of(settings: DatabaseSettings, project: Project) -> Path | None:
    """The directory of a database's migrations; None where it has none.

    Raises:
        ConfigError: the project has several and none is named.
    """
    try:
        return directory_of(settings, project)
    except ConfigError as error:
        if error.code != "no-migrations-directory":
            raise
        return None


def _of_setup(settings: DatabaseSettings) -> Iterator[str]:
    return (read_extension(text).name for text in settings.setup.extensions)


def _of_migrations(settings: DatabaseSettings, project: Project) -> Iterator[str]:
    directory = migrations_of(settings, project)
    # Every format in SQL: Flyway's and Prisma's files stand in folders of their own.
    for file in sorted(directory.rglob("*.sql")) if directory else ():
        if file.is_file() and not file.name.endswith(".down.sql"):  # what is no file is for `migrate` to tell
            yield from created_extensions(file.read_text(encoding="utf-8", errors="replace"))
