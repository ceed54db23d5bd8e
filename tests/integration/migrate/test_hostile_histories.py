"""History tables as no tool makes them, and roles that may not do with them what a tool would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from fix_db import connect
from fix_migrations import WriteMigrations, scalar
from howdah.config.database import DatabaseConfig, Secret
from howdah.errors import DirtyDatabase, HistoryMismatch, MigrationFailed, RefusedError, SourceError
from howdah.findings import Finding
from howdah.migrate.events import Event, Result, StepStarted
from howdah.migrate.formats import find_format
from howdah.migrate.formats.interface import OutOfOrder
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


def dirty_finding(here: Migrator) -> Finding:
    (found,) = [each for each in here.status().findings if each.code == "dirty-database"]
    return found


def test_goose_s_old_rows_of_going_down_are_told_as_what_they_are(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    here = migrator("goose", database, write_migrations(tables_of("goose", 1, 2)))
    here.up()
    run(database, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, false)")

    assert "is_applied = false" in (dirty_finding(here).why or "")
    assert "is_applied = false" in here.diagnose().means
    assert "out-of-order-migration" not in {each.code for each in here.status().findings}


def test_a_row_of_sqlx_without_success_is_not_told_as_our_run(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    here = migrator("sqlx", database, write_migrations(tables_of("sqlx", 1, 2)))
    here.up()
    run(database, "UPDATE _sqlx_migrations SET success = false WHERE version = 1")

    assert "success = false" in (dirty_finding(here).why or "")
    assert "out-of-order-migration" not in {each.code for each in here.status().findings}


@each_format
def test_a_run_of_ours_that_stopped_half_way_is_told_as_ours(
    name: str, database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    body = "CREATE TABLE a ();\nSELECT 1 / 0;"
    if name == "goose":
        directory = write_migrations(files_of(name, 1, body, outside=True))
    else:
        directory = write_migrations(
            files_of(name, 1, f"BEGIN;\nCREATE TABLE a ();\nCOMMIT;\n{body}", outside=True)
        )
    here = migrator(name, database, directory)

    with pytest.raises(MigrationFailed) as caught:
        here.up()

    assert caught.value.is_partial
    assert dirty_finding(here).why == "A run of howdah stopped half-way outside a transaction."


def test_a_late_migration_that_up_refuses_is_not_said_to_run(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    migrator("goose", database, write_migrations(tables_of("goose", 2))).up()
    here = migrator("goose", database, write_migrations(tables_of("goose", 1)))

    (note,) = [each for each in here.status().findings if each.code == "out-of-order-migration"]

    assert "`up` stops at it" in note.message
    with pytest.raises(HistoryMismatch):
        here.up()


def test_in_a_database_ahead_of_sqlx_s_files_nothing_runs_late(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(tables_of("sqlx", 1, 3))
    migrator("sqlx", database, directory).up()
    for file in directory.glob("00003*"):
        file.unlink()
    here = migrator("sqlx", database, write_migrations(tables_of("sqlx", 2)))

    assert here.up() == []
    (note,) = [each for each in here.status().findings if each.code == "out-of-order-migration"]
    assert "will not" in note.message
    assert len(replace(here, out_of_order=OutOfOrder.APPLY).up()) == 1


@pytest.mark.parametrize("time", ["infinity", "-infinity", "0044-03-15 BC", "294276-01-01"])
def test_a_time_that_python_cannot_hold_stops_nothing(
    time: str, database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    here = migrator("sqlx", database, write_migrations(tables_of("sqlx", 1)))
    here.up()
    run(database, f"UPDATE _sqlx_migrations SET installed_on = '{time}'")

    assert here.up() == []
    assert len(here.status().entries) == 1


def test_a_row_without_a_version_is_refused(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    here = migrator("dbmate", database, write_migrations(tables_of("dbmate", 1)))
    here.up()
    run(
        database,
        "ALTER TABLE schema_migrations DROP CONSTRAINT schema_migrations_pkey",
        "ALTER TABLE schema_migrations ALTER version DROP NOT NULL",
        "INSERT INTO schema_migrations VALUES (NULL)",
    )

    with pytest.raises(HistoryMismatch, match="without a version"):
        here.status()


@pytest.mark.parametrize("name", ["goose", "dbmate"])
def test_nothing_runs_outside_a_transaction_where_no_table_could_tell_that_it_stopped_half_way(
    name: str, database: DatabaseConfig, role: str, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {**tables_of(name, 1), **files_of(name, 2, "VACUUM t1;", outside=True)},
    )
    clerk = migrator(name, as_role(database, role), directory)

    with pytest.raises(RefusedError) as caught:
        clerk.up()

    assert caught.value.code == "untraceable-step"
    assert scalar(database, "SELECT to_regclass('t1')::text") is None
    run(database, f"GRANT CREATE ON DATABASE {database.database} TO {role}")
    assert len(clerk.up()) == 2


def test_sqlx_s_own_table_tells_of_a_run_that_stopped_half_way_without_our_records(
    database: DatabaseConfig, role: str, write_migrations: WriteMigrations
) -> None:
    body = "BEGIN;\nCREATE TABLE a ();\nCOMMIT;\nSELECT 1 / 0;"
    clerk = migrator(
        "sqlx", as_role(database, role), write_migrations(files_of("sqlx", 1, body, outside=True))
    )

    with pytest.raises(MigrationFailed):
        clerk.up()

    assert dirty_finding(clerk).next == ("howdah migrate resolve 1",)
    with pytest.raises(DirtyDatabase):
        clerk.up()


def test_a_file_that_changes_during_the_run_stops_it_and_what_ran_is_told(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(tables_of("goose", 1, 2, 3))
    told: list[str] = []

    def change(event: Event) -> None:
        if isinstance(event, Result):
            told.append(event.step.migration.version)
        elif isinstance(event, StepStarted) and event.number == 2:
            (directory / "00003_step.sql").write_text("-- +goose Up\nSELECT 1;\n")

    here = Migrator(database=database, directory=directory, format="goose", on_event=change)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("howdah.migrate.scripts._KEPT_SCRIPTS", 0)
        with pytest.raises(SourceError, match="changed while") as caught:
            here.up()

    assert "2 migrations before it in this run took effect" in (caught.value.fix or "")
    assert told == ["1", "2"]


@pytest.mark.parametrize("name", ["goose", "dbmate"])
def test_a_missing_file_on_the_way_down_is_not_said_to_be_the_current_one(
    name: str, database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(tables_of(name, 1, 2, 3))
    here = migrator(name, database, directory)
    here.up()
    next(directory.glob("00002*")).unlink()

    with pytest.raises(HistoryMismatch, match=r"^migration 0*2 is applied and has no file"):
        here.down(to=0)
