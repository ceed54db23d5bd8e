"""A server that refuses in every way a server can: roles, databases and lines of pg_hba.conf made to fail."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psycopg
import pytest

from fix_db import connect
from fix_server import choose_test_programs, reachable_directory
from howdah.config.database import DatabaseConfig, Secret
from howdah.pg.programs import Programs
from howdah.server.local import LocalServer

_HBA = """
local   all  peered                  peer
local   all  all                     trust
host    all  postgres  127.0.0.1/32  scram-sha-256
host    all  banned    127.0.0.1/32  reject
host    all  app,expired,phantom  127.0.0.1/32  scram-sha-256
host    all  open,ghost,owners,limited  127.0.0.1/32  trust
"""
_HBA_TLS = """
hostssl all  needs_tls  127.0.0.1/32  scram-sha-256
hostnossl all  needs_tls_too  127.0.0.1/32  reject
hostssl all  needs_tls_too  127.0.0.1/32  trust
hostssl all  certified  127.0.0.1/32  trust clientcert=verify-full
"""
_ROLES = """
CREATE ROLE app LOGIN PASSWORD 'right';
CREATE ROLE expired LOGIN PASSWORD 'right' VALID UNTIL '2001-01-01';
CREATE ROLE needs_tls LOGIN PASSWORD 'right';
CREATE ROLE needs_tls_too LOGIN;
CREATE ROLE open LOGIN;
CREATE ROLE banned LOGIN;
CREATE ROLE peered LOGIN;
CREATE ROLE certified LOGIN;
CREATE ROLE owners NOLOGIN;
CREATE ROLE limited LOGIN CONNECTION LIMIT 0;
CREATE DATABASE closed ALLOW_CONNECTIONS false;
CREATE DATABASE full_up CONNECTION LIMIT 0;
CREATE DATABASE private;
REVOKE CONNECT ON DATABASE private FROM PUBLIC;
CREATE DATABASE half_dropped;
"""


@dataclass(frozen=True)
class Gate:
    """A running gate."""

    local: LocalServer
    major: int

    @property
    def superuser(self) -> DatabaseConfig:
        return self.local.address

    def address(
        self, user: str, *, database: str = "postgres", password: str = "", **options: str
    ) -> DatabaseConfig:
        """The address of a role over TCP."""
        return replace(
            self.local.address,
            user=user,
            database=database,
            password=Secret(password) if password else None,
            options=options,
        )


@contextmanager
def running_gate(programs: Programs, *, settings: Mapping[str, str] | None = None) -> Iterator[Gate]:
    """A gate run by these programs."""
    directory = reachable_directory()
    settings = dict(settings or {})
    hba = directory / "pg_hba.conf"
    hba.write_text(_HBA + (_HBA_TLS if "ssl" in settings else ""), encoding="ascii")
    defaults = {"fsync": "off", "max_connections": "20", "hba_file": str(hba)}
    local = LocalServer(directory / "server", programs, settings={**defaults, **settings})
    try:
        local.start()
        with connect(local.address) as session:
            for statement in filter(None, map(str.strip, _ROLES.split(";"))):
                session.execute(statement.encode())
            # what an interrupted DROP DATABASE leaves behind
            session.execute("UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'half_dropped'")
        yield Gate(local, programs.version.major)
    finally:
        local.destroy()
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def gate(pytestconfig: pytest.Config) -> Iterator[Gate]:
    """A gate without TLS, of the version under test."""
    with running_gate(choose_test_programs(pytestconfig)) as running:
        yield running


def fill(config: DatabaseConfig, *, limit: int = 100) -> list[psycopg.Connection]:
    """As many sessions as the server gives; the caller closes them."""
    sessions: list[psycopg.Connection] = []
    with contextlib.suppress(psycopg.OperationalError):
        while len(sessions) < limit:
            sessions.append(connect(config))
    return sessions


@pytest.fixture(scope="session")
def replica(pytestconfig: pytest.Config) -> Iterator[DatabaseConfig]:
    """A server in recovery that takes readers: a replica whose primary is away."""
    directory = reachable_directory()
    local = LocalServer(directory / "server", choose_test_programs(pytestconfig), settings={"fsync": "off"})
    try:
        local.start()
        local.stop()
        (local.data / "standby.signal").touch()
        local.start()
        yield local.address
    finally:
        local.destroy()
        shutil.rmtree(directory)
