"""A model that is kept up says the same as reading all of it anew, after every step."""

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
from howdah.migrate.migrator import Migrator
from howdah.observe.observer import Observer
from howdah.rehearse.probe import ObservingProbe
from howdah.rehearse.throwaway import throwaway
from howdah.schema.compare import compare
from howdah.schema.model import SchemaModel
from howdah.schema.snapshot import Snapshot, read_schema
from howdah.server.choice import Need

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
_LOCKED = "SELECT DISTINCT relation FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'"


def run(session: psycopg.Connection, statement: str) -> frozenset[int]:
    """Run a statement; the relations that its transaction had locked at its end."""
    with session.transaction():
        session.execute(statement.encode())
        return frozenset(row[0] for row in session.execute(_LOCKED))


def without_owners(model: SchemaModel) -> Snapshot:
    """What read_schema() reads, which knows nothing of owners."""
    found = model.snapshot
    return Snapshot(tuple(each for each in found.objects if each.kind != "owner"), found.major)


@pytest.fixture
def model(database: DatabaseConfig) -> Iterator[SchemaModel]:
    with connect(database) as session:
        yield SchemaModel(session)


@pytest.mark.parametrize(
    "place", ["kaimu/backend/db/migrations", "holomush/internal/store/migrations", "chatalot/migrations"]
)
def test_the_model_follows_the_migrations_of_the_examples(place: str) -> None:
    name = "sqlx" if place.startswith("chatalot") else "golang-migrate"
    with (
        throwaway(Need(extensions=frozenset({"uuid-ossp", "pg_trgm"}))) as server,
        server.database() as database,
        connect(database) as session,
        Observer() as observer,
    ):
        probe = ObservingProbe(observer)
        migrator = Migrator(database=database, directory=EXAMPLES / place, format=name, probe=probe)
        model = SchemaModel(session)
        versions = list(migrator.source().by_version)
        for version in versions:
            migrator.up(to=version)
            _follow(model, probe, session)
        for _ in versions if name == "golang-migrate" else ():
            migrator.down()
            _follow(model, probe, session)


def _follow(model: SchemaModel, probe: ObservingProbe, session: psycopg.Connection) -> None:
    # The run has written its history, too.
    touched = probe.steps[-1].touched
    model.read(touched)
    assert compare(read_schema(session, privileges=True), without_owners(model)) == (), probe.steps[-1].step


