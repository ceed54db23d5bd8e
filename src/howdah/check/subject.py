"""What is checked: the migrations of one database of a project."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from howdah.config.project import DatabaseSettings, Project
from howdah.config.references import expand_values
from howdah.config.resolve import pick_database
from howdah.errors import ConfigError
from howdah.migrate.discover import directory_of
from howdah.migrate.formats import DEFAULT_FORMAT, find_format
from howdah.migrate.formats.detect import detect_format
from howdah.migrate.formats.interface import Format, OutOfOrder


@dataclass(frozen=True)
class Subject:
    """One database's migrations.

    Attributes:
        settings: what the project says of the database: variables, foreign steps, what setup makes.
        format: name of the tool whose files these are.
        root: of the project.
    """

    settings: DatabaseSettings
    directory: Path
    format: str
    root: Path

    @property
    def tool(self) -> Format:
        """The format, with what the files may put in."""
        return find_format(self.format, variables=self.variables)

    @property
    def variables(self) -> Mapping[str, str] | None:
        """What the files may put in; None: that is refused."""
        return expand_values(self.settings.variables, [os.environ])

    @property
    def out_of_order(self) -> OutOfOrder | None:
        """What becomes of a migration older than the newest applied one; None: what the tool does."""
        said = self.settings.out_of_order
        return OutOfOrder(said) if said else None

    @property
    def name(self) -> str:
        """The project's name of the database."""
        return self.settings.name


def find_subject(
    project: Project, *, db: str | None = None, directory: Path | None = None, format: str | None = None
) -> Subject:
    """The migrations of one database; `directory` and `format` go before what the project says.

    Raises:
        ConfigError: nothing says which, or where its migrations are, or in which format.
    """
    settings = pick_database(project, db)
    folder = _as_typed(directory or directory_of(settings, project))
    said = format or settings.format
    return Subject(
        settings, folder, said or detect_format(folder, default=DEFAULT_FORMAT).format, project.root
    )


def find_subjects(project: Project) -> tuple[Subject, ...]:
    """Those of every database of the project that has migrations, in the file's order.

    Raises:
        ConfigError: none has, or something about one of them is wrong.
    """
    found = []
    missing: ConfigError | None = None
    for settings in project.databases:
        try:
            found.append(find_subject(project, db=settings.name))
        except ConfigError as error:
            if error.code != "no-migrations-directory":
                raise
            missing = error
    if not found and missing is not None:
        raise missing
    return tuple(found)


def _as_typed(folder: Path) -> Path:
    """As a person here would type it: findings name many files."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_absolute() and folder.is_relative_to(here) else folder
