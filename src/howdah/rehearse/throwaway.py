"""A server, or a database on a given server, that is thrown away."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import psycopg
from psycopg import sql

from howdah.config.database import DatabaseConfig
from howdah.connect.session import open_session
from howdah.errors import ConfigError, LockTimeout, RefusedError
from howdah.findings import Finding
from howdah.pg.version import parse_version
from howdah.server.choice import Need
from howdah.server.local import LocalServer
from howdah.server.standins import STANDINS
from howdah.server.state import locked, make_directory, state_home

# The first version with extension_control_path, which lets a server load our stand-ins.
_STANDINS_SINCE = 18
# The first version where CREATE DATABASE takes a STRATEGY.
_COPIES_FILES_SINCE = 15
_PREFIX = "throwaway-"
_MEMORY, _ROOM_BYTES = Path("/dev/shm"), 2_000_000_000  # noqa: S108 - looked at before it is used
# Nothing of it is to outlive us.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_wal_senders": "0",
    "wal_level": "minimal",
}
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Throwaway:
    """A server on which databases may be made and dropped.

    Attributes:
        address: a role that may do so.
        version: the server's.
        is_ours: started for this; otherwise somebody's, where nothing but databases is made.
        directory: where its files are; None where it is somebody's. What is put there is gone with it.
        standins: extensions that are there only as stand-ins.
        notes: what to know about the choice of the server.
    """

    address: DatabaseConfig
    version: str
    is_ours: bool
    directory: Path | None = None
    standins: frozenset[str] = frozenset()
    notes: tuple[Finding, ...] = ()

    def database(self) -> AbstractContextManager[DatabaseConfig]:
        """An empty database; it is dropped at the end.

        Raises:
            RefusedError: the role may not make one.
        """
        return self._database(sql.SQL("TEMPLATE template0"))

    def copy(self, database: DatabaseConfig) -> AbstractContextManager[DatabaseConfig]:
        """Another database with what one of ours holds, while nobody uses that; it is dropped at the end."""
        options = sql.SQL("TEMPLATE {}").format(sql.Identifier(database.database))
        if parse_version(self.version).major >= _COPIES_FILES_SINCE:
            # By way of the log it takes three times as long.
            options += sql.SQL(" STRATEGY FILE_COPY")
        return self._database(options)

    @contextmanager
    def _database(self, options: sql.Composable) -> Iterator[DatabaseConfig]:
        name = f"howdah_rehearse_{secrets.token_hex(6)}"
        with open_session(self.address) as connection:
            try:
                connection.execute(sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), options))
            except psycopg.errors.InsufficientPrivilege as error:
                raise RefusedError(
                    f"role {self.address.user} may not create a database on {self.address.target}",
                    code="no-throwaway-database",
                    fix="Give it CREATEDB, or leave --rehearse-url out: then a local server is started for it.",
                ) from error
        try:
            yield self.address.with_database(name)
        finally:
            with open_session(self.address) as connection:
                connection.execute(
                    sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
                )


def throwaway(
    need: Need,
    *,
    at: DatabaseConfig | None = None,
    settings: Mapping[str, str] = NO_SETTINGS,
    is_small: bool = True,
    environ: Mapping[str, str] = os.environ,
) -> AbstractContextManager[Throwaway]:
    """The server `at` that address, or a new one on the programs that suit the need, which is gone at the end.

    A new one has these settings over our own. It lives in memory where it `is_small` and there is room.

    Raises:
        UnsupportedError: no PostgreSQL here has what is needed.
        CommandError, ConfigError, ConnectError: the server did not start, or cannot be reached.
    """
    if at:
        return _existing(at)
    home = state_home(environ)
    place = _place_in_memory(environ) if is_small else None
    return _started(need, settings, environ, home=home, place=place or home)


@contextmanager
def _existing(address: DatabaseConfig) -> Iterator[Throwaway]:
    with open_session(address) as connection:
        version = connection.info.parameter_status("server_version") or ""
    yield Throwaway(address, version, is_ours=False)


@contextmanager
def _started(
    need: Need, settings: Mapping[str, str], environ: Mapping[str, str], *, home: Path, place: Path
) -> Iterator[Throwaway]:
    from howdah.server.find import find_programs
    from howdah.server.installations import reachable_standins

    choice = find_programs(need, environ=environ)
    has_standins = choice.programs.version.major >= _STANDINS_SINCE
    for each in {home, place}:
        _remove_left_behind(each)
    directory = place / f"{_PREFIX}{secrets.token_hex(6)}"
    server = LocalServer(
        directory,
        choice.programs,
        settings={**_SETTINGS, **settings},
        extension_directory=reachable_standins(environ) if has_standins else None,
        cache=home / "programs",
    )
    guard = _guard(directory)
    with locked(guard):
        try:
            server.start()
            yield Throwaway(
                server.address,
                str(choice.programs.version),
                is_ours=True,
                directory=server.directory,
                standins=frozenset(STANDINS) - choice.programs.extensions if has_standins else frozenset(),
                notes=choice.notes,
            )
        finally:
            server.destroy()
            guard.unlink(missing_ok=True)


def _place_in_memory(environ: Mapping[str, str]) -> Path | None:
    """A directory of ours in a file system in memory that has room; None: there is none, or one was named."""
    if "HOWDAH_STATE_DIR" in environ or not os.access(_MEMORY, os.W_OK | os.X_OK):
        return None
    found = os.statvfs(_MEMORY)
    place = _MEMORY / f"howdah-{os.geteuid()}"
    try:
        make_directory(place)
    except ConfigError:
        return None
    # Anybody could have made it: what others may write to is not for us.
    stated = place.lstat()
    is_ours = stated.st_uid == os.geteuid() and not stated.st_mode & 0o022 and stat.S_ISDIR(stated.st_mode)
    return place if is_ours and found.f_bavail * found.f_frsize > _ROOM_BYTES else None


def _guard(directory: Path) -> Path:
    """What the process that uses a throwaway server holds as long as it lives."""
    return directory.with_name(f"{directory.name}.lock")


def _remove_left_behind(home: Path) -> None:
    """Remove the servers of processes that were killed."""
    for directory in home.glob(f"{_PREFIX}*"):
        if directory.is_dir():
            guard = _guard(directory)
            try:
                with locked(guard, limit_seconds=0):
                    LocalServer(directory).destroy()
                    guard.unlink(missing_ok=True)
            except LockTimeout:
                continue
