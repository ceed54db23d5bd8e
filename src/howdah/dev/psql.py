"""Which psql to run on a database of the local server, and with which environment."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from howdah.config.project import DatabaseSettings, Project
from howdah.dev.server import project_server, running_address
from howdah.errors import UnsupportedError


def psql_command(
    project: Project, settings: DatabaseSettings, environ: Mapping[str, str] = os.environ
) -> tuple[Path, dict[str, str]]:
    """The program and its environment, the password in it and no variable of another server.

    Raises:
        ConnectError: the local server does not run.
        UnsupportedError: there is no psql.
    """
    address = running_address(project, settings, environ)
    record = project_server(project, environ).record
    beside = Path(record.bindir) / "psql" if record else None
    found = (
        beside if beside and os.access(beside, os.X_OK) else shutil.which("psql", path=environ.get("PATH"))
    )
    if found is None:
        raise UnsupportedError(
            "there is no psql here",
            code="no-psql",
            fix="Install PostgreSQL's client programs, or give another client the address of `howdah dev url`.",
            next=("howdah dev url",),
        )
    kept = {name: value for name, value in environ.items() if not name.startswith("PG") or name == "PGTZ"}
    named = {
        "PGHOST": address.host,
        "PGPORT": address.port,
        "PGDATABASE": address.database,
        "PGUSER": address.user,
        "PGPASSWORD": address.password.reveal() if address.password else "",
        "PGSSLMODE": "disable",
    }
    return Path(found), {**kept, **named}
