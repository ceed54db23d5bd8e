"""Start the project's local server, on programs that have what the project needs."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from howdah.config.project import Project
from howdah.dev.needs import needed_extensions
from howdah.dev.server import first_database, project_server, read_told, write_told
from howdah.errors import HowdahError, UnsupportedError
from howdah.findings import Finding, Severity
from howdah.pg.programs import Programs
from howdah.pg.version import parse_version
from howdah.provision.extensions import preload_libraries
from howdah.server.local import LocalServer
from howdah.server.standins import STANDINS
from howdah.server.state import ServerRecord

if TYPE_CHECKING:
    from howdah.server.choice import Choice

# the first version with extension_control_path, which lets a server load our stand-ins
_STANDINS_SINCE = 18


@dataclass(frozen=True)
class Running:
    """The server after it was started, and why it runs on these programs.

    `standins` are the extensions that it has only as stand-ins; `was_started` and `is_new` say what this run did.
    """

    server: LocalServer
    version: str
    why: str
    standins: frozenset[str] = frozenset()
    notes: tuple[Finding, ...] = ()
    was_started: bool = False
    is_new: bool = False


def start_server(
    project: Project, *, bindir: Path | None = None, environ: Mapping[str, str] = os.environ
) -> Running:
    """Start the project's server on the programs it needs; one that runs is left as it is.

    Raises:
        ConfigError: the state directory, the port or a named directory cannot be used.
        UnsupportedError: no programs will do, or the data is of another major version.
        CommandError, ConnectError: the server did not start, or not in time.
    """
    server = project_server(project, environ)
    extensions = needed_extensions(project)
    try:
        if server.running and (record := server.record) and read_told(server):
            return _left_as_it_is(server, record, project, extensions, bindir, environ)
        return _start(server, project, extensions, bindir, environ)
    except HowdahError as error:
        error.next = tuple(_confirmed(command, project) for command in error.next)
        raise


def _confirmed(command: str, project: Project) -> str:
    """`dev reset` as it works off a terminal too."""
    if command != "howdah dev reset":
        return command
    return f"{command} --confirm {shlex.quote(first_database(project))}"


def _left_as_it_is(
    server: LocalServer,
    record: ServerRecord,
    project: Project,
    extensions: frozenset[str],
    bindir: Path | None,
    environ: Mapping[str, str],
) -> Running:
    programs = Programs(Path(record.bindir), parse_version(record.version))
    standins = _standins_of(programs)
    notes: tuple[Finding, ...] = ()
    if lacking := extensions - programs.extensions - standins:
        choice = _choose(server, project, extensions, bindir, environ)
        if lacking <= choice.programs.extensions | _standins_of(choice.programs):
            raise _lacks(server, programs, choice, lacking)
        notes = choice.notes
    told = read_told(server)
    return Running(
        server,
        record.version,
        told.get("why", ""),
        standins,
        (
            *notes,
            *_restart_notes(
                server, project, is_changed=told.get("settings") != _settings(project, extensions)
            ),
        ),
    )


def _start(
    server: LocalServer,
    project: Project,
    extensions: frozenset[str],
    bindir: Path | None,
    environ: Mapping[str, str],
) -> Running:
    from howdah.server.installations import reachable_standins

    choice = _choose(server, project, extensions, bindir, environ)
    major = choice.programs.version.major
    if server.data_major not in (None, major):
        raise _cannot_read(server, choice)
    settings = _settings(project, extensions)
    server = replace(
        server,
        programs=choice.programs,
        settings=settings,
        extension_directory=reachable_standins(environ) if major >= _STANDINS_SINCE else None,
    )
    is_new, kept_port = not server.exists, server.record.port if server.record else 0
    was_started = server.start()
    write_told(server, {"why": choice.why, "settings": settings})
    return Running(
        server,
        str(choice.programs.version),
        choice.why,
        _standins_of(choice.programs),
        (*choice.notes, *_port_notes(server, kept_port, project)),
        was_started=was_started,
        is_new=is_new,
    )


def _choose(
    server: LocalServer,
    project: Project,
    extensions: frozenset[str],
    bindir: Path | None,
    environ: Mapping[str, str],
) -> Choice:
    from howdah.server.choice import Need
    from howdah.server.find import find_programs

    need = Need(project.dev.major, extensions, server.data_major)
    return find_programs(need, bindir=bindir, configured=project.dev.bindir, environ=environ)


def _settings(project: Project, extensions: frozenset[str]) -> dict[str, str]:
    libraries = preload_libraries(extensions)
    preload = {"shared_preload_libraries": ",".join(libraries)} if libraries else {}
    return {**preload, **project.dev.settings}


def _standins_of(programs: Programs) -> frozenset[str]:
    """The stand-ins that CREATE EXTENSION finds; a real extension comes first."""
    return (
        frozenset(STANDINS) - programs.extensions
        if programs.version.major >= _STANDINS_SINCE
        else frozenset()
    )


def _lacks(
    server: LocalServer, programs: Programs, choice: Choice, lacking: frozenset[str]
) -> UnsupportedError:
    """The running server cannot have what the project needs now; another one here can."""
    can_read = choice.programs.version.major == server.data_major
    wanted = " and ".join(sorted(lacking))
    return UnsupportedError(
        f"the project needs {wanted} now, and its local server runs on PostgreSQL {programs.version}, which lacks it",
        code="extension-missing",
        why=f"PostgreSQL {choice.programs.version} from {choice.programs.origin} has it"
        + ("." if can_read else ", and cannot read the data that is there."),
        fix="Start the server again, on that one."
        if can_read
        else f"Install {wanted} for {programs.version.major}, or make the server anew; that deletes its data.",
        next=("howdah dev down", "howdah dev up") if can_read else ("howdah dev reset",),
    )


def _cannot_read(server: LocalServer, choice: Choice) -> UnsupportedError:
    """The programs that the project needs cannot read the data that is there."""
    return UnsupportedError(
        f"the local server's data is of PostgreSQL {server.data_major}, "
        f"which PostgreSQL {choice.programs.version} cannot read",
        code="data-of-another-version",
        why=f"The project is to run on {choice.why}.",
        fix=f"Install what it needs for {server.data_major}, or make the server anew; that deletes its data.",
        next=("howdah dev reset",),
    )


def _restart_notes(server: LocalServer, project: Project, *, is_changed: bool) -> Iterator[Finding]:
    """Say what was asked of a server that runs, and takes effect when it starts."""
    port = server.address.port
    if project.dev.port and str(project.dev.port) != port:
        yield Finding(
            "restart-needed",
            f"the local server goes on on port {port}; it takes {project.dev.port} when it starts",
            Severity.WARNING,
            next=("howdah dev down", f"howdah dev up --port {project.dev.port}"),
        )
    if is_changed:
        yield Finding(
            "restart-needed",
            "the local server runs with other settings than it would get now",
            Severity.WARNING,
            why="[dev.settings], or an extension that is to be preloaded, takes effect when the server starts.",
            next=("howdah dev down", "howdah dev up"),
        )


def _port_notes(server: LocalServer, kept_port: int, project: Project) -> Iterator[Finding]:
    """Say that the address has changed, unless the project asked for it."""
    port = int(server.address.port)
    if kept_port and port not in (kept_port, project.dev.port):
        yield Finding(
            "port-changed",
            f"the local server is on port {port} now, it was on {kept_port}",
            Severity.WARNING,
            why=f"Another program has port {kept_port}.",
            fix="Set the variables printed here anew; the new port is kept from now on.",
        )
