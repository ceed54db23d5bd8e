"""What features_of says of statements and transactions is what a server does."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors

from fix_db import connect
from howdah.config.database import DatabaseConfig
from howdah.pg.features import Feature, features_of

PREPARATION = [
    "CREATE TABLE plain (a int CONSTRAINT plain_key PRIMARY KEY)",
    "CREATE TABLE parent (a int) PARTITION BY LIST (a)",
    "CREATE TABLE part PARTITION OF parent FOR VALUES IN (1)",
    "CREATE TYPE mood AS ENUM ('good')",
    "CREATE SUBSCRIPTION enabled CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p WITH (connect = false)",
    "ALTER SUBSCRIPTION enabled ENABLE",
]
FORBIDDEN = [
    "CREATE DATABASE other",
    "DROP DATABASE other",
    "DROP DATABASE IF EXISTS other WITH (FORCE)",
    "ALTER DATABASE postgres SET TABLESPACE pg_default",
    "CREATE TABLESPACE other LOCATION '/nowhere'",
    "DROP TABLESPACE other",
    "ALTER SYSTEM SET work_mem = '4MB'",
    "ALTER SYSTEM RESET ALL",
    "CREATE INDEX CONCURRENTLY ON plain (a)",
    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON plain (a)",
    "create /* x */ index\nconcurrently on plain (a)",
    "DROP INDEX CONCURRENTLY plain_key",
    "DROP INDEX CONCURRENTLY IF EXISTS nothing",
    "REINDEX TABLE CONCURRENTLY plain",
    "REINDEX (VERBOSE, CONCURRENTLY) TABLE plain",
    "REINDEX (CONCURRENTLY true) INDEX plain_key",
    "REINDEX (CONCURRENTLY 1, VERBOSE off) INDEX plain_key",
    "REINDEX SCHEMA public",
    "REINDEX SCHEMA CONCURRENTLY public",
    "REINDEX DATABASE postgres",
    "REINDEX SYSTEM postgres",
    "VACUUM",
    "VACUUM (ANALYZE) plain",
    "VACUUM FULL plain",
    "CLUSTER",
    "CLUSTER VERBOSE",
    "CLUSTER (VERBOSE)",
    "DISCARD ALL",
    "ALTER TABLE parent DETACH PARTITION part CONCURRENTLY",
    'ALTER TABLE IF EXISTS ONLY public."parent" DETACH PARTITION public.part CONCURRENTLY',
    "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p",
    "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p WITH (create_slot, enabled = false)",
    "DROP SUBSCRIPTION enabled",
    "ALTER SUBSCRIPTION enabled REFRESH PUBLICATION",
    "ALTER SUBSCRIPTION enabled SET PUBLICATION p, q",
    "ALTER SUBSCRIPTION enabled ADD PUBLICATION q WITH (copy_data = false)",
    "COMMIT PREPARED 'x'",
    "ROLLBACK PREPARED 'x'",
]
ALLOWED = [
    "CREATE INDEX concurrently_named ON plain (a)",
    "CREATE INDEX ON plain (a)",
    "DROP INDEX IF EXISTS nothing",
    "REINDEX TABLE plain",
    "REINDEX (CONCURRENTLY false) TABLE plain",
    "REINDEX (CONCURRENTLY off, VERBOSE) TABLE plain",
    "ANALYZE plain",
    "ANALYZE",
    "CLUSTER plain USING plain_key",
    "ALTER TABLE parent DETACH PARTITION part",
    'ALTER TABLE plain ADD COLUMN "concurrently" int',
    "ALTER TYPE mood ADD VALUE 'bad'",
    "ALTER DATABASE postgres SET work_mem = '4MB'",
    "DISCARD PLANS",
    "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p WITH (connect = false)",
    "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p WITH (create_slot = off, connect = false)",
    "ALTER SUBSCRIPTION enabled SET PUBLICATION q WITH (refresh = false)",
    "ALTER SUBSCRIPTION enabled DISABLE",
    "ALTER SUBSCRIPTION enabled SET (synchronous_commit = off)",
    "CREATE SCHEMA s CREATE TABLE t (a int)",
    "PREPARE vacuum AS SELECT 1",
    "CHECKPOINT",
    "LOCK TABLE plain",
    "REFRESH MATERIALIZED VIEW nothing",
    "CREATE EXTENSION nothing",
]
NEWER = {"CLUSTER (VERBOSE)": 170000}


@pytest.fixture
def session(database: DatabaseConfig) -> Iterator[psycopg.Connection]:
    with connect(database) as connection:
        for statement in PREPARATION:
            connection.execute(statement.encode())
        yield connection
        connection.execute("ALTER SUBSCRIPTION enabled DISABLE")
        connection.execute("ALTER SUBSCRIPTION enabled SET (slot_name = NONE)")
        connection.execute("DROP SUBSCRIPTION enabled")


def is_forbidden(session: psycopg.Connection, statement: str) -> bool:
    session.execute("BEGIN")
    try:
        session.execute(statement.encode())
    except errors.ActiveSqlTransaction:
        return True
    except errors.SyntaxError:
        raise
    except psycopg.Error:
        return False
    finally:
        session.execute("ROLLBACK")
    return False


def test_no_transaction_says_what_the_server_says(session: psycopg.Connection) -> None:
    wrong = []
    for statement in FORBIDDEN + ALLOWED:
        if session.info.server_version < NEWER.get(statement, 0):
            continue
        wanted = statement in FORBIDDEN
        server = is_forbidden(session, statement)
        ours = Feature.NO_TRANSACTION in features_of(statement)
        if not wanted == server == ours:
            wrong.append(f"{statement}: expected {wanted}, server {server}, howdah {ours}")
    assert wrong == []
