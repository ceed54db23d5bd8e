"""The database a command acts on: options, environment, project and dev server, in the documented order."""

from __future__ import annotations

from pathlib import Path

import click

from howdah.config.database import DatabaseConfig
from howdah.config.project import Project, load_project
from howdah.config.resolve import Resolved
from howdah.dev import resolve_here

TARGET = "howdah.target"
"""Where the context of a command keeps the address it acts on."""


def resolve_target(url: str | None, config_file: str | None, db: str | None) -> Resolved:
    """What every command calls first with the values of `--url`, `--config` and `--db`.

    Raises:
        ConfigError: no database is named, or something about the project or the variables is wrong.
    """
    resolved = resolve_here(project_of(config_file), url=url, db=db)
    # An error that comes later says in its JSON which database it was about.
    if context := click.get_current_context(silent=True):
        context.meta[TARGET] = resolved.direct or resolved.database
    return resolved


def project_of(config_file: str | None) -> Project:
    """The project of `--config`, or the one around the current folder."""
    return load_project(file=Path(config_file) if config_file else None)


def target_data(target: DatabaseConfig | None) -> dict[str, str] | None:
    """The `target` of the JSON contract, never with a password."""
    if target is None:
        return None
    return {"host": target.host, "port": target.port, "database": target.database, "user": target.user}
