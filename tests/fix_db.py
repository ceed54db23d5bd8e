"""A fresh, empty database for each test that asks for one."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from fix_server import RunningServer
from howdah.config.database import DatabaseConfig

_numbers = itertools.count(1)


def connect(address: DatabaseConfig) -> psycopg.Connection:
    """A plain autocommit session."""
    return psycopg.connect(make_conninfo(**address.conninfo()), autocommit=True)


@pytest.fixture
def make_database(server: RunningServer) -> Iterator[Callable[[], DatabaseConfig]]:
    """Make as many empty databases as a test needs; they are dropped after it."""
    made: list[str] = []

    def make() -> DatabaseConfig:
        name = f"test_{os.getpid()}_{next(_numbers)}"
        with connect(server.address) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        made.append(name)
        return server.address.with_database(name)

    yield make
    with connect(server.address) as connection:
        for name in made:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


@pytest.fixture
def database(make_database: Callable[[], DatabaseConfig]) -> DatabaseConfig:
    """A fresh, empty database, the superuser's address."""
    return make_database()
