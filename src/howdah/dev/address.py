"""The documented order of places that name a database, to its end: the project's running local server."""

from __future__ import annotations

from howdah.config.project import Project
from howdah.config.resolve import Resolved, pick_database, resolve
from howdah.errors import ConfigError


def resolve_here(project: Project, *, db: str | None = None, url: str | None = None) -> Resolved:
    """The database that is meant: as `resolve()` says, else the one on the running local server.

    Raises:
        ConfigError: no database is named, or something about the project or the variables is wrong.
    """
    try:
        return resolve(project, db=db, url=url)
    except ConfigError as error:
        if error.code != "no-address":
            raise
        # Last in the order, and looked for only now: it reads the server's state.
        from howdah.dev.server import server_address

        address = server_address(project, pick_database(project, db))
        if address is None:
            raise
        return resolve(project, db=db, fallback=address)
