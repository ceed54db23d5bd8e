"""The project's local server: which programs it runs on, and what is remembered about its databases."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from howdah.config.database import DatabaseConfig, Secret
from howdah.config.project import DatabaseSettings, Project
from howdah.errors import ConnectError
from howdah.findings import Finding, Severity
from howdah.server.local import SUPERUSER, LocalServer
from howdah.server.state import read_private, server_directory, write_private

_RESTART = Finding(
    "restart-needed",
    "the local server runs with other settings than [dev] says now",
    Severity.WARNING,
    why="They take effect when the server starts.",
    next=("howdah dev down", "howdah dev up"),
)


@dataclass(frozen=True)
class Running:
    """The server after it was started, and why it runs on these programs.

    `was_started` and `is_new` say what this run did; `standins` are the extensions that are stand-ins.
    """

    server: LocalServer
    version: str
    why: str
    standins: tuple[str, ...] = ()
    notes: tuple[Finding, ...] = ()
    was_started: bool = False
    is_new: bool = False


def project_server(project: Project, environ: Mapping[str, str] = os.environ) -> LocalServer:
    """The server of a project, whether or not it exists."""
    return LocalServer(
        server_directory(project.root, environ), port=project.dev.port, settings=project.dev.settings
    )


def start_server(
    project: Project,
    *,
    bindir: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Running:
    """Start the project's server on the programs it needs; one that runs is left as it is.

    Raises:
        ConfigError: the state directory, the port or a named directory cannot be used.
        UnsupportedError: no programs will do, or the data is of another major version.
        CommandError: the server did not start.
    """
    server = project_server(project, environ)
    told = read_private(_told_file(server))
    record = server.record
    if server.running and record and told:
        notes = () if told.get("asked") == _asked(project) else (_RESTART,)
        return Running(server, record.version, told.get("why", ""), tuple(told.get("standins", ())), notes)
    return _start(server, project, bindir, environ)


def _asked(project: Project) -> dict[str, Any]:
    """What the project asks of the server itself; it takes effect when the server starts."""
    return {"port": project.dev.port, "settings": dict(project.dev.settings)}


def _start(server: LocalServer, project: Project, bindir: Path | None, environ: Mapping[str, str]) -> Running:
    from howdah.dev.needs import needed_extensions
    from howdah.provision.extensions import preload_libraries
    from howdah.server.choice import Need
    from howdah.server.find import find_programs
    from howdah.server.installations import reachable_standins

    extensions = needed_extensions(project)
    choice = find_programs(
        Need(project.dev.major, extensions, server.data_major),
        bindir=bindir,
        configured=project.dev.bindir,
        environ=environ,
    )
    libraries = preload_libraries(extensions)
    preload = {"shared_preload_libraries": ",".join(libraries)} if libraries else {}
    is_new = not server.exists
    kept_port = server.record.port if server.record else 0
    server = replace(
        server,
        programs=choice.programs,
        settings={**preload, **server.settings},
        extension_directory=reachable_standins(environ) if choice.programs.version.major >= 18 else None,
    )
    was_started = server.start()
    told = read_private(_told_file(server))
    now = {"why": choice.why, "standins": choice.standins, "asked": _asked(project)}
    write_private(_told_file(server), {**told, **now})
    return Running(
        server,
        str(choice.programs.version),
        choice.why,
        choice.standins,
        (*choice.notes, *_port_notes(server, kept_port, project)),
        was_started=was_started,
        is_new=is_new,
    )


def _port_notes(server: LocalServer, kept_port: int, project: Project) -> tuple[Finding, ...]:
    """Say that the address has changed, unless the project asked for it."""
    port = int(server.address.port)
    if not kept_port or port in (kept_port, project.dev.port):
        return ()
    return (
        Finding(
            "port-changed",
            f"the local server is on port {port} now, it was on {kept_port}",
            Severity.WARNING,
            why=f"Another program has port {kept_port}.",
            fix="Set the variables printed here anew; the new port is kept from now on.",
        ),
    )


def remember_address(server: LocalServer, settings: DatabaseSettings, address: DatabaseConfig) -> None:
    """Keep by which role and password the application reaches a database of the local server."""
    told = read_private(_told_file(server))
    password = address.password.reveal() if address.password else ""
    entry = {"database": address.database, "user": address.user, "password": password}
    databases = {**told.get("databases", {}), settings.name: entry}
    write_private(_told_file(server), {**told, "databases": databases})


def server_address(
    project: Project, settings: DatabaseSettings, environ: Mapping[str, str] = os.environ
) -> DatabaseConfig | None:
    """Where a database of the project's running local server is; None where the server does not run.

    Reads two small files; no connection is made.
    """
    server = project_server(project, environ)
    if not server.running or not server.record:
        return None
    told = read_private(_told_file(server)).get("databases", {}).get(settings.name, {})
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


def _told_file(server: LocalServer) -> Path:
    return server.directory / "dev.json"
