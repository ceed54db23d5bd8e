"""Roles and databases of one test on the shared server, gone after it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import psycopg
import pytest
from psycopg import sql

from fix_db import connect
from fix_server import RunningServer
from howdah.config.database import DatabaseConfig, Secret
from howdah.config.project import DatabaseSettings, SetupSettings
from howdah.provision.request import SetupRequest

_numbers = itertools.count(1)


@dataclass
class Place:
    """Names nobody else uses, and the superuser to look with."""

    server: RunningServer
    prefix: str
    made: list[str] = field(default_factory=list)

    def name(self, word: str) -> str:
        name = f"{self.prefix}{word}"
        self.made.append(name)
        return name

    def address(self, user: str = "app", database: str = "db", password: str = "s3cret") -> DatabaseConfig:
        return replace(
            self.server.address,
            user=self.name(user),
            database=self.name(database),
            password=Secret(password),
        )

    def request(
        self, address: DatabaseConfig, setup: SetupSettings | None = None, *, protected: bool = False
    ) -> SetupRequest:
        settings = DatabaseSettings(name="it", setup=setup or SetupSettings(), protected=protected)
        return SetupRequest(settings, address, self.server.address, environ={})

    def run(self, statement: str, *, database: str = "postgres") -> None:
        with self.superuser(database) as session:
            session.execute(statement.encode())

    def superuser(self, database: str = "postgres") -> psycopg.Connection:
        return connect(self.server.address.with_database(database))

    def value(self, query: str, *values: object, database: str = "postgres") -> object:
        with self.superuser(database) as session:
            row = session.execute(query.encode(), values).fetchone()
        assert row is not None
        return row[0]

    def clean(self) -> None:
        with self.superuser() as session:
            for name in self.made:
                session.execute(
                    sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
                )
            roles = session.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY (%s)", (self.made,))
            names = [sql.Identifier(row[0]) for row in roles.fetchall()]
            for role in names:  # what they granted to each other goes first
                session.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(role))
            for role in names:
                session.execute(sql.SQL("DROP ROLE {}").format(role))


@pytest.fixture
def place(server: RunningServer) -> Iterator[Place]:
    place = Place(server, f"t{os.getpid()}_{next(_numbers)} ")
    yield place
    place.clean()
