"""`dev up`: the local server, then setup and migrations for each database of the project."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from howdah.config.database import DatabaseConfig
from howdah.config.dotenv import read_env_file
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
    with locked(directory / "up.lock", limit_seconds=_ANOTHER_UP_SECONDS):
        on_step("starting PostgreSQL")
        running = start_server(project, bindir=bindir, environ=environ)
        databases = tuple(
            _bring_up(project, settings, running, environ, on_step) for settings in project.databases
        )
    strays = (elsewhere(project, each.settings, each.address, environ) for each in databases)
    return Up(running, databases, (*running.notes, *(note for note in strays if note)))


def _with_env_files(project: Project, environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment with what .env adds: passwords of roles may stand there."""
    values: dict[str, str] = {}
    for file in reversed(project.env_files):
        values.update(read_env_file(file, environ=environ))
    return {**values, **environ}


def _bring_up(
    project: Project,
    settings: DatabaseSettings,
    running: Running,
    environ: Mapping[str, str],
    on_step: Callable[[str], None],
) -> DevDatabase:
    address = local_address(running.server, settings, wanted_names(project, settings, environ))
    on_step(f"setting up {address.database}")
    done = _set_up(settings, address, running, _with_env_files(project, environ))
    remember_address(running.server, settings, address)
    directory = migrations_of(settings, project)
    applied = _migrate(settings, address, directory, on_step) if directory else ()
    return DevDatabase(settings, address, done, applied, directory)


def _set_up(
    settings: DatabaseSettings, address: DatabaseConfig, running: Running, environ: Mapping[str, str]
) -> tuple[str, ...]:
    from howdah.provision.apply import apply_setup
    from howdah.provision.request import SetupRequest

    admin = running.server.address
    assert admin.password is not None
    # a role whose variable is not set gets the local server's own password
    assumed = {
        role.password_env: admin.password.reveal() for role in settings.setup.roles if role.password_env
    }
    request = SetupRequest(
        settings, address, admin=admin, environ={**assumed, **environ}, confirm=address.database
    )
    result = apply_setup(request)
    return tuple(f"{step.change.what} {step.change.subject}" for step in result.done)


def _migrate(
    settings: DatabaseSettings, address: DatabaseConfig, directory: Path, on_step: Callable[[str], None]
) -> tuple[int, ...]:
    from howdah.migrate.events import Event, StepStarted
    from howdah.migrate.migrator import Migrator

    def tell(event: Event) -> None:
        if isinstance(event, StepStarted):
            migration = event.step.migration
            on_step(f"{address.database}: {event.number}/{event.total} {migration.version} {migration.name}")

    schema, _, table = (settings.history_table or "").rpartition(".")
    migrator = Migrator(
        database=address,
        directory=directory,
        format=settings.format or "golang-migrate",
        table=table or None,
        schema=schema or None,
        on_event=tell,
    )
    return tuple(result.step.migration.version for result in migrator.up())
