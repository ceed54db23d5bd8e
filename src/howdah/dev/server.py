"""The project's local server: where it lives, and what is remembered about its databases."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from howdah.config.database import DatabaseConfig, Secret
from howdah.config.project import DatabaseSettings, Project
from howdah.errors import ConnectError
from howdah.server.local import SUPERUSER, LocalServer
from howdah.server.state import locked, read_private, server_directory, write_private

_ANOTHER_UP_SECONDS = 600.0


def project_server(project: Project, environ: Mapping[str, str] = os.environ) -> LocalServer:
    """The server of a project, whether or not it exists."""
    return LocalServer(
        server_directory(project.root, environ), port=project.dev.port, settings=project.dev.settings
    )


def first_database(project: Project) -> str:
    """The name by which a person confirms that the server may be deleted."""
    first = project.databases[0]
    return first.defaults.get("name", first.name)


def destroy_server(project: Project, environ: Mapping[str, str] = os.environ) -> None:
    """Delete the server with all its data; a `dev up` that runs is waited for."""
    server = project_server(project, environ)
    if server.directory.is_dir():
        with up_lock(server):
            server.destroy()


def up_lock(server: LocalServer) -> AbstractContextManager[None]:
    """What one `dev up` holds to its end against another."""
    return locked(server.directory / "up.lock", limit_seconds=_ANOTHER_UP_SECONDS)


def remember_address(server: LocalServer, settings: DatabaseSettings, address: DatabaseConfig) -> None:
    """Keep by which role and password the application reaches a database of the local server."""
    told = read_told(server)
    password = address.password.reveal() if address.password else ""
    entry = {"database": address.database, "user": address.user, "password": password}
    databases = {**told.get("databases", {}), settings.name: entry}
    write_told(server, {"databases": databases})


def server_address(
    project: Project, settings: DatabaseSettings, environ: Mapping[str, str] = os.environ
) -> DatabaseConfig | None:
    """Where a database of the project's running local server is; None where the server does not run.

    Reads two small files; no connection is made.
    """
    server = project_server(project, environ)
    if not server.running or not server.record:
        return None
    told = read_told(server).get("databases", {}).get(settings.name, {})
    return local_address(
        server,
        database=told.get("database") or settings.defaults.get("name", settings.name),
        user=told.get("user") or SUPERUSER,
        password=Secret(told["password"]) if told.get("password") else None,
    )


def running_address(
    project: Project, settings: DatabaseSettings, environ: Mapping[str, str] = os.environ
) -> DatabaseConfig:
    """Like `server_address`, for commands that cannot do without.

    Raises:
        ConnectError: the server does not run.
    """
    address = server_address(project, settings, environ)
    if address is None:
        raise ConnectError(
            f"the local server of {project.root} does not run", code="no-server", next=("howdah dev up",)
        )
    return address


def local_address(
    server: LocalServer, *, database: str, user: str = SUPERUSER, password: Secret | None = None
) -> DatabaseConfig:
    """The address of a database on the local server, for a role; without a password, the server's own."""
    superuser = server.address
    own = superuser.password
    return replace(
        superuser,
        database=database,
        user=user,
        password=own if user == SUPERUSER or password is None else password,
        # it has no TLS; some drivers insist on it where nothing is said
        options={"sslmode": "disable"},
        origin=dict.fromkeys(("host", "port", "database", "user", "password"), "the dev server"),
    )


def read_told(server: LocalServer) -> dict[str, Any]:
    """What is remembered about a project's server: why it runs on its programs, its settings, its databases."""
    return read_private(server.directory / "dev.json")


def write_told(server: LocalServer, values: Mapping[str, Any]) -> None:
    """Remember some of it; the rest stays."""
    write_private(server.directory / "dev.json", {**read_told(server), **values})
