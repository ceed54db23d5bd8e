"""By which names and password the application wants to reach its database on the local server."""

from __future__ import annotations

import os
from collections.abc import Mapping

from howdah.config.database import DatabaseConfig
from howdah.config.project import DatabaseSettings, Project
from howdah.config.resolve import resolve
from howdah.findings import Finding, Severity

_LOCAL = ("", "localhost", "127.0.0.1", "::1")


def wanted_names(
    project: Project, settings: DatabaseSettings, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """`database`, `user` and `password` as the application's variables say, as far as they do.

    A password is taken only from an address on this machine: one of production stays where it is.
    """
    assumed = DatabaseConfig(
        host="localhost",
        database=settings.defaults.get("name", ""),
        user=settings.defaults.get("user") or settings.setup.owner or "",
    )
    meant = resolve(project, db=settings.name, environ=environ, fallback=assumed).database
    password = meant.password.reveal() if meant.password and is_local(meant) else ""
    return {
        "database": meant.database or assumed.database,
        "user": meant.user or assumed.user,
        "password": password,
    }


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
        fix='Set the variables printed here, in .env or with `eval "$(howdah dev url --env)"`.',
    )


def is_local(address: DatabaseConfig) -> bool:
    """Whether an address is on this machine's loopback or a socket."""
    return all(host in _LOCAL or host.startswith("/") for host in address.host.split(","))
