"""A rehearsal on real data: what the rows make fail, who waits for what, and a source that stays as it was."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql

from fix_db import connect
from fix_server import RunningServer
from howdah.config.database import DatabaseConfig, Secret
from howdah.errors import RefusedError
from howdah.migrate.migrator import Migrator
from howdah.observe.sizes import Stats, TableSize
from howdah.rehearse.live import LiveSettings, rehearse_on_data
from howdah.rehearse.measured import DataFailure, DataFailureKind, LiveRehearsal
from howdah.rehearse.source import look_at_database
from howdah.schema.snapshot import read_schema

_SEED = (
    "CREATE TABLE orgs (id int PRIMARY KEY, name text)",
    "INSERT INTO orgs SELECT g, 'org' || g FROM generate_series(1, 50) g",
    "CREATE TABLE users (id int PRIMARY KEY, org_id int, email text, seen timestamptz, age bigint)",
    "INSERT INTO users SELECT g, 1 + g % 50, 'u' || g, now(), g FROM generate_series(1, 2000) g",
)


@pytest.fixture
def environ(open_path: Path, server: RunningServer) -> Mapping[str, str]:
    """Throwaway servers of this test are here, and of the version that is tested."""
    bindir = {"HOWDAH_PG_BINDIR": str(server.programs.bindir)} if server.programs else {}
    return {"HOWDAH_STATE_DIR": str(open_path), **bindir}


@pytest.fixture
def rehearse(
    database: DatabaseConfig, tmp_path: Path, environ: Mapping[str, str]
) -> Callable[..., LiveRehearsal]:
    """Fill the database, write one migration behind an applied one, and rehearse it."""

    def run(
        migration: str,
        *,
        seed: tuple[str, ...] = (),
        stats: Stats | None = None,
        at: DatabaseConfig | None = None,
    ) -> LiveRehearsal:
        migrations = tmp_path / "migrations"
        migrations.mkdir(exist_ok=True)
        (migrations / "1_first.up.sql").write_text(";\n".join((*_SEED, *seed)))
        migrator = Migrator(database=database, directory=migrations, format="golang-migrate")
        migrator.up()
        (migrations / "2_second.up.sql").write_text(migration)
        settings = LiveSettings(at=at, stats=stats, environ=environ)
        return rehearse_on_data(look_at_database(database), migrator, settings=settings)

    return run


def data_failure(found: LiveRehearsal) -> DataFailure:
    assert found.failed is not None
    assert found.failed.data is not None
    return found.failed.data


def rows_of(database: DatabaseConfig, query: str) -> list[tuple[object, ...]]:
    """What a person gets who runs the query that was told."""
    with connect(database) as connection:
        cursor = connection.execute(query.encode())
        while cursor.nextset():
            pass
        return cursor.fetchall()


def test_a_migration_that_fits_is_measured(rehearse: Callable[..., LiveRehearsal]) -> None:
    found = rehearse(
        "ALTER TABLE users ADD COLUMN a uuid DEFAULT gen_random_uuid();\nALTER TABLE orgs ADD COLUMN b int;"
    )
    assert found.failed is None
    (second,) = found.migrations
    assert second.version == "2"
    by_name = {each.relation: each for each in second.tables}
    assert by_name["public.users"].mode.value == "ACCESS EXCLUSIVE"
    assert 0 < by_name["public.orgs"].held_seconds < by_name["public.users"].held_seconds <= second.seconds
    assert by_name["public.users"].reader_seconds is not None
    assert [each.number for each in second.statements] == [1, 2]
    assert found.sizes.by_name["public.users"].rows == 2000


def test_a_stall_is_measured_to_its_end_however_long(rehearse: Callable[..., LiveRehearsal]) -> None:
    (second,) = rehearse("ALTER TABLE users ADD COLUMN a int;\nSELECT pg_sleep(2.6);").migrations
    (users,) = second.tables
    assert users.relation == "public.users"
    assert second.stall_seconds > 2.3
    assert (users.statement, users.line) == (2, 2)


def test_duplicates_are_counted_and_found(
    rehearse: Callable[..., LiveRehearsal], database: DatabaseConfig
) -> None:
    seed = (
        "UPDATE users SET email = 'same' WHERE id IN (3, 5)",
        "UPDATE users SET email = 'gone' WHERE age > 1990",
    )
    found = data_failure(
        rehearse("CREATE UNIQUE INDEX u ON users (lower(email)) WHERE age < 1991;", seed=seed)
    )
    assert (found.kind, found.relation, found.count) == (DataFailureKind.DUPLICATES, "public.users", 2)
    assert found.examples == ("id=3", "id=5")
    assert sorted(rows_of(database, found.query)) == [(3,), (5,)]
    assert found.detail == "Key (lower(email))=(same) is duplicated."


def test_duplicates_of_a_concurrent_build_are_found(
    rehearse: Callable[..., LiveRehearsal], database: DatabaseConfig
) -> None:
    seed = ("UPDATE users SET email = 'same' WHERE id IN (3, 5)",)
    found = data_failure(rehearse("CREATE UNIQUE INDEX CONCURRENTLY u ON users (email);", seed=seed))
    assert (found.count, found.examples) == (2, ("id=3", "id=5"))
    assert sorted(rows_of(database, found.query)) == [(3,), (5,)]


def test_nulls_are_counted_and_found(
    rehearse: Callable[..., LiveRehearsal], database: DatabaseConfig
) -> None:
    seed = ("UPDATE users SET email = NULL WHERE id IN (7, 8, 9)",)
    found = data_failure(rehearse("ALTER TABLE users ALTER email SET NOT NULL;", seed=seed))
    assert (found.kind, found.count, found.examples) == (DataFailureKind.NULLS, 3, ("id=7", "id=8", "id=9"))
    assert sorted(rows_of(database, found.query)) == [(7,), (8,), (9,)]


def test_orphans_are_counted_and_found(
    rehearse: Callable[..., LiveRehearsal], database: DatabaseConfig
) -> None:
    seed = (
        "UPDATE users SET org_id = 99 WHERE id IN (10, 11)",
        "UPDATE users SET org_id = NULL WHERE id = 12",
    )
    found = data_failure(
        rehearse("DO $$ BEGIN ALTER TABLE users ADD FOREIGN KEY (org_id) REFERENCES orgs; END $$;", seed=seed)
    )
    assert (found.kind, found.count, found.examples) == (DataFailureKind.ORPHANS, 2, ("id=10", "id=11"))
    assert sorted(rows_of(database, found.query)) == [(10,), (11,)]
    assert found.detail.startswith("Key (org_id)=(99)")


def test_rows_that_a_check_refuses_are_counted_and_found(
    rehearse: Callable[..., LiveRehearsal], database: DatabaseConfig
) -> None:
    found = data_failure(rehearse("ALTER TABLE users ADD CHECK (age < 1999);"))
    assert (found.kind, found.count, found.examples) == (DataFailureKind.CHECK, 2, ("id=1999", "id=2000"))
    assert sorted(rows_of(database, found.query)) == [(1999,), (2000,)]


@pytest.mark.parametrize(
    ("seed", "migration", "ids"),
    [
        (
            "UPDATE users SET seen = 'infinity' WHERE id IN (4, 6)",
            "ALTER TABLE users ALTER seen TYPE bigint USING extract(epoch from seen)::bigint;",
            [(4,), (6,)],
        ),
        ("UPDATE users SET age = 3000000000 WHERE id = 5", "ALTER TABLE users ALTER age TYPE int;", [(5,)]),
        (
            "UPDATE users SET email = repeat('x', 9) WHERE id = 6",
            "ALTER TABLE users ALTER email TYPE varchar(8);",
            [(6,)],
        ),
        (
            "UPDATE users SET email = id WHERE id > 2",
            "ALTER TABLE users ALTER email TYPE int USING (email::int);",
            [(1,), (2,)],
        ),
    ],
)
def test_values_that_do_not_fit_are_counted_and_found(
    rehearse: Callable[..., LiveRehearsal],
    database: DatabaseConfig,
    seed: str,
    migration: str,
    ids: list[tuple[int]],
) -> None:
    found = data_failure(rehearse(migration, seed=(seed,)))
    assert (found.kind, found.relation) == (DataFailureKind.CAST, "public.users")
    assert found.count == len(ids)
    assert sorted(rows_of(database, found.query)) == ids


def test_a_failure_that_is_none_of_the_rows_has_no_rows(rehearse: Callable[..., LiveRehearsal]) -> None:
    found = rehearse("SELECT 1;\nALTER TABLE nowhere ADD COLUMN a int;")
    assert found.failed is not None
    assert found.failed.failure is not None
    assert found.failed.failure.sqlstate == "42P01"
    assert found.failed.data is None


@pytest.mark.parametrize(
    ("seed", "migration"),
    [
        (
            "ALTER TABLE users ADD CHECK (age < 5000)",
            "INSERT INTO users SELECT 0, 1, email, now(), 6000 FROM users WHERE id = 9;",
        ),
        ("SELECT 1", "ALTER TABLE users ALTER email TYPE int USING email::int;"),
        ("SELECT 1", "ALTER TABLE users ALTER email TYPE timestamptz USING email::timestamptz;"),
        ("SELECT 1", "DO $$ BEGIN PERFORM email::int FROM users WHERE id = 9; END $$;"),
    ],
)
def test_no_value_of_a_row_is_told(rehearse: Callable[..., LiveRehearsal], seed: str, migration: str) -> None:
    hide = "UPDATE users SET email = 'secret\"' || id"
    found = rehearse(migration, seed=(hide, seed))
    failed = found.failed
    assert failed is not None
    assert failed.failure is not None
    assert "secret" not in "".join(map(str, [failed.data, *failed.statements]))
    assert "secret" not in f"{failed.failure.message} {failed.failure.why} {failed.failure.fix}"


def test_what_a_migration_does_to_its_own_rows_has_no_query(rehearse: Callable[..., LiveRehearsal]) -> None:
    found = rehearse(
        "ALTER TABLE users ADD CHECK (age < 5000);\nINSERT INTO users VALUES (0, 1, 'new', now(), 6000);"
    )
    assert (data_failure(found).kind, data_failure(found).query) == (DataFailureKind.CHECK, "")


def test_the_source_is_as_it_was(rehearse: Callable[..., LiveRehearsal], database: DatabaseConfig) -> None:
    def state() -> tuple[str, list[tuple[object, ...]]]:
        with connect(database) as connection:
            counts = rows_of(
                database, "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM schema_migrations)"
            )
            return read_schema(connection).fingerprint, counts

    rehearse("SELECT 1;")
    before = state()
    rehearse("DELETE FROM users;\nDROP TABLE orgs;")
    assert state() == before


def test_nothing_is_left(rehearse: Callable[..., LiveRehearsal], open_path: Path) -> None:
    rehearse("SELECT 1;")
    assert [each for each in open_path.iterdir() if each.name.startswith("throwaway")] == []


def test_a_part_of_the_data_is_told_with_how_much_there_is(rehearse: Callable[..., LiveRehearsal]) -> None:
    users = TableSize("public.users", rows=20_000_000, heap_bytes=2 << 30)
    stats = Stats("17.2", 17, "2026-11-20T02:00:00Z", tables=(users,))
    (second,) = rehearse("ALTER TABLE users ALTER age TYPE text;", stats=stats).migrations
    assert second.factor is not None
    assert second.factor > 1000
    expected = second.expected(second.seconds)
    assert expected is not None
    assert expected.high > second.seconds * 1000


def test_a_role_that_only_setup_makes_is_made(rehearse: Callable[..., LiveRehearsal]) -> None:
    role = f"app_{secrets.token_hex(4)}"
    assert rehearse(f"GRANT SELECT ON users TO {role};").failed is None


def test_a_name_of_every_kind_is_watched(rehearse: Callable[..., LiveRehearsal]) -> None:
    seed = (
        'CREATE SCHEMA "My Schema"',
        'CREATE TABLE "My Schema"."a.""b%s" ("Id" int PRIMARY KEY, "V;" text)',
        'INSERT INTO "My Schema"."a.""b%s" VALUES (1, NULL)',
    )
    found = rehearse('ALTER TABLE "My Schema"."a.""b%s" ALTER "V;" SET NOT NULL;', seed=seed)
    failure = data_failure(found)
    assert (failure.relation, failure.examples) == ('"My Schema"."a.""b%s"', ("Id=1",))


def test_a_role_that_may_not_read_all_is_refused(
    rehearse: Callable[..., LiveRehearsal], database: DatabaseConfig, server: RunningServer
) -> None:
    rehearse("SELECT 1;")
    role, password = f"part_{secrets.token_hex(4)}", secrets.token_hex(8)
    with connect(database) as connection:
        name = sql.Identifier(role)
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, sql.Literal(password)))
        connection.execute(sql.SQL("GRANT SELECT ON users, schema_migrations TO {}").format(name))
        try:
            with pytest.raises(RefusedError) as caught:
                look_at_database(replace(database, user=role, password=Secret(password)))
        finally:
            connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
            connection.execute(sql.SQL("DROP ROLE {}").format(name))
    assert caught.value.code == "cannot-read-source"
    assert "public.orgs" in caught.value.message


def test_a_large_primary_is_not_read_unasked(database: DatabaseConfig, tmp_path: Path) -> None:
    source = look_at_database(database)
    migrator = Migrator(database=database, directory=tmp_path, format="golang-migrate")
    with pytest.raises(RefusedError) as caught:
        rehearse_on_data(source, migrator, settings=LiveSettings(large_bytes=1000))
    assert caught.value.code == "large-source"


def test_a_role_that_may_make_databases_is_enough_on_a_given_server(
    rehearse: Callable[..., LiveRehearsal], server: RunningServer
) -> None:
    role, password = f"maker_{secrets.token_hex(4)}", secrets.token_hex(8)
    with connect(server.address) as connection:
        name = sql.Identifier(role)
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(name, sql.Literal(password))
        )
        try:
            at = replace(server.address, user=role, password=Secret(password))
            seed = ("UPDATE users SET email = NULL WHERE id = 7",)
            found = rehearse("ALTER TABLE users ALTER email SET NOT NULL;", seed=seed, at=at)
            left = connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^howdah_'").fetchall()
        finally:
            connection.execute(sql.SQL("DROP ROLE {}").format(name))
    assert data_failure(found).examples == ("id=7",)
    assert left == []
