"""Flyway's files run on a real server, and what its table says after each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from fix_db import connect
from fix_migrations import WriteMigrations, relations, scalar
from howdah.config.database import DatabaseConfig
from howdah.errors import DirtyDatabase, HistoryMismatch, LockTimeout, MigrationFailed, SourceError
from howdah.migrate.events import Event, Noted
from howdah.migrate.formats.interface import OutOfOrder
from howdah.migrate.migrator import Migrator
from howdah.migrate.settings import RunSettings

FILES: Mapping[str, str | bytes] = {
    "V1__create_a.sql": "CREATE TABLE a(id int);\nSELECT 1;\n",
    "U1__create_a.sql": "DROP TABLE a;\n",
    "V1.1__mark.sql": b"\xef\xbb\xbfcreate table c(id int);",
    "V2_0__index.sql": "create index concurrently a_i on a(id);\n",
    "R__a_view.sql": "create or replace view a_view as select 1 as one;\n",
}
# As Flyway 7.15 wrote them of the same files.
ROWS = [
    (1, "1", "create a", "SQL", "V1__create_a.sql", 797280601, True),
    (2, "1.1", "mark", "SQL", "V1.1__mark.sql", -1138581898, True),
    (3, "2.0", "index", "SQL", "V2_0__index.sql", 1206996107, True),
    (4, None, "a view", "SQL", "R__a_view.sql", -1915582969, True),
]


def migrator(
    database: DatabaseConfig,
    directory: Path,
    events: list[Event] | None = None,
    *,
    out_of_order: OutOfOrder | None = None,
    variables: Mapping[str, str] | None = None,
) -> Migrator:
    return Migrator(
        database=database,
        directory=directory,
        format="flyway",
        out_of_order=out_of_order,
        variables=variables,
        on_event=(events if events is not None else []).append,
    )


def rows(database: DatabaseConfig) -> list[tuple[object, ...]]:
    """The table, without who and when."""
    with connect(database) as connection:
        return connection.execute(
            "SELECT installed_rank, version, description, type, script, checksum, success"
            " FROM flyway_schema_history ORDER BY installed_rank"
        ).fetchall()


def run(database: DatabaseConfig, *statements: str) -> None:
    with connect(database) as connection:
        for each in statements:
            connection.execute(each.encode())


def ran(database: DatabaseConfig, directory: Path) -> list[str]:
    """The versions that `up` runs."""
    return [each.step.migration.version for each in migrator(database, directory).up()]


def test_up_leaves_the_rows_that_flyway_would(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(FILES)

    results = migrator(database, directory).up()

    assert [each.transactional for each in results] == [True, True, False, True]
    assert rows(database) == ROWS
    assert scalar(database, "SELECT bool_and(installed_by = current_user) FROM flyway_schema_history") is True
    assert migrator(database, directory).up() == []


def test_the_table_has_the_key_and_the_index_that_flyway_makes(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    migrator(database, write_migrations(FILES)).up()

    with connect(database) as connection:
        found = connection.execute(
            "SELECT indexname, split_part(indexdef, 'USING ', 2) FROM pg_indexes"
            " WHERE tablename = 'flyway_schema_history' ORDER BY 1"
        ).fetchall()
    assert found == [
        ("flyway_schema_history_pk", "btree (installed_rank)"),
        ("flyway_schema_history_s_idx", "btree (success)"),
    ]


def test_a_repeatable_migration_runs_again_when_its_file_changed(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(FILES)
    migrator(database, directory).up()
    write_migrations(
        {
            "R__a_view.sql": "create or replace view a_view as select 2 as one;\n",
            "V3__b.sql": "CREATE TABLE b ();",
        }
    )

    assert ran(database, directory) == ["3", "R__a_view"]
    assert scalar(database, "SELECT one FROM a_view") == 2
    assert [each[1:3] for each in rows(database)[4:]] == [("3", "b"), (None, "a view")]

    write_migrations(FILES)
    assert ran(database, directory) == ["R__a_view"]
    assert ran(database, directory) == []


def test_a_new_value_runs_a_repeatable_migration_again(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({"R__v.sql": "create or replace view v as select '${name}' as name;"})
    with pytest.raises(SourceError) as caught:
        migrator(database, directory).up()
    assert caught.value.code == "no-placeholder-value"

    for name, count in (("one", 1), ("one", 0), ("two", 1)):
        assert len(migrator(database, directory, variables={"name": name}).up()) == count
    assert scalar(database, "SELECT name FROM v") == "two"


def test_a_repeatable_migration_that_fails_leaves_nothing_and_runs_next_time(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({"R__v.sql": "SELECT 1 / 0;"})
    with pytest.raises(MigrationFailed):
        migrator(database, directory).up()
    write_migrations({"R__v.sql": "SELECT 1;"})

    assert ran(database, directory) == ["R__v"]
    assert len(rows(database)) == 1


def test_a_repeatable_migration_whose_file_is_gone_stops_up(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(FILES)
    migrator(database, directory).up()
    (directory / "R__a_view.sql").unlink()

    with pytest.raises(HistoryMismatch) as caught:
        migrator(database, directory).up()

    assert caught.value.code == "missing-migration"


def test_down_runs_the_undo_file_of_the_newest_version_and_forgets_it(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {name: FILES[name] for name in ("V1__create_a.sql", "U1__create_a.sql", "R__a_view.sql")}
    )
    migrator(database, directory).up()

    migrator(database, directory).down()

    assert "a" not in relations(database)
    assert [each[1] for each in rows(database)] == [None]
    assert ran(database, directory) == ["1"]


def test_an_edited_file_stops_up(database: DatabaseConfig, write_migrations: WriteMigrations) -> None:
    directory = write_migrations(FILES)
    migrator(database, directory).up(to="1.1")
    write_migrations({"V1__create_a.sql": "CREATE TABLE a(id bigint);\n"})

    with pytest.raises(HistoryMismatch) as caught:
        migrator(database, directory).up()

    assert caught.value.code == "modified-migration"


def test_a_late_file_is_refused_unless_it_is_let_in(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(FILES)
    migrator(database, directory).up()
    write_migrations({"V1.5__late.sql": "CREATE TABLE late ();"})

    with pytest.raises(HistoryMismatch) as caught:
        migrator(database, directory).up()
    assert caught.value.code == "out-of-order-migration"

    migrator(database, directory, out_of_order=OutOfOrder.APPLY).up()
    assert rows(database)[-1][:3] == (5, "1.5", "late")
    assert ran(database, directory) == []


def test_a_script_outside_a_transaction_that_fails_leaves_a_row_without_success(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {
            "V1__a.sql": "CREATE TABLE a (id int);",
            "V2__both.sql": "CREATE TABLE b ();\nDROP INDEX CONCURRENTLY nowhere;",
            "V2__both.sql.conf": "executeInTransaction=false\n",
        }
    )
    with pytest.raises(MigrationFailed):
        migrator(database, directory).up()
    assert [(each[1], each[6]) for each in rows(database)] == [("1", True), ("2", False)]
    # Another run goes on behind the table, and meets the same.
    with pytest.raises(MigrationFailed, match="nowhere"):
        migrator(database, directory).up()
    with pytest.raises(DirtyDatabase):
        migrator(database, directory).plan()

    migrator(database, directory).resolve("2", applied=True)

    assert [(each[1], each[5], each[6]) for each in rows(database)] == [
        ("1", rows(database)[0][5], True),
        ("2", rows(database)[1][5], True),
    ]
    assert rows(database)[1][5] is not None
    assert ran(database, directory) == []


def test_a_baseline_is_one_row_below_which_nothing_runs(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(FILES)
    run(database, "CREATE TABLE a(id int)")

    migrator(database, directory).baseline("1_1")

    text = "<< Flyway Baseline >>"
    assert rows(database) == [(1, "1.1", text, "BASELINE", text, None, True)]
    assert ran(database, directory) == ["2", "R__a_view"]


HISTORY = (
    "INSERT INTO flyway_schema_history (installed_rank, version, description, type, script, checksum, installed_by,"
    " execution_time, success) VALUES "
)


def test_rows_of_every_kind_that_flyway_writes_are_understood(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({f"V{each}__x.sql": "SELECT 1;" for each in range(1, 7)})
    migrator(database, directory).baseline("1")
    run(
        database,
        "DELETE FROM flyway_schema_history",
        HISTORY + "(0, NULL, '<< Flyway Schema Creation >>', 'SCHEMA', '\"public\"', NULL, 'x', 0, true)",
        HISTORY
        + "(1, '2.00', '<< Flyway Baseline >>', 'BASELINE', '<< Flyway Baseline >>', NULL, 'x', 0, true)",
        HISTORY + "(2, '03', 'x', 'SQL', 'V3__x.sql', NULL, 'x', 0, true)",
        HISTORY + "(3, '4', 'x', 'SPRING_JDBC', 'V4__x', NULL, 'x', 0, true)",
        HISTORY + "(4, '5', 'x', 'SQL', 'V5__x.sql', NULL, 'x', 0, true)",
        HISTORY + "(5, '5', 'x', 'UNDO_SQL', 'U5__x.sql', NULL, 'x', 0, true)",
        HISTORY + "(6, '6', 'x', 'SQL', 'V6__x.sql', NULL, 'x', 0, true)",
        HISTORY + "(7, '6', 'x', 'DELETE', 'V6__x.sql', NULL, 'x', 0, true)",
    )

    assert ran(database, directory) == ["5", "6"]
    assert [each[:2] for each in rows(database)[8:]] == [(8, "5"), (9, "6")]


@pytest.mark.parametrize("type", ["SQL_BASELINE", "SQL_STATE_SCRIPT"])
def test_a_baseline_migration_that_flyway_ran_covers_the_files_up_to_it(
    database: DatabaseConfig, write_migrations: WriteMigrations, type: str
) -> None:
    directory = write_migrations({**FILES, "V5__x.sql": "SELECT 1;", "B5__all.sql": "CREATE TABLE a ();"})
    migrator(database, directory).baseline("1")
    run(
        database,
        "DELETE FROM flyway_schema_history",
        "DROP SCHEMA IF EXISTS howdah CASCADE",
        HISTORY + f"(1, '5', 'all', '{type}', 'B5__all.sql', 123, 'x', 0, true)",
    )

    assert ran(database, directory) == ["R__a_view"]


@pytest.mark.parametrize(
    "row", ["'SQL', 'V1__x.sql', NULL, 'x', 0, false", "'QUANTUM', 'V1__x', NULL, 'x', 0, true"]
)
def test_a_failed_row_or_one_of_an_unknown_kind_is_refused_before_anything_runs(
    database: DatabaseConfig, write_migrations: WriteMigrations, row: str
) -> None:
    directory = write_migrations(FILES)
    migrator(database, directory).baseline("1")
    run(database, "DELETE FROM flyway_schema_history", f"{HISTORY} (1, '1', 'x', {row})")

    with pytest.raises(DirtyDatabase):
        migrator(database, directory).up()

    assert len(rows(database)) == 1
    assert "c" not in relations(database)


def test_a_failed_repeatable_migration_is_refused_until_resolved(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(FILES)
    migrator(database, directory).up()
    run(database, HISTORY + "(5, NULL, 'a view', 'SQL', 'R__a_view.sql', 7, 'x', 0, false)")
    with pytest.raises(DirtyDatabase, match="R__a_view"):
        migrator(database, directory).up()

    migrator(database, directory).resolve("R__a view", applied=False)

    assert rows(database) == ROWS
    assert ran(database, directory) == []


def test_flyways_own_lock_keeps_us_out(database: DatabaseConfig, write_migrations: WriteMigrations) -> None:
    directory = write_migrations(FILES)
    with connect(database) as other:
        other.execute("BEGIN")
        other.execute("SELECT pg_try_advisory_xact_lock(77433833903597)")
        impatient = replace(migrator(database, directory), settings=RunSettings(lock_limit_seconds=0.2))
        with pytest.raises(LockTimeout):
            impatient.up()
        other.execute("ROLLBACK")
    assert ran(database, directory) == ["1", "1.1", "2", "R__a_view"]


def test_callbacks_and_other_things_that_only_flyway_runs_are_told_at_each_run(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({"V1__a.sql": "SELECT 1;", "afterMigrate.sql": "SELECT 1;"})
    events: list[Event] = []

    migrator(database, directory, events).up()

    assert [each.finding.code for each in events if isinstance(each, Noted)] == ["flyway-callback"]


@pytest.mark.slow
def test_ten_thousand_files(database: DatabaseConfig, write_migrations: WriteMigrations) -> None:
    directory = write_migrations({f"V{each}__m.sql": "SELECT 1;" for each in range(10_000)})

    assert len(migrator(database, directory).up()) == 10_000
    assert migrator(database, directory).up() == []
    assert scalar(database, "SELECT max(installed_rank) FROM flyway_schema_history WHERE success") == 10_000


def test_a_history_changed_meanwhile_is_not_overwritten(database: DatabaseConfig) -> None:
    """The version's row is there already, written as Flyway writes it."""
    from howdah.migrate.formats.flyway import FLYWAY
    from howdah.migrate.formats.flyway.migration import FlywayMigration
    from howdah.migrate.formats.interface import Phase
    from howdah.migrate.history import HistoryTable
    from howdah.migrate.migration import Direction, Step
    from howdah.migrate.sql import run_queries

    table = HistoryTable(database.database, "public", "flyway_schema_history")
    step = Step(FlywayMigration("2", "x", shown_version="2.0", script="V2.0__x.sql"), Direction.UP, None, "2")
    with connect(database) as connection:
        run_queries(connection, list(FLYWAY.table.create(table)))
        moves = list(FLYWAY.table.record(table, step, "1", start=Phase.BEFORE, end=Phase.AFTER))
        run_queries(connection, moves)
        with pytest.raises(psycopg.errors.DivisionByZero):
            run_queries(connection, moves)
