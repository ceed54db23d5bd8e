"""LocalServer on a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from fix_db import connect
from howdah.config.database import Secret
from howdah.server.local import LocalServer


def test_a_new_server_takes_connections_over_tcp_and_socket(new_local: LocalServer) -> None:
    durable = replace(new_local, settings={})
    assert durable.start() is True
    for address in (durable.address, durable.socket_address):
        with connect(address) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("postgres",)


def test_starting_twice_starts_once(local: LocalServer) -> None:
    assert local.start() is True
    assert local.start() is False


def test_data_and_address_are_kept_between_runs(local: LocalServer) -> None:
    local.start()
    address = local.address
    with connect(address) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS x")
    assert local.stop() is True
    assert local.stop() is False
    local.start()
    assert local.address == address
    with connect(address) as connection:
        assert connection.execute("SELECT x FROM kept").fetchone() == (1,)


def test_tcp_wants_the_password(local: LocalServer) -> None:
    local.start()
    with pytest.raises(psycopg.OperationalError, match="password"):
        connect(replace(local.address, password=Secret("wrong")))


def test_a_database_of_its_own(database: object) -> None:
    assert database
