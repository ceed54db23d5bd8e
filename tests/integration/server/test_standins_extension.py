"""The stand-ins as extensions: catalog entries, any schema, any search_path, dumps that name the real one."""

from __future__ import annotations

import subprocess
import uuid
from typing import TYPE_CHECKING

import pytest

from fix_db import connect
from fix_standins import ExtensionServer, with_extensions
from howdah.config.database import DatabaseConfig
from howdah.pg.programs import Programs, plain_environment
from howdah.server.standins import STANDINS

if TYPE_CHECKING:
    import psycopg

SIGNATURES = """
SELECT p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
       p.provolatile, p.proisstrict, p.proparallel, p.proretset, p.prosecdef
FROM pg_depend AS d JOIN pg_extension AS e ON d.refobjid = e.oid JOIN pg_proc AS p ON d.objid = p.oid
WHERE d.refclassid = 'pg_extension'::regclass AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
  AND e.extname = %s AND p.proname NOT LIKE '%%\\_standin\\_%%'
ORDER BY 1, 2
"""
SCHEMA = """
CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    tracking uuid NOT NULL DEFAULT uuid_generate_v1mc(),
    token bytea DEFAULT gen_random_bytes(16),
    email text UNIQUE,
    email_key bytea GENERATED ALWAYS AS (digest(lower(email), 'sha256')) STORED,
    by_name uuid GENERATED ALWAYS AS (uuid_generate_v5(uuid_ns_url(), email)) STORED
);
CREATE INDEX users_email_mac ON users (hmac(email, 'key', 'sha1'));
CREATE INDEX users_name_3 ON users (uuid_generate_v3(uuid_ns_dns(), email));
CREATE VIEW salted AS SELECT crypt(email, gen_salt('bf')) AS hash FROM users;
"""
CALLS = """
SELECT {s}.uuid_generate_v5({s}.uuid_ns_dns(), 'a'), {s}.uuid_generate_v3({s}.uuid_ns_dns(), 'a'),
       {s}.hmac('a', 'b', 'sha1'), {s}.digest('a'::text, 'md5'), {s}.digest('a'::bytea, 'SHA512')
"""
RANDOM_CALLS = """
SELECT ({s}.uuid_generate_v1() IS NOT NULL) AND ({s}.uuid_generate_v1mc() IS NOT NULL)
   AND ({s}.uuid_generate_v4() IS NOT NULL) AND length({s}.gen_random_bytes(99)) = 99
"""


def run(connection: psycopg.Connection, query: str) -> tuple[object, ...] | None:
    """The only row."""
    return connection.execute(query.encode()).fetchone()


