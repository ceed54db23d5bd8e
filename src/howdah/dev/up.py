"""`dev up`: the local server, then setup and migrations for each database of the project."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from howdah.config.database import DatabaseConfig
from howdah.config.project import DatabaseSettings, Project
from howdah.dev.names import elsewhere, wanted_names
from howdah.dev.needs import migrations_of
from howdah.dev.server import Running, local_address, remember_address, start_server
from howdah.findings import Finding
from howdah.server.state import locked, make_directory, server_directory

_ANOTHER_UP_SECONDS = 600.0


@dataclass(frozen=True)
class DevDatabase:
    """A database that was brought up: its address, what was set up, what was applied.

    `applied` are the versions of this run; `migrations` is None where the project has none.
    """

    settings: DatabaseSettings
    address: DatabaseConfig
    done: tuple[str, ...] = ()
    applied: tuple[int, ...] = ()
    migrations: Path | None = None


@dataclass(frozen=True)
class Up:
    """What `up` brought up, and what to tell about it."""

    running: Running
    databases: tuple[DevDatabase, ...]
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
    directory = server_directory(project.root, environ)
    make_directory(directory)
    # their imports take a quarter of a second, which passes while the server starts
    threading.Thread(target=_load_parts, daemon=True).start()
    with locked(directory / "up.lock", limit_seconds=_ANOTHER_UP_SECONDS):
        on_step("starting PostgreSQL")
        running = start_server(project, bindir=bindir, environ=environ)
        databases = tuple(
            _bring_up(project, settings, running, environ, on_step) for settings in project.databases
        )
    strays = (elsewhere(project, each.settings, each.address, environ) for each in databases)
    return Up(running, databases, (*running.notes, *(note for note in strays if note)))


def _load_parts() -> None:
    import howdah.migrate.migrator
    import howdah.provision.apply  # noqa: F401


def _bring_up(
    project: Project,
    settings: DatabaseSettings,
    running: Running,
    environ: Mapping[str, str],
    on_step: Callable[[str], None],
) -> DevDatabase:
    wanted = wanted_names(project, settings, environ)
    address = local_address(
        running.server, database=wanted.database, user=wanted.user, password=wanted.password
    )
    on_step(f"setting up {address.database}")
    done = _set_up(settings, address, running.server.address, wanted.passwords)
    remember_address(running.server, settings, address)
    directory = migrations_of(settings, project)
    applied = _migrate(project, settings, address, directory, on_step) if directory else ()
    return DevDatabase(settings, address, done, applied, directory)


def _set_up(
    settings: DatabaseSettings, address: DatabaseConfig, admin: DatabaseConfig, passwords: Mapping[str, str]
) -> tuple[str, ...]:
    from howdah.provision.apply import apply_setup
    from howdah.provision.request import SetupRequest

    request = SetupRequest(
        settings,
        address,
        admin=admin,
        environ=_all_passwords(settings, address, admin, passwords),
        confirm=address.database,
    )
    result = apply_setup(request)
    return tuple(f"{step.change.what} {step.change.subject}" for step in result.done)


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
) -> tuple[int, ...]:
    from howdah.migrate.events import Event, StepStarted
    from howdah.migrate.migrator import Migrator

    def tell(event: Event) -> None:
        if isinstance(event, StepStarted):
            migration = event.step.migration
            on_step(f"{address.database}: {event.number}/{event.total} {migration.version} {migration.name}")

    migrator = Migrator.of(settings, address, root=project.root, directory=directory, on_event=tell)
    return tuple(result.step.migration.version for result in migrator.up())
