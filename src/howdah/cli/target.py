"""The database a command acts on: options, environment, project and dev server, in the documented order."""

from __future__ import annotations

from pathlib import Path

import click

from howdah.config.database import DatabaseConfig
from howdah.config.project import DatabaseSettings, Project, load_project
from howdah.config.resolve import Resolved, pick_database, resolve
from howdah.errors import ConfigError

TARGET = "howdah.target"
"""Where the context of a command keeps the address it acts on."""


def resolve_target(url: str | None, config_file: str | None, db: str | None) -> Resolved:
    """What every command calls first with the values of `--url`, `--config` and `--db`.

    Raises:
        ConfigError: no database is named, or something about the project or the variables is wrong.
    """
    resolved = _resolve(project_of(config_file), url, db)
    # An error that comes later says in its JSON which database it was about.
    if context := click.get_current_context(silent=True):
        context.meta[TARGET] = resolved.direct or resolved.database
    return resolved


def _resolve(project: Project, url: str | None, db: str | None) -> Resolved:
    try:
        return resolve(project, db=db, url=url)
    except ConfigError as error:
        if error.code != "no-address":
            raise
        # Last in the order, and looked for only now: it reads the server's state.
        address = _dev_server(project, pick_database(project, db))
        if address is None:
            raise
        return resolve(project, db=db, fallback=address)


def project_of(config_file: str | None) -> Project:
    """The project of `--config`, or the one around the current folder."""
    return load_project(file=Path(config_file) if config_file else None)


def _dev_server(project: Project, settings: DatabaseSettings) -> DatabaseConfig | None:
    from howdah.dev import server_address

    return server_address(project, settings)
