"""The databases of a project: where each is, and what migrates it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from howdah.config.database import DatabaseConfig
from howdah.config.project import Project
from howdah.config.resolve import Resolved
from howdah.dev import resolve_here
from howdah.dev.needs import migrations_of
from howdah.errors import ConfigError
from howdah.migrate.events import Event
from howdah.migrate.formats.interface import OutOfOrder
from howdah.migrate.migrator import Migrator
from howdah.migrate.settings import RunSettings
from howdah.schema.file import keeper_of

Found = Resolved | ConfigError
"""A database's address, or why there is none: that of one database hides none of the others."""


def find_addresses(project: Project) -> dict[str, Found]:
    """The address of each database of the project, by name, in the file's order.

    Raises:
        ConfigError: nothing says where any of them is.
    """
    found: dict[str, Found] = {}
    for settings in project.databases:
        try:
            found[settings.name] = resolve_here(project, db=settings.name)
        except ConfigError as error:
            found[settings.name] = error
    errors = [each for each in found.values() if isinstance(each, ConfigError)]
    if len(errors) == len(found) and all(each.code == "no-address" for each in errors):
        raise errors[0]
    return found


def address_of(found: Found) -> DatabaseConfig | None:
    """The server's own address, around a pooler where one is known; None where there is none."""
    return None if isinstance(found, ConfigError) else found.direct or found.database


def make_migrator(
    found: Found,
    *,
    out_of_order: OutOfOrder | None = None,
    run_settings: RunSettings | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
) -> Migrator | None:
    """What migrates a database; None where it has no migrations.

    Raises:
        ConfigError: nothing says where the database is, or what the project says of it makes no sense.
    """
    if isinstance(found, ConfigError):
        raise found
    directory = migrations_of(found.settings, found.project)
    if directory is None:
        return None
    migrator = Migrator.of(
        found.settings,
        found.direct or found.database,
        root=found.project.root,
        directory=directory,
        out_of_order=out_of_order,
        run_settings=run_settings,
        on_event=on_event,
    )
    return replace(migrator, keep_schema=keeper_of(found.settings))
