"""The text and the JSON of `howdah dev`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from howdah.config.database import DatabaseConfig
from howdah.config.env import as_variables, print_env
from howdah.config.project import DatabaseSettings
from howdah.server.standins import STANDINS

if TYPE_CHECKING:
    from howdah.dev.up import DevDatabase, Up


def variables_of(settings: DatabaseSettings, address: DatabaseConfig) -> dict[str, str]:
    """The address in the application's own variables; DATABASE_URL where they do not say where it is."""
    names = {part: name for part, name in settings.env.items() if part != "direct_url"}
    if not {"url", "host"} & set(names):
        names["url"] = "DATABASE_URL"
    return as_variables(address, names)


def summary_lines(result: Up) -> Iterator[str]:
    """What was brought up, one line for each thing."""
    running = result.running
    state = "created" if running.is_new else "started" if running.was_started else "already running"
    yield f"{running.why or f'PostgreSQL {running.version}'} ({state})"
    for name in result.standins:
        yield STANDINS[name].announcement
    for database in result.databases:
        yield f"{database.address.target}: {_migrations(database)}"


def address_lines(result: Up) -> str:
    """The addresses in the application's own variables; of several databases, each under its name."""
    blocks = {
        database.settings.name: print_env(variables_of(database.settings, database.address)).rstrip()
        for database in result.databases
    }
    if len(blocks) == 1:
        return next(iter(blocks.values()))
    return "\n".join(f"# {name}\n{lines}" for name, lines in blocks.items())


def database_data(database: DevDatabase) -> dict[str, Any]:
    """A database in the JSON."""
    address = database.address
    return {
        "name": database.settings.name,
        "host": address.host,
        "port": address.port,
        "database": address.database,
        "user": address.user,
        "variables": variables_of(database.settings, address),
        "set_up": list(database.done),
        "migrations": None if database.migrations is None else str(database.migrations),
        "applied": list(database.applied),
    }


def _migrations(database: DevDatabase) -> str:
    if database.migrations is None:
        return "no migrations found"
    from howdah.migrate.migration import count_migrations

    if not database.applied:
        return "nothing to migrate"
    return f"{count_migrations(len(database.applied))} applied, now at {database.applied[-1]}"
