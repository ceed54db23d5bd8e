"""The stand-in for uuid-ossp against RFC 9562, Python's uuid module and the real extension."""

from __future__ import annotations

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fix_db import connect
from fix_standins import ExtensionServer, with_extensions
from howdah.config.database import DatabaseConfig, Secret

if TYPE_CHECKING:
    import psycopg

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
GREGORIAN = dt.datetime(1582, 10, 15, tzinfo=dt.UTC)


def one(connection: psycopg.Connection, query: str, *parameters: object) -> uuid.UUID:
    """The only value of the only row."""
    row = connection.execute(query.encode(), parameters).fetchone()
    assert row
    assert isinstance(row[0], uuid.UUID)
    return row[0]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("uuid_nil", uuid.UUID(int=0)),
        ("uuid_ns_dns", uuid.NAMESPACE_DNS),
        ("uuid_ns_url", uuid.NAMESPACE_URL),
        ("uuid_ns_oid", uuid.NAMESPACE_OID),
        ("uuid_ns_x500", uuid.NAMESPACE_X500),
    ],
)
def test_constants_are_those_of_the_rfc(
    standins: psycopg.Connection, function: str, expected: uuid.UUID
) -> None:
    assert one(standins, f"SELECT {function}()") == expected


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(namespace=st.uuids(), name=NAMES)
def test_name_based_uuids_are_those_of_python(
    standins: psycopg.Connection, namespace: uuid.UUID, name: str
) -> None:
    assert one(standins, "SELECT uuid_generate_v3(%s, %s)", namespace, name) == uuid.uuid3(namespace, name)
    assert one(standins, "SELECT uuid_generate_v5(%s, %s)", namespace, name) == uuid.uuid5(namespace, name)


@pytest.mark.parametrize("length", [0, 38, 39, 40, 47, 48, 103, 104, 1000])
def test_a_name_of_any_length_around_a_block_of_sha1_is_hashed(
    standins: psycopg.Connection, length: int
) -> None:
    name = "x" * length
    expected = uuid.uuid5(uuid.NAMESPACE_URL, name)
    assert one(standins, "SELECT uuid_generate_v5(uuid_ns_url(), %s)", name) == expected


@pytest.mark.parametrize("encoding", ["LATIN1", "EUC_JP", "SQL_ASCII", "UTF8"])
def test_names_are_hashed_as_the_real_extension_does_in_every_encoding(
    standin_server: ExtensionServer, real_server: ExtensionServer, encoding: str
) -> None:
    name = {"LATIN1": "Zoë \\x41 \\ é", "EUC_JP": "日本語 \\ \\x41"}.get(encoding, "Zoë 日本語 \\x41 \\")
    query = (
        "SELECT uuid_generate_v3(uuid_ns_dns(), %(n)s)::text, uuid_generate_v5(uuid_ns_dns(), %(n)s)::text"
    )
    answers = []
    for server in (standin_server, real_server):
        with connect(with_extensions(server.new_database(encoding=encoding))) as connection:
            if encoding != "SQL_ASCII":
                connection.execute("SET client_encoding = 'UTF8'")
            answers.append(connection.execute(query, {"n": name}).fetchone())
    assert answers[0] == answers[1] != (None, None)


