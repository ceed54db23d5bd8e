"""The database a command acts on: options, environment, project and dev server, in the documented order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from howdah.config.database import DatabaseConfig
from howdah.config.project import DatabaseSettings, Project, load_project
from howdah.config.resolve import Resolved, pick_database, resolve
from howdah.errors import ConfigError
from howdah.findings import Finding


@dataclass(frozen=True)
class Target:
    """A project, one of its databases, and the database's addresses.

    `source` names the place that the address came from; `notes` hold warnings about variables not used.
    """

    project: Project
    settings: DatabaseSettings
    database: DatabaseConfig
    direct: DatabaseConfig | None = None
    source: str = ""
    notes: tuple[Finding, ...] = ()


def resolve_target(url: str | None, config_file: str | None, db: str | None) -> Target:
    """What every command calls first with the values of `--url`, `--config` and `--db`.

    Raises:
        ConfigError: no database is named, or something about the project or the variables is wrong.
    """
    project = load_project(file=Path(config_file) if config_file else None)
    resolved = _resolve(project, url, db)
    return Target(
        project, resolved.settings, resolved.database, resolved.direct, resolved.source, resolved.notes
    )


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


def _dev_server(project: Project, settings: DatabaseSettings) -> DatabaseConfig | None:
    from howdah.dev import server_address

    return server_address(project, settings)