def run_program(
    programs: Programs, name: str, database: DatabaseConfig, *arguments: str, stdin: str = ""
) -> str:
    """What a client program writes to stdout."""
    assert database.password
    done = subprocess.run(
        [str(programs.path(name)), "-h", database.host, "-p", database.port, "-U", database.user, *arguments],
        env={
            **plain_environment(),
            "PGDATABASE": database.database,
            "PGPASSWORD": database.password.reveal(),
        },
        input=stdin,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def fresh(standin_server: ExtensionServer) -> DatabaseConfig:
    """A database without extensions, where CREATE EXTENSION finds the stand-ins."""
    return standin_server.new_database()


@pytest.mark.parametrize(("name", "version"), [("uuid-ossp", "1.1"), ("pgcrypto", "1.3")])
def test_functions_have_the_signatures_and_marks_of_the_real_extension(
    standin_server: ExtensionServer, real_server: ExtensionServer, name: str, version: str
) -> None:
    found = []
    for server in (standin_server, real_server):
        with connect(server.new_database()) as connection:
            connection.execute(f"CREATE EXTENSION \"{name}\" VERSION '{version}'".encode())
            found.append(connection.execute(SIGNATURES.encode(), [name]).fetchall())
    assert found[0] == found[1]
    assert len(found[0]) == {"uuid-ossp": 10, "pgcrypto": 36}[name]


def test_pgcrypto_is_updated_from_its_older_version(fresh: DatabaseConfig) -> None:
    with connect(fresh) as connection:
        connection.execute("CREATE EXTENSION pgcrypto VERSION '1.3'; ALTER EXTENSION pgcrypto UPDATE")
        assert run(connection, "SELECT extversion FROM pg_extension WHERE extname = 'pgcrypto'") == ("1.4",)
        assert run(connection, "SELECT fips_mode()") == (False,)


@pytest.mark.parametrize("name", STANDINS)
def test_the_list_of_extensions_shows_that_it_is_a_standin(standins: psycopg.Connection, name: str) -> None:
    query = f"SELECT obj_description(oid, 'pg_extension') FROM pg_extension WHERE extname = '{name}'"
    row = run(standins, query)
    assert row
    assert str(row[0]).startswith(f"howdah SQL stand-in for {name}, development only")


def test_functions_do_not_depend_on_search_path_or_on_the_schema_they_are_in(fresh: DatabaseConfig) -> None:
    with connect(with_extensions(fresh)) as connection:
        expected = run(connection, CALLS.format(s="public"))
        connection.execute('CREATE SCHEMA "Odd Schema"; CREATE SCHEMA extensions')
        for schema in ('"Odd Schema"', "extensions"):
            for name in STANDINS:
                connection.execute(f'ALTER EXTENSION "{name}" SET SCHEMA {schema}'.encode())
            connection.execute("SET search_path = ''")
            assert run(connection, CALLS.format(s=schema)) == expected
            assert run(connection, RANDOM_CALLS.format(s=schema)) == (True,)
            connection.execute("RESET search_path")


def test_the_extensions_can_be_made_in_a_schema_that_is_not_on_the_search_path(fresh: DatabaseConfig) -> None:
    with connect(fresh) as connection:
        connection.execute("CREATE SCHEMA extensions; SET search_path = ''")
        for name in STANDINS:
            connection.execute(f'CREATE EXTENSION "{name}" SCHEMA extensions'.encode())
        row = run(connection, CALLS.format(s="extensions"))
        assert row
        assert row[0] == uuid.uuid5(uuid.NAMESPACE_DNS, "a")
        assert run(connection, RANDOM_CALLS.format(s="extensions")) == (True,)


def test_functions_and_operators_of_the_caller_do_not_get_in_between(fresh: DatabaseConfig) -> None:
    with connect(with_extensions(fresh)) as connection:
        expected = run(connection, CALLS.format(s="public"))
        connection.execute("""
            CREATE SCHEMA evil;
            CREATE FUNCTION evil.set_byte(bytea, integer, integer) RETURNS bytea RETURN '\\x00'::bytea;
            CREATE FUNCTION evil.substr(bytea, integer, integer) RETURNS bytea RETURN '\\x00'::bytea;
            CREATE FUNCTION evil.int8send(bigint) RETURNS bytea RETURN '\\x00'::bytea;
            CREATE FUNCTION evil.gen_random_uuid() RETURNS uuid RETURN NULL::uuid;
            CREATE FUNCTION evil.nothing(bigint, bigint) RETURNS bigint RETURN 0;
            CREATE OPERATOR evil.# (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.nothing);
            CREATE OPERATOR evil.& (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.nothing);
            SET search_path = evil, pg_catalog;
        """)
        assert run(connection, CALLS.format(s="public")) == expected
        assert run(connection, RANDOM_CALLS.format(s="public")) == (True,)


def test_they_serve_in_defaults_generated_columns_and_indexes(fresh: DatabaseConfig) -> None:
    with connect(with_extensions(fresh)) as connection:
        connection.execute(SCHEMA.encode())
        connection.execute(
            "INSERT INTO users (email) SELECT 'U' || i || '@x' FROM generate_series(1, 500) AS i"
        )
        counts = run(
            connection, "SELECT count(DISTINCT id), count(DISTINCT tracking), count(by_name) FROM users"
        )
        assert counts == (500, 500, 500)
        connection.execute("SET enable_seqscan = off")
        query = "SELECT email FROM users WHERE hmac(email, 'key', 'sha1') = hmac('U7@x', 'key', 'sha1')"
        assert run(connection, query) == ("U7@x",)
        plan = connection.execute(f"EXPLAIN {query}".encode()).fetchall()
        assert "users_email_mac" in str(plan)


def test_a_dump_names_the_extension_and_restores_on_a_server_that_has_the_real_one(
    standin_server: ExtensionServer, real_server: ExtensionServer, fresh: DatabaseConfig
) -> None:
    with connect(with_extensions(fresh)) as connection:
        connection.execute(SCHEMA.encode())
        connection.execute("INSERT INTO users (email) VALUES ('zoë@x')")
    text = run_program(standin_server.programs, "pg_dump", fresh, "--inserts")
    assert 'CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA public;' in text
    assert "CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA public;" in text
    assert "_standin_" not in text
    assert "CREATE FUNCTION" not in text
    if real_server.programs.version.major < standin_server.programs.version.major:
        pytest.skip("the server with real extensions is older than the dump")
    there = real_server.new_database()
    run_program(standin_server.programs, "psql", there, "-Xqv", "ON_ERROR_STOP=1", stdin=text)
    with connect(there) as connection:
        assert run(connection, "SELECT email_key = digest('zoë@x', 'sha256') FROM users") == (True,)
        assert run(connection, "SELECT by_name FROM users") == (uuid.uuid5(uuid.NAMESPACE_URL, "zoë@x"),)
        assert run(connection, "SELECT length(hash) FROM salted") == (60,)