def test_a_time_based_uuid_says_when_it_was_made(standins: psycopg.Connection) -> None:
    for function in ("uuid_generate_v1", "uuid_generate_v1mc"):
        row = standins.execute(
            f"SELECT clock_timestamp(), {function}(), clock_timestamp()".encode()
        ).fetchone()
        assert row
        before, made, after = row
        moment = GREGORIAN + dt.timedelta(microseconds=made.time // 10)
        assert before <= moment <= after
        assert made.version == 1
        assert made.variant == uuid.RFC_4122


def test_the_node_of_v1_stays_and_the_node_of_v1mc_is_new_each_time(
    standin_server: ExtensionServer,
) -> None:
    database = with_extensions(standin_server.new_database())
    v1, v1mc = set(), set()
    for _ in range(3):
        with connect(database) as connection:
            v1.add(one(connection, "SELECT uuid_generate_v1()").node)
            v1mc.add(one(connection, "SELECT uuid_generate_v1mc()").node)
    assert len(v1) == 1
    assert len(v1mc) == 3
    # the multicast bit: no network card has such an address
    assert all((node >> 40) & 1 for node in v1 | v1mc)
    with connect(with_extensions(standin_server.new_database())) as connection:
        assert one(connection, "SELECT uuid_generate_v1()").node not in v1


@pytest.mark.parametrize("function", ["uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4"])
def test_a_hundred_thousand_in_one_statement_differ(standins: psycopg.Connection, function: str) -> None:
    query = f"SELECT count(DISTINCT {function}()) FROM generate_series(1, 100000)"
    assert standins.execute(query.encode()).fetchone() == (100000,)


def test_one_sessions_v1_uuids_only_grow_in_time(standins: psycopg.Connection) -> None:
    rows = standins.execute("SELECT uuid_generate_v1() FROM generate_series(1, 5000)").fetchall()
    times = [row[0].time for row in rows]
    assert times == sorted(set(times))


def test_v1_uuids_of_concurrent_sessions_differ(standin_server: ExtensionServer) -> None:
    database = with_extensions(standin_server.new_database())

    def draw(_: int) -> list[uuid.UUID]:
        with connect(database) as connection:
            rows = connection.execute("SELECT uuid_generate_v1() FROM generate_series(1, 20000)")
            return [row[0] for row in rows]

    with ThreadPoolExecutor(8) as pool:
        drawn = [made for one_session in pool.map(draw, range(8)) for made in one_session]
    assert len(set(drawn)) == len(drawn) == 160000


def test_parallel_workers_call_every_function(standin_server: ExtensionServer) -> None:
    with connect(with_extensions(standin_server.new_database())) as connection:
        connection.execute("CREATE TABLE t AS SELECT i FROM generate_series(1, 20000) AS i")
        connection.execute("ALTER TABLE t SET (parallel_workers = 2)")
        connection.execute(
            "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0"
        )
        query = (
            "SELECT count(DISTINCT (uuid_generate_v1(), uuid_generate_v1mc(), uuid_generate_v4())),"
            " count(DISTINCT uuid_generate_v1()), count(DISTINCT uuid_generate_v5(uuid_nil(), i::text)),"
            " count(DISTINCT gen_random_bytes(16))"
            " FROM (SELECT i FROM t WHERE uuid_generate_v1() IS NOT NULL) AS t"
        )
        plan = "".join(row[0] for row in connection.execute(f"EXPLAIN (ANALYZE, COSTS off) {query}".encode()))
        assert "Workers Launched: 2" in plan
        assert connection.execute(query.encode()).fetchone() == (20000, 20000, 20000, 20000)


def test_every_function_works_in_a_read_only_transaction(standins: psycopg.Connection) -> None:
    with standins.transaction():
        standins.execute("SET TRANSACTION READ ONLY")
        row = standins.execute(
            "SELECT uuid_generate_v1(), uuid_generate_v1mc(), uuid_generate_v4(), gen_random_bytes(3)"
        ).fetchone()
    assert row
    assert [made.version for made in row[:3]] == [1, 1, 4]


def test_v4_uuids_are_random(standins: psycopg.Connection) -> None:
    rows = standins.execute("SELECT uuid_generate_v4() FROM generate_series(1, 2000)").fetchall()
    assert {row[0].version for row in rows} == {4}
    assert {row[0].variant for row in rows} == {uuid.RFC_4122}
    ones = [sum((row[0].int >> bit) & 1 for row in rows) for bit in range(128)]
    # 2000 throws: 1000 ones give or take 22 (one sigma); 122 of the 128 bits are thrown
    assert sum(800 < count < 1200 for count in ones) == 122


def test_an_address_of_nothing_is_null(standins: psycopg.Connection) -> None:
    query = "SELECT uuid_generate_v3(NULL, 'x'), uuid_generate_v5(uuid_nil(), NULL)"
    assert standins.execute(query).fetchone() == (None, None)


def test_it_is_found_by_an_ordinary_owner_of_a_database(standin_server: ExtensionServer) -> None:
    database = standin_server.new_database()
    with connect(database) as connection:
        connection.execute("CREATE ROLE standin_owner LOGIN PASSWORD 'x'")
        connection.execute("CREATE ROLE standin_guest LOGIN PASSWORD 'x'")
        connection.execute(f'ALTER DATABASE "{database.database}" OWNER TO standin_owner'.encode())
    owner = as_user(database, "standin_owner")
    with connect(with_extensions(owner)) as connection:
        assert one(connection, "SELECT uuid_generate_v1()").version == 1
    with connect(as_user(database, "standin_guest")) as connection:
        assert one(connection, "SELECT uuid_generate_v1()").version == 1
        assert one(connection, "SELECT uuid_generate_v5(uuid_nil(), '')").version == 5
        assert connection.execute("SELECT length(hmac('a', 'b', 'sha1'))").fetchone() == (20,)


def as_user(database: DatabaseConfig, user: str) -> DatabaseConfig:
    """The same database for a role whose password is x."""
    return replace(database, user=user, password=Secret("x"))
