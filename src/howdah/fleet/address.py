"""Where the databases of a project are."""

from __future__ import annotations

from howdah.config.database import DatabaseConfig
from howdah.config.project import Project
from howdah.config.resolve import Resolved
from howdah.dev import resolve_here
from howdah.errors import ConfigError

Found = Resolved | ConfigError
"""A database's address, or why there is none: that of one database hides none of the others."""


def find_addresses(project: Project) -> dict[str, Found]:
    """The address of each database of the project, by name, in the file's order."""
    found: dict[str, Found] = {}
    for settings in project.databases:
        try:
            found[settings.name] = resolve_here(project, db=settings.name)
        except ConfigError as error:
            found[settings.name] = error
    return found


def address_of(found: Found) -> DatabaseConfig | None:
    """The server's own address, around a pooler where one is known; None where there is none."""
    return None if isinstance(found, ConfigError) else found.direct or found.database