_TABLES = ("a", "b", "c")
_COLUMNS = ("x", "y", "z")
_table, _column = st.sampled_from(_TABLES), st.sampled_from(_COLUMNS)
_TEMPLATES = (
    "CREATE TABLE {0} (id int PRIMARY KEY, {2} int)",
    "CREATE TABLE {0} (id serial PRIMARY KEY, {2} mood)",
    "DROP TABLE {0} CASCADE",
    "ALTER TABLE {0} ADD COLUMN {2} text DEFAULT one()",
    "ALTER TABLE {0} ADD COLUMN {2} mood DEFAULT 'good'",
    "ALTER TABLE {0} DROP COLUMN {2} CASCADE",
    "ALTER TABLE {0} RENAME COLUMN {2} TO {3}",
    "ALTER TABLE {0} RENAME TO {1}",
    "ALTER TABLE {0} SET SCHEMA other",
    "ALTER TABLE other.{0} SET SCHEMA public",
    "ALTER TABLE {0} ADD FOREIGN KEY ({2}) REFERENCES {1}",
    "ALTER TABLE {0} ADD CHECK ({2} IS NOT NULL)",
    "ALTER TABLE {0} ALTER {2} SET NOT NULL",
    "ALTER TABLE {0} ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE {0} CLUSTER ON {0}_pkey",
    "ALTER TABLE {0} OWNER TO pg_monitor",
    "CREATE INDEX ON {0} ({2})",
    "CREATE UNIQUE INDEX i ON {0} ({2})",
    "DROP INDEX i",
    "ALTER INDEX i RENAME TO j",
    "CREATE VIEW v AS SELECT * FROM {0}",
    "CREATE OR REPLACE VIEW v AS SELECT id FROM {0}",
    "DROP VIEW v",
    "CREATE TRIGGER t BEFORE UPDATE ON {0} FOR EACH ROW EXECUTE FUNCTION touch()",
    "DROP TRIGGER t ON {0}",
    "CREATE POLICY p ON {0} USING (id = 1)",
    "DROP POLICY p ON {0}",
    "COMMENT ON TABLE {0} IS '{2}'",
    "COMMENT ON COLUMN {0}.{2} IS '{3}'",
    "COMMENT ON COLUMN {0}.{2} IS NULL",
    "GRANT SELECT ON {0} TO public",
    "GRANT UPDATE ({2}) ON {0} TO public",
    "REVOKE ALL ON {0} FROM public",
    "ALTER FUNCTION one() RENAME TO two",
    "ALTER FUNCTION two() RENAME TO one",
    "ALTER TYPE mood RENAME TO temper",
    "ALTER TYPE temper RENAME TO mood",
    "ALTER TYPE mood RENAME VALUE 'good' TO 'fine'",
    "ALTER SCHEMA other RENAME TO another",
    "ALTER SCHEMA another RENAME TO other",
    "DROP FUNCTION touch() CASCADE",
    "CREATE STATISTICS s ON id, {2} FROM {0}",
    "DROP STATISTICS s",
    "CREATE TYPE pair AS (l int, r text)",
    "ALTER TYPE pair ADD ATTRIBUTE {2} int",
    "ALTER TYPE pair RENAME ATTRIBUTE l TO left_one",
    "CREATE TABLE parted (id int, at date) PARTITION BY RANGE (at)",
    "CREATE TABLE part PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
    "ALTER TABLE parted DETACH PARTITION part",
    "CREATE SEQUENCE q",
    "ALTER SEQUENCE q OWNED BY {0}.{2}",
    "ALTER DOMAIN positive ADD CONSTRAINT small CHECK (VALUE < 10)",
    "DROP OWNED BY pg_monitor CASCADE",
    "DO $$ BEGIN EXECUTE 'ALTER TABLE {0} RENAME COLUMN {2} TO {3}'; END $$",
)
_ROOM = """
CREATE SCHEMA other; CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE FUNCTION one() RETURNS text LANGUAGE sql AS 'SELECT ''1''';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE a (id int PRIMARY KEY, x int, y text DEFAULT one()); CREATE TABLE b (id int PRIMARY KEY, x int);
CREATE VIEW w AS SELECT a.x, b.id FROM a JOIN b USING (id)
"""
_statement = st.builds(
    lambda template, one, two, x, y: template.format(one, two, x, y),
    st.sampled_from(_TEMPLATES), _table, _table, _column, _column,
)  # fmt: skip


@given(st.lists(_statement, min_size=5, max_size=25))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_the_model_follows_random_statements(server: RunningServer, statements: list[str]) -> None:
    with connect(server.address) as admin:
        admin.execute("DROP DATABASE IF EXISTS test_model WITH (FORCE)")
        admin.execute("CREATE DATABASE test_model TEMPLATE template0")
    database = server.address.with_database("test_model")
    with connect(database) as worker, connect(database) as reader, connect(database) as whole:
        worker.execute(_ROOM)
        model = SchemaModel(reader)
        for statement in statements:
            try:
                touched = run(worker, statement)
            except psycopg.Error:
                continue
            before, mark = without_owners(model), model.mark
            model.read(touched)
            after = read_schema(whole, privileges=True)
            assert compare(after, without_owners(model)) == (), statement
            seen = [each for each in compare(*model.changes(mark)) if each.kind != "owner"]
            assert seen == list(compare(before, after)), statement


def test_a_rename_changes_what_other_relations_say(database: DatabaseConfig, model: SchemaModel) -> None:
    with connect(database) as worker:
        worker.execute("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a)")
        model.read(None)
        model.read(run(worker, "ALTER TABLE a RENAME TO c"))
    (said,) = [each.definition for each in model.snapshot.objects if "REFERENCES" in each.definition]
    assert said == "FOREIGN KEY (a) REFERENCES public.c(id)"


def test_a_mark_says_what_was_then_and_until_another(database: DatabaseConfig, model: SchemaModel) -> None:
    with connect(database) as worker:
        first = model.mark
        model.read(run(worker, "CREATE TABLE a (id int)"))
        second = model.mark
        model.read(run(worker, "DROP TABLE a"))
    assert compare(*model.changes(first)) == ()
    assert [str(each) for each in compare(*model.changes(first, second))] == ["+ table public.a"]
    assert [str(each) for each in compare(*model.changes(second))] == ["- table public.a"]
