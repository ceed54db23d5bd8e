"""History tables as no tool makes them, and roles that may not do with them what a tool would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from fix_db import connect
from fix_migrations import WriteMigrations, scalar
from howdah.config.database import DatabaseConfig, Secret
from howdah.errors import HistoryMismatch, MigrationFailed
from howdah.migrate.formats import find_format
from howdah.migrate.migrator import Migrator

FORMATS = ("goose", "sqlx", "dbmate")
each_format = pytest.mark.parametrize("name", FORMATS)


def files_of(name: str, version: int, up: str, down: str = "", *, outside: bool = False) -> Mapping[str, str]:
    """A migration in a format's own words."""
    stem = f"{version:05}_step"
    if name == "goose":
        head = "-- +goose NO TRANSACTION\n" if outside else ""
        return {f"{stem}.sql": f"{head}-- +goose Up\n{up}\n-- +goose Down\n{down}\n"}
    if name == "dbmate":
        how = " transaction:false" if outside else ""
        return {f"{stem}.sql": f"-- migrate:up{how}\n{up}\n-- migrate:down{how}\n{down}\n"}
    head = "-- no-transaction\n" if outside else ""
    return {f"{stem}.up.sql": f"{head}{up}\n", f"{stem}.down.sql": f"{head}{down}\n"}


def tables_of(name: str, *versions: int) -> Mapping[str, str]:
    """Migrations of one table each."""
    files: dict[str, str] = {}
    for version in versions:
        files |= files_of(name, version, f"CREATE TABLE t{version} ();", f"DROP TABLE t{version};")
    return files


def migrator(name: str, database: DatabaseConfig, directory: Path) -> Migrator:
    return Migrator(database=database, directory=directory, format=name, on_event=lambda _: None)


def run(database: DatabaseConfig, *statements: str) -> None:
    with connect(database) as connection:
        for each in statements:
            connection.execute(each.encode())


def table_of(name: str) -> str:
    return find_format(name).table.name


@pytest.fixture
def role(database: DatabaseConfig) -> str:
    """A role that may log in, and make tables in this database."""
    with connect(database) as connection:
        connection.execute(
            "DO $$ BEGIN CREATE ROLE clerk LOGIN PASSWORD 'x'; EXCEPTION WHEN OTHERS THEN END $$"
        )
        connection.execute("GRANT USAGE, CREATE ON SCHEMA public TO clerk")
    return "clerk"


def as_role(database: DatabaseConfig, role: str) -> DatabaseConfig:
    return replace(database, user=role, password=Secret("x"))


@each_format
def test_who_may_only_read_and_add_rows_migrates_up_without_a_fence(
    name: str, database: DatabaseConfig, role: str, write_migrations: WriteMigrations
) -> None:
    migrator(name, database, write_migrations(tables_of(name, 1))).up()
    table = table_of(name)
    run(database, f"GRANT SELECT, INSERT ON {table} TO {role}")
    run(database, f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}")
    directory = write_migrations(tables_of(name, 2))

    migrator(name, as_role(database, role), directory).up()

    assert scalar(database, "SELECT to_regclass('t2')::text") == "t2"
    with pytest.raises(MigrationFailed, match="permission denied"):
        migrator(name, as_role(database, role), directory).down()
    assert scalar(database, "SELECT to_regclass('t2')::text") == "t2"


@each_format
def test_a_view_by_the_name_of_the_history_is_not_taken_for_an_empty_one(
    name: str, database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    here = migrator(name, database, write_migrations(tables_of(name, 1)))
    here.up()
    table = table_of(name)
    run(database, f"ALTER TABLE {table} RENAME TO kept", f"CREATE VIEW {table} AS SELECT * FROM kept")

    with pytest.raises(HistoryMismatch, match="is a view"):
        here.status()
    with pytest.raises(HistoryMismatch, match="is a view"):
        here.up()


@each_format
def test_rows_that_row_security_hides_are_not_taken_for_pending(
    name: str, database: DatabaseConfig, role: str, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(tables_of(name, 1))
    migrator(name, database, directory).up()
    table = table_of(name)
    run(database, f"GRANT ALL ON {table} TO {role}", f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")

    with pytest.raises(HistoryMismatch, match="hides rows") as caught:
        migrator(name, as_role(database, role), directory).status()

    assert caught.value.code == "hidden-history"
    assert migrator(name, database, directory).up() == []


def test_goose_s_history_in_a_later_schema_of_the_search_path_is_found_as_goose_finds_it(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    here = migrator("goose", database, write_migrations(tables_of("goose", 1)))
    here.up()
    run(database, "CREATE SCHEMA app", f"ALTER DATABASE {database.database} SET search_path = app, public")

    assert here.up() == []
    assert here.status().history.table.schema == "public"
    assert scalar(database, "SELECT to_regclass('app.goose_db_version')::text") is None


@pytest.mark.parametrize("name", ["sqlx", "dbmate"])
def test_others_begin_a_history_in_the_first_schema_of_the_search_path(
    name: str, database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    here = migrator(name, database, write_migrations(tables_of(name, 1)))
    here.up()
    run(database, "CREATE SCHEMA app", f"ALTER DATABASE {database.database} SET search_path = app, public")

    assert len(here.up()) == 1
    assert here.status().history.table.schema == "app"
