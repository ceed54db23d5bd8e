"""Roles without rights, replicas, poolers, hostile names, and migrations that saw at the branch they sit on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from fix_cli import Cli, clean_environ
from fix_db import connect
from fix_golang_migrate import as_url
from fix_migrations import WriteMigrations, history, migrator, relations, tables
from fix_server import RunningServer
from howdah.config.database import DatabaseConfig, Secret
from howdah.errors import MigrationError, MigrationFailed, RefusedError
from howdah.pg.programs import Programs
from howdah.server.local import LocalServer

PASSWORD = "p@ss/w:ö %41?#&'\" \\ "


@pytest.fixture
def make_role(database: DatabaseConfig) -> Callable[..., DatabaseConfig]:
    """A role of this test with the given grants; its address."""

    def make(name: str, *grants: str, password: str = "x") -> DatabaseConfig:
        role = sql.Identifier(name)
        with connect(database) as connection:
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(role))
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password))
            )
            for grant in grants:
                connection.execute(sql.SQL(grant + " TO {}").format(role))
        return replace(database, user=name, password=Secret(password))

    return make


@pytest.mark.pg(">= 15")
def test_a_role_that_may_not_create_tables_is_told_which_right_and_how(
    make_role: Callable[..., DatabaseConfig], database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    name = f"none of {database.database}"
    with pytest.raises(MigrationError) as caught:
        migrator(make_role(name), write_migrations(tables(2))).up()
    assert caught.value.code == "no-create-privilege"
    assert 'lacks CREATE on the schema "public"' in (caught.value.why or "")
    assert f'GRANT CREATE ON SCHEMA "public" TO "{name}";' in (caught.value.fix or "")
    with connect(database) as connection:
        assert connection.execute("SELECT to_regclass('schema_migrations')").fetchone() == (None,)
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def test_a_role_that_may_not_touch_our_side_history_migrates_all_the_same(
    make_role: Callable[..., DatabaseConfig], database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(tables(2))
    migrator(database, directory).up(to=1)
    role = make_role(
        f"other {database.database}",
        "GRANT ALL ON SCHEMA public",
        "GRANT ALL ON TABLE schema_migrations",
    )
    run = migrator(role, directory)
    assert [each.version for each in run.status().pending] == ["2"]
    assert len(run.up()) == 1
    assert history(database) == [(2, False)]


@pytest.mark.parametrize(
    "name", ['"quo"ted', "with space", "per%cent", "a@b:c/d?e#f&g=h", "ünï", "UPPER", "a'b\\c"]
)
def test_names_and_passwords_with_any_character(
    server: RunningServer, write_migrations: WriteMigrations, cli: Cli, name: str
) -> None:
    identifier = sql.Identifier(name)
    with connect(server.address) as connection:
        for kind in ("DATABASE", "ROLE"):
            connection.execute(sql.SQL(f"DROP {kind} IF EXISTS {{}}").format(identifier))
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(identifier, sql.Literal(PASSWORD))
        )
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(identifier, identifier))
    address = replace(server.address, database=name, user=name, password=Secret(PASSWORD))
    with connect(address) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(identifier))
        connection.execute(sql.SQL("ALTER ROLE {} SET search_path = {}").format(identifier, identifier))
    try:
        options = ("--url", as_url(address), "--dir", str(write_migrations(tables(2))))
        done = cli("migrate", "up", *options)
        assert done.code == 0, done
        assert PASSWORD not in done.stdout + done.stderr
        status = cli("migrate", "status", "--json", *options)
        assert status.json["data"]["version"] == "2"
        with connect(address) as connection:
            assert connection.execute("SELECT version FROM schema_migrations").fetchall() == [(2,)]
            row = connection.execute(
                "SELECT count(*) FROM pg_tables WHERE schemaname = %s", [name]
            ).fetchone()
            assert row == (3,)
        assert cli("migrate", "down", *options).code == 0
    finally:
        with connect(server.address) as connection:
            for kind in ("DATABASE", "ROLE"):
                connection.execute(sql.SQL(f"DROP {kind} IF EXISTS {{}}").format(identifier))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public;",
            'relation "public.schema_migrations" does not exist',
        ),
        ("DROP TABLE schema_migrations;", 'relation "public.schema_migrations" does not exist'),
        ("DELETE FROM schema_migrations;", "the history is not where this run left it"),
        ("UPDATE schema_migrations SET version = 7;", "the history is not where this run left it"),
        ("SET TRANSACTION READ ONLY;", "in a read-only transaction"),
    ],
)
def test_a_migration_that_takes_its_own_history_away_is_rolled_back(
    database: DatabaseConfig, write_migrations: WriteMigrations, body: str, said: str
) -> None:
    run = migrator(database, write_migrations({**tables(1), "2_saw.up.sql": body}))
    with pytest.raises(MigrationFailed, match=said) as caught:
        run.up()
    assert "Nothing of it took effect. 1 migration before it" in (caught.value.fix or "")
    assert history(database) == [(1, False)]
    assert relations(database) == {"t1", "t1_pkey"}


def test_settings_of_a_body_disturb_neither_its_recording_nor_the_next_body(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    body = """
SET search_path = '';
SET lock_timeout = '1ms';
SET synchronous_commit = off;
SET default_transaction_read_only = on;
SET bytea_output = escape;
SET DateStyle = 'German';
SET statement_timeout = '10s';
SET row_security = off;
CREATE TABLE public."ü" (id int);
"""
    run = migrator(database, write_migrations({"1_a.up.sql": body, "2_b.up.sql": "CREATE TABLE b (id int);"}))
    assert len(run.up()) == 2
    assert relations(database) == {"ü", "b"}
    assert history(database) == [(2, False)]


@pytest.mark.parametrize(
    "body", ["SET session_replication_role = replica; CREATE TABLE b ();", "DISCARD ALL;", "DEALLOCATE ALL;"]
)
def test_session_wide_statements_do_not_stop_later_migrations(
    database: DatabaseConfig, write_migrations: WriteMigrations, body: str
) -> None:
    files = {f"{number:02}_x.up.sql": f"CREATE TABLE x{number} ();" for number in range(1, 30)}
    run = migrator(database, write_migrations({**files, "10_x.up.sql": body}))
    assert len(run.up()) == 29
    assert history(database) == [(29, False)]


def test_a_standby_is_refused_and_its_status_can_be_read(
    pg_programs: Programs, open_path: Path, write_migrations: WriteMigrations, cli: Cli
) -> None:
    standby = LocalServer(open_path / "standby", pg_programs, settings={"fsync": "off"})
    directory = write_migrations(tables(2))
    try:
        standby.start()
        migrator(standby.address, directory).up(to=1)
        standby.stop()
        (standby.data / "standby.signal").touch()
        standby.start()
        with pytest.raises(RefusedError) as caught:
            migrator(standby.address, directory).up()
        assert caught.value.code == "read-only-server"
        options = ("--url", as_url(standby.address), "--dir", str(directory))
        assert cli("migrate", "up", *options).code == 5
        assert cli("migrate", "resolve", "1", "--reverted", *options).code == 5
        assert cli("migrate", "status", "--json", *options).json["data"]["pending"] == 1
    finally:
        standby.destroy()


def test_a_pooler_is_refused_in_transaction_mode_and_used_in_session_mode(
    database: DatabaseConfig, write_migrations: WriteMigrations, pgbouncer: Callable[..., DatabaseConfig]
) -> None:
    directory = write_migrations(tables(2))
    with pytest.raises(RefusedError) as caught:
        migrator(pgbouncer(pool_mode="transaction"), directory).up()
    assert caught.value.code == "transaction-pooler"
    with pytest.raises(psycopg.errors.UndefinedTable):
        history(database)
    assert len(migrator(pgbouncer(pool_mode="session"), directory).up()) == 2
    assert history(database) == [(2, False)]


_MEASURED = """
import re, sys
from pathlib import Path
from howdah.config.url import parse_url
from howdah.migrate.migrator import Migrator
Migrator(database=parse_url(sys.argv[1]), directory=Path(sys.argv[2])).up()
# Not ru_maxrss: that counts what the process was before it became this program.
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def _peak_megabytes(database: DatabaseConfig, directory: Path) -> float:
    """Memory of a program that runs `up`."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, as_url(database), str(directory)],
        env=clean_environ(),
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout) / 1024


def test_rows_and_notices_nobody_wants_take_no_memory(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {
            "1_rows.up.sql": "SELECT generate_series(1, 2000000);",
            "2_outside.up.sql": "VACUUM; SELECT generate_series(1, 2000000);",
            "3_notices.up.sql": "DO $$ BEGIN FOR i IN 1..50000 LOOP RAISE NOTICE '%', i; END LOOP; END $$;",
        }
    )
    assert _peak_megabytes(database, directory) < 100


def test_more_statements_than_are_under_way_at_once(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    line = "INSERT INTO big VALUES (1); -- " + "y" * 170 + "\n"
    body = "CREATE TABLE big (id int);\n" + line * 15_000
    run = migrator(database, write_migrations({"1_a.up.sql": body}))
    assert len(run.up()) == 1
    with connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM big").fetchone() == (15_000,)


def test_a_failure_far_down_a_large_file_is_told_with_its_line(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    lines = ["SELECT 1; -- " + "y" * 170] * 9_000
    lines[6_999] = "SELECT 1 /\n 0;"
    run = migrator(database, write_migrations({"1_a.up.sql": "\n".join(lines)}))
    with pytest.raises(MigrationFailed, match="division by zero") as caught:
        run.up()
    assert caught.value.where is not None
    assert caught.value.where.line == 7_000
    assert "Statement 7000 of 9000: SELECT 1 / 0" in (caught.value.why or "")
    assert history(database) == []
    assert len(migrator(database, write_migrations({"1_a.up.sql": "SELECT 1;"})).up()) == 1


@pytest.mark.slow
def test_ten_thousand_migrations_and_a_large_one_stay_below_150_megabytes(
    make_database: Callable[[], DatabaseConfig], tmp_path: Path
) -> None:
    many, large = tmp_path / "many", tmp_path / "large"
    for folder in (many, large):
        folder.mkdir()
    for number in range(1, 10_001):
        (many / f"{number:06}_x.up.sql").write_text(f"CREATE TABLE t{number} (id int);\n")
    line = "INSERT INTO big VALUES ('x'); -- " + "y" * 160 + "\n"
    (large / "1_big.up.sql").write_text("CREATE TABLE big (text text);\n" + line * (50_000_000 // len(line)))
    assert _peak_megabytes(make_database(), many) < 150
    database = make_database()
    peak = _peak_megabytes(database, large)
    assert history(database) == [(1, False)]
    # Bytes, text and statements of the one file; nothing else grows with it.
    assert peak < 400
