"""The file of the structure in a project: written whole or not at all, and only where something changed."""

from __future__ import annotations

import ipaddress
import secrets
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import psycopg

from howdah.config.database import DatabaseConfig
from howdah.config.project import DatabaseSettings
from howdah.errors import HowdahError, Where
from howdah.findings import Finding, Severity


@dataclass(frozen=True)
class SchemaFile:
    """A file that `migrate` keeps up: on this machine's own server only, which is where files are committed from."""

    path: Path

    def __call__(
        self,
        connection: psycopg.Connection,
        database: DatabaseConfig,
        read_landmarks: Callable[[], tuple[Collection[tuple[str, str]], str]],
    ) -> tuple[Finding, ...]:
        """Bring it up to date; a note says so, or why not. Never raises."""
        from howdah.schema.dump import dump_schema, file_text

        if not is_on_this_machine(connection):
            return ()
        try:
            own_tables, newest = read_landmarks()
            dump = dump_schema(connection, database, leave_out=own_tables)
            is_written = write_file(self.path, file_text(dump, newest))
        except (HowdahError, psycopg.Error, OSError) as error:
            return (_not_written(self.path, error),)
        return (*dump.notes, *([_written(self.path)] if is_written else []))


def keeper_of(settings: DatabaseSettings) -> SchemaFile | None:
    """What keeps the file of one of a project's databases; None: it has none, or is protected."""
    return SchemaFile(settings.schema_file) if settings.schema_file and not settings.protected else None


def is_on_this_machine(connection: psycopg.Connection) -> bool:
    """Whether the session came over a Unix socket or the loopback interface."""
    address = connection.info.hostaddr
    return connection.info.host.startswith("/") or (
        bool(address) and ipaddress.ip_address(address).is_loopback
    )


def write_file(path: Path, text: str) -> bool:
    """Write it, complete or not at all, and its folder; False: it says that already."""
    content = text.encode("utf-8", "surrogateescape")
    if path.is_file() and path.read_bytes() == content:
        return False
    real = path.resolve()
    real.parent.mkdir(parents=True, exist_ok=True)
    half = real.with_name(f"{real.name}.new-{secrets.token_hex(4)}")
    try:
        half.write_bytes(content)
        if real.exists():
            shutil.copymode(real, half)
        half.replace(real)
    finally:
        half.unlink(missing_ok=True)
    return True


def _written(path: Path) -> Finding:
    return Finding(
        "schema-file-written", "brought up to date with the database", Severity.INFO, where=Where(str(path))
    )


def _not_written(path: Path, error: Exception) -> Finding:
    return Finding(
        "schema-file-not-written",
        "this file was not brought up to date",
        Severity.WARNING,
        where=Where(str(path)),
        why=f"{str(error).strip().rstrip('.')}.",
        fix="The migrations have taken effect all the same.",
        next=("howdah schema dump --write",),
    )
