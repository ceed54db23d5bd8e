"""`dev up`: the local server, then setup and migrations for each database of the project."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from howdah.config.database import DatabaseConfig
from howdah.config.project import DatabaseSettings, Project
from howdah.dev.names import Wanted, elsewhere, wanted_names
from howdah.dev.needs import migrations_of
from howdah.dev.server import local_address, project_server, remember_address, up_lock
from howdah.dev.start import Running, start_server
from howdah.findings import Finding
from howdah.pg.identifiers import check_name
from howdah.server.local import LocalServer


@dataclass(frozen=True)
class DevDatabase:
    """A database that was brought up: its address, what was set up, what was applied.

    `applied` are the versions of this run; `migrations` is None where the project has none.
    """

    settings: DatabaseSettings
    address: DatabaseConfig
    done: tuple[str, ...] = ()
    applied: tuple[str, ...] = ()
    migrations: Path | None = None


@dataclass(frozen=True)
class Up:
    """What `up` brought up, which of its extensions are stand-ins, and what to tell about it."""

    running: Running
    databases: tuple[DevDatabase, ...]
    standins: tuple[str, ...] = ()
    notes: tuple[Finding, ...] = ()


def up(
    project: Project,
    *,
    bindir: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    on_step: Callable[[str], None] = lambda _: None,
) -> Up:
    """Bring up the server and every database of the project; again at any time, and beside another run.

    `on_step` is told what begins.

    Raises:
        HowdahError: of the part that failed; what was done before it stays, and running again goes on.
    """
    wanted = [wanted_names(project, settings, environ) for settings in project.databases]
    for names in wanted:
        check_name(names.database, what="database")
    # their imports take a quarter of a second, which passes while the server starts
    threading.Thread(target=_load_parts, daemon=True).start()
    with up_lock(project_server(project, environ)):
        on_step("starting PostgreSQL")
        running = start_server(project, bindir=bindir, environ=environ)
        databases = tuple(
            _bring_up(project, settings, running, names, on_step)
            for settings, names in zip(project.databases, wanted, strict=True)
        )
        standins = _created_standins(running, databases)
    strays = (elsewhere(project, each.settings, each.address, environ) for each in databases)
    return Up(running, databases, standins, (*running.notes, *(note for note in strays if note)))


def _load_parts() -> None:
    import howdah.migrate.migrator
    import howdah.provision.apply  # noqa: F401


def _bring_up(
    project: Project,
    settings: DatabaseSettings,
    running: Running,
    wanted: Wanted,
    on_step: Callable[[str], None],
) -> DevDatabase:
    address = local_address(
        running.server, database=wanted.database, user=wanted.user, password=wanted.password
    )
    on_step(f"setting up {address.database}")
    done = _set_up(settings, address, running.server, wanted.passwords)
    remember_address(running.server, settings, address)
    directory = migrations_of(settings, project)
    applied = _migrate(project, settings, address, directory, on_step) if directory else ()
    return DevDatabase(settings, address, done, applied, directory)


def _set_up(
    settings: DatabaseSettings, address: DatabaseConfig, server: LocalServer, passwords: Mapping[str, str]
) -> tuple[str, ...]:
    from howdah.provision.apply import apply_setup
    from howdah.provision.request import SetupRequest

    request = SetupRequest(
        settings,
        address,
        # the socket asks for no password, which is quicker to answer than to check
        admin=server.socket_address,
        environ=_all_passwords(settings, address, server.address, passwords),
        confirm=address.database,
    )
    result = apply_setup(request)
    return tuple(f"{step.change.what} {step.change.subject}" for step in result.done)


def _created_standins(running: Running, databases: tuple[DevDatabase, ...]) -> tuple[str, ...]:
    """The stand-ins that the databases have, whoever created them."""
    from howdah.connect.session import open_session

    found: set[str] = set()
    for database in databases if running.standins else ():
        address = running.server.socket_address.with_database(database.address.database)
        with open_session(address) as connection:
            names = [sorted(running.standins)]
            rows = connection.execute("SELECT extname FROM pg_extension WHERE extname = ANY(%s)", names)
            found.update(name for (name,) in rows)
    return tuple(sorted(found))


def _all_passwords(
    settings: DatabaseSettings, address: DatabaseConfig, admin: DatabaseConfig, passwords: Mapping[str, str]
) -> dict[str, str]:
    """A password for each role: the address's, its variable's, else the local server's own."""
    assert admin.password is not None
    assert address.password is not None
    variables = {role.password_env: role.name for role in settings.setup.roles if role.password_env}
    assumed = {
        variable: (address.password if role == address.user else admin.password).reveal()
        for variable, role in variables.items()
    }
    given = {name: value for name, value in passwords.items() if variables[name] != address.user}
    return {**assumed, **given}


def _migrate(
    project: Project,
    settings: DatabaseSettings,
    address: DatabaseConfig,
    directory: Path,
    on_step: Callable[[str], None],
) -> tuple[str, ...]:
    from howdah.migrate.events import Event, StepStarted
    from howdah.migrate.migrator import Migrator
    from howdah.schema.file import keeper_of

    def tell(event: Event) -> None:
        if isinstance(event, StepStarted):
            migration = event.step.migration
            on_step(f"{address.database}: {event.number}/{event.total} {migration.version} {migration.name}")

    migrator = Migrator.of(settings, address, root=project.root, directory=directory, on_event=tell)
    migrator = replace(migrator, keep_schema=keeper_of(settings))
    return tuple(result.step.migration.version for result in migrator.up())
