"""The dump of a database that random statements made builds the same database, and is dumped the same from there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fix_db import connect
from fix_server import RunningServer
from howdah.config.database import DatabaseConfig
from howdah.schema.compare import compare
from howdah.schema.dump import dump_schema
from howdah.schema.load import load_sql
from howdah.schema.snapshot import read_schema

PLACES = [(f"random_{kind}") for kind in ("made", "loaded")]
NAMES = st.sampled_from(["a", "b", "c", '"B b"', '"a "'])
TABLES = st.sampled_from(["t", "u", '"T t"', '"t "', "p"])
STATEMENTS = st.one_of(
    st.builds("CREATE TABLE {} ({} int, {} text)".format, TABLES, NAMES, NAMES),
    st.builds("CREATE TABLE {} ({} int NOT NULL) PARTITION BY LIST ({})".format, TABLES, NAMES, NAMES),
    st.builds("CREATE TABLE {} PARTITION OF {} FOR VALUES IN ({})".format, TABLES, TABLES, st.integers(1, 3)),
    st.builds("CREATE TABLE {} () INHERITS ({})".format, TABLES, TABLES),
    st.builds("ALTER TABLE {} ADD COLUMN {} serial".format, TABLES, NAMES),
    st.builds("ALTER TABLE {} ADD COLUMN {} int GENERATED ALWAYS AS IDENTITY".format, TABLES, NAMES),
    st.builds("ALTER TABLE {} DROP COLUMN {}".format, TABLES, NAMES),
    st.builds("ALTER TABLE {} RENAME COLUMN {} TO {}".format, TABLES, NAMES, NAMES),
    st.builds("ALTER TABLE {} RENAME TO {}".format, TABLES, TABLES),
    st.builds("ALTER TABLE {} ADD PRIMARY KEY ({})".format, TABLES, NAMES),
    st.builds("ALTER TABLE {} ADD UNIQUE ({})".format, TABLES, NAMES),
    st.builds("ALTER TABLE {} ADD CHECK ({} IS NOT NULL) NOT VALID".format, TABLES, NAMES),
    st.builds("ALTER TABLE {} ADD FOREIGN KEY ({}) REFERENCES {}".format, TABLES, NAMES, TABLES),
    st.builds("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT one()".format, TABLES, NAMES),
    st.builds("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL".format, TABLES, NAMES),
    st.builds("CREATE INDEX ON {} ({})".format, TABLES, NAMES),
    st.builds("CREATE INDEX ON ONLY {} ({})".format, TABLES, NAMES),
    st.builds("CREATE INDEX ON {} (one({}::text))".format, TABLES, NAMES),
    st.builds("CREATE VIEW v_{} AS SELECT {} AS x FROM {}".format, st.sampled_from("ab"), NAMES, TABLES),
    st.builds("CREATE VIEW w_{} AS SELECT * FROM v_{}".format, st.sampled_from("ab"), st.sampled_from("ab")),
    st.builds("CREATE VIEW g AS SELECT * FROM {} GROUP BY {}".format, TABLES, NAMES),
    st.builds(
        "CREATE TRIGGER {} AFTER INSERT ON {} FOR EACH ROW EXECUTE FUNCTION touch()".format, NAMES, TABLES
    ),
    st.builds("COMMENT ON COLUMN {}.{} IS 'c''c'".format, TABLES, NAMES),
    st.builds("CREATE POLICY {} ON {} USING ({} IS NULL)".format, NAMES, TABLES, NAMES),
    st.builds("CREATE FUNCTION f({}) RETURNS int LANGUAGE sql AS 'SELECT 1'".format, TABLES),
    st.builds("DROP TABLE {} CASCADE".format, TABLES),
)
FUNCTIONS = """
CREATE FUNCTION one() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION one(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
"""


@pytest.fixture
def places(server: RunningServer) -> Iterator[list[DatabaseConfig]]:
    yield [server.address.with_database(name) for name in PLACES]
    with connect(server.address) as connection:
        for name in PLACES:
            connection.execute(f"DROP DATABASE IF EXISTS {name}".encode())


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(statements=st.lists(STATEMENTS, min_size=15, max_size=60))
def test_what_random_statements_made_comes_back(
    server: RunningServer, places: list[DatabaseConfig], statements: list[str]
) -> None:
    with connect(server.address) as connection:
        for name in PLACES:
            connection.execute(f"DROP DATABASE IF EXISTS {name}".encode())
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    made, loaded = places
    with connect(made) as one, connect(loaded) as other:
        one.execute(FUNCTIONS)
        for statement in statements:
            try:
                one.execute(statement.encode())
            except psycopg.Error:
                continue  # there is no such table, or it is there already
        text = dump_schema(one, made).text
        load_sql(other, text, file=Path("schema.sql"), make_roles=False)
        assert compare(read_schema(one), read_schema(other)) == ()
        assert dump_schema(other, loaded).text == text
