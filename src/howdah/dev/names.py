"""By which names and password the application wants to reach its database on the local server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from howdah.config.database import DatabaseConfig, Secret
from howdah.config.project import DatabaseSettings, Project
from howdah.config.resolve import all_variables, resolve
from howdah.findings import Finding, Severity
from howdah.server.local import SUPERUSER

_LOCAL = ("", "localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Wanted:
    """What the application's variables say, as far as they do.

    A password is taken only from an address on this machine: one of production stays where it is. For the same
    reason `passwords`, the variables that hold the roles' passwords, is empty for any other address.
    """

    database: str
    user: str
    password: Secret | None = None
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)


def wanted_names(
    project: Project, settings: DatabaseSettings, environ: Mapping[str, str] = os.environ
) -> Wanted:
    """By which names and password the application wants to reach a database."""
    assumed = DatabaseConfig(
        host="localhost",
        database=settings.defaults.get("name", settings.name),
        user=settings.defaults.get("user") or settings.setup.owner or SUPERUSER,
    )
    meant = resolve(project, db=settings.name, environ=environ, fallback=assumed).database
    database, user = meant.database or assumed.database, meant.user or assumed.user
    if not is_local(meant):
        return Wanted(database, user)
    variables = all_variables(project, environ)
    named = {role.password_env or "" for role in settings.setup.roles}
    passwords = {name: value for name, value in variables.items() if name in named and value}
    return Wanted(database, user, meant.password, passwords)


def elsewhere(
    project: Project,
    settings: DatabaseSettings,
    address: DatabaseConfig,
    environ: Mapping[str, str] = os.environ,
) -> Finding | None:
    """A warning where the application's variables lead to another server than the local one."""
    resolved = resolve(project, db=settings.name, environ=environ, fallback=address)
    meant = resolved.database
    if is_local(meant) and (meant.port or "5432") == address.port:
        return None
    return Finding(
        "variables-lead-elsewhere",
        f"{resolved.source} leads to {meant.target}, not to the local server",
        Severity.WARNING,
        why="Variables and .env come before the local server, for howdah as for the application.",
        fix='Set the variables printed here, in .env or with `eval "$(howdah dev url --export)"`.',
    )


def is_local(address: DatabaseConfig) -> bool:
    """Whether an address is on this machine's loopback or a socket."""
    return all(host in _LOCAL or host.startswith("/") for host in address.host.split(","))
