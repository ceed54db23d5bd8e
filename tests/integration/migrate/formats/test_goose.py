"""goose's files run on a real server, and what its table says after each of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from fix_db import connect
from fix_migrations import WriteMigrations, relations, scalar
from howdah.config.database import DatabaseConfig
from howdah.config.project import ForeignSettings
from howdah.errors import DirtyDatabase, ForeignStep, HistoryMismatch, MigrationFailed, SourceError
from howdah.migrate.events import Event, Noted
from howdah.migrate.formats.interface import OutOfOrder
from howdah.migrate.migrator import Migrator

FUNCTION = "CREATE FUNCTION one() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1;\nEND;\n$$"
FILES: Mapping[str, str | bytes] = {
    "00001_create_a.sql": """-- about a

-- +goose Up
CREATE TABLE a (one int, two int);
INSERT INTO a VALUES (1, 2); INSERT INTO a VALUES (3, 4);

-- +goose Down
DROP TABLE a;
""",
    "00002_one.sql": f"""-- +goose Up
-- +goose StatementBegin
{FUNCTION}
-- +goose StatementEnd
CREATE VIEW v AS SELECT one();
-- +goose Down
DROP VIEW v;
DROP FUNCTION one();
""",
    "00003_indexes.sql": """-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY a_one ON a (one);
CREATE INDEX CONCURRENTLY a_two ON a (two);
-- +goose Down
DROP INDEX CONCURRENTLY a_one;
DROP INDEX CONCURRENTLY a_two;
""",
    "00004_line_ends.sql": (
        b"-- +goose Up\r\nCREATE TABLE b (\r\n  text text DEFAULT 'x\r\ny'\r\n);\r\n-- +goose Down\r\nDROP TABLE b;\r\n"
    ),
    "00005_nothing.sql": "-- +goose Up\n-- +goose Down\n",
}


def migrator(
    database: DatabaseConfig,
    directory: Path,
    events: list[Event] | None = None,
    *,
    schema: str | None = None,
    table: str | None = None,
    out_of_order: OutOfOrder | None = None,
) -> Migrator:
    return Migrator(
        database=database,
        directory=directory,
        format="goose",
        schema=schema,
        table=table,
        out_of_order=out_of_order,
        on_event=(events if events is not None else []).append,
    )


def rows(database: DatabaseConfig, table: str = "goose_db_version") -> list[tuple[int, bool]]:
    with connect(database) as connection:
        return connection.execute(
            f"SELECT version_id, is_applied FROM {table} ORDER BY id".encode()
        ).fetchall()


def versions(database: DatabaseConfig) -> list[int]:
    return [version for version, _ in rows(database)]


def run(database: DatabaseConfig, *statements: str) -> None:
    with connect(database) as connection:
        for each in statements:
            connection.execute(each.encode())


def file_of(name: str) -> str:
    return f"-- +goose Up\nCREATE TABLE {name} ();\n-- +goose Down\nDROP TABLE {name};\n"


OLD_TABLE = (
    "CREATE TABLE goose_db_version (id serial NOT NULL, version_id bigint NOT NULL, is_applied boolean NOT NULL,"
    " tstamp timestamp NULL default now(), PRIMARY KEY(id))"
)


def test_up_and_down_leave_the_rows_that_goose_would(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(FILES)

    results = migrator(database, directory).up()

    assert [each.transactional for each in results] == [True, True, False, True, True]
    assert rows(database) == [(number, True) for number in range(6)]
    assert {"a", "v", "a_one", "a_two", "b"} <= relations(database)
    assert scalar(database, "SELECT count(*) FROM a") == 2
    assert scalar(
        database, "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'b'::regclass"
    ) == ("'x\ny'::text")
    assert migrator(database, directory).up() == []

    for left in range(4, -1, -1):
        migrator(database, directory).down()
        assert versions(database) == list(range(left + 1))
    assert not {"a", "v", "a_one", "a_two", "b"} & relations(database)
    assert migrator(database, directory).down() == []


def test_the_table_is_made_as_goose_makes_it(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    migrator(database, write_migrations(FILES)).up(to=1)

    with connect(database) as connection:
        found = connection.execute(
            "SELECT column_name, data_type, is_nullable, identity_generation, column_default"
            " FROM information_schema.columns WHERE table_name = 'goose_db_version' ORDER BY ordinal_position"
        ).fetchall()
        assert found == [
            ("id", "integer", "NO", "BY DEFAULT", None),
            ("version_id", "bigint", "NO", None, None),
            ("is_applied", "boolean", "NO", None, None),
            ("tstamp", "timestamp without time zone", "NO", None, "now()"),
        ]
        assert connection.execute("SELECT id, version_id FROM goose_db_version").fetchall() == [
            (1, 0),
            (2, 1),
        ]


def test_a_redo_runs_down_and_up_again(database: DatabaseConfig, write_migrations: WriteMigrations) -> None:
    directory = write_migrations(FILES)
    migrator(database, directory).up()

    for _ in range(2):
        migrator(database, directory).down(to=2)
        migrator(database, directory).up()

    assert versions(database) == [0, 1, 2, 3, 4, 5]


def test_targets_are_reached_both_ways(database: DatabaseConfig, write_migrations: WriteMigrations) -> None:
    directory = write_migrations(FILES)

    migrator(database, directory).up(to="00003")
    assert versions(database) == [0, 1, 2, 3]
    migrator(database, directory).down(to=1)
    assert versions(database) == [0, 1]
    migrator(database, directory).down(to=0)
    assert versions(database) == [0]


def test_a_failed_migration_leaves_nothing(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({"1_a.sql": "-- +goose Up\nCREATE TABLE a ();\nSELECT 1/0;\n"})

    with pytest.raises(MigrationFailed) as caught:
        migrator(database, directory).up()

    assert caught.value.where
    assert (caught.value.sqlstate, caught.value.where.line) == ("22012", 3)
    assert versions(database) == [0]
    assert "a" not in relations(database)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"-- +goose Up\n{FUNCTION};\n", "split-apart"),
        ("-- +goose Up\nSELECT 'a -- b';\n", "unfinished-message"),
        ("-- +goose Up\nCREATE INDEX CONCURRENTLY i ON a (one);\n", "needs-no-transaction"),
        ("\ufeff-- +goose Up\nSELECT 1;\n", "byte-order-mark"),
        ("SELECT 1;\n", "bad-annotation"),
        ("", "bad-annotation"),
        ("-- +goose Up\n-- +goose ENVSUB ON\nSELECT '$HOME';\n", "substitution-not-allowed"),
    ],
)
def test_what_goose_cannot_run_is_refused_before_anything_runs(
    database: DatabaseConfig, write_migrations: WriteMigrations, text: str, code: str
) -> None:
    directory = write_migrations({"1_a.sql": file_of("a"), "2_b.sql": text})

    with pytest.raises(SourceError) as caught:
        migrator(database, directory).up()

    assert caught.value.code == code
    assert caught.value.where
    assert caught.value.where.file.endswith("2_b.sql")
    assert "a" not in relations(database)


def test_a_file_without_down_stops_the_way_back_before_anything_runs(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {"1_a.sql": "-- +goose Up\nCREATE TABLE a ();\n", "2_b.sql": file_of("b"), "3_c.sql": file_of("c")}
    )
    migrator(database, directory).up()

    with pytest.raises(SourceError) as caught:
        migrator(database, directory).down(to=0)

    assert caught.value.code == "missing-down-file"
    assert versions(database) == [0, 1, 2, 3]
    assert [each.step.migration.version for each in migrator(database, directory).down(to=1)] == ["3", "2"]


def test_a_late_file_stops_up_unless_it_is_allowed(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({"1_a.sql": file_of("a"), "3_c.sql": file_of("c")})
    migrator(database, directory).up()
    write_migrations({"2_b.sql": file_of("b"), "4_d.sql": file_of("d")})

    with pytest.raises(HistoryMismatch) as caught:
        migrator(database, directory).up()
    assert caught.value.code == "out-of-order-migration"
    assert versions(database) == [0, 1, 3]

    migrator(database, directory, out_of_order=OutOfOrder.APPLY).up()
    assert versions(database) == [0, 1, 3, 2, 4]
    down = [migrator(database, directory).down()[0].step.migration.version for _ in range(4)]
    assert down == ["4", "2", "3", "1"]


def test_an_applied_version_without_a_file_is_told_and_stops_up_as_little_as_goose(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({"1_a.sql": file_of("a"), "2_b.sql": file_of("b")})
    migrator(database, directory).up()
    (directory / "1_a.sql").unlink()
    write_migrations({"3_c.sql": file_of("c")})

    events: list[Event] = []
    migrator(database, directory, events).up()

    assert "missing-migration" in [each.finding.code for each in events if isinstance(each, Noted)]
    assert versions(database) == [0, 1, 2, 3]


def test_the_table_of_goose_before_3_22_is_taken_over(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    run(
        database,
        OLD_TABLE,
        "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true)",
        "UPDATE goose_db_version SET tstamp = NULL",
        "CREATE TABLE a (one int, two int)",
    )
    directory = write_migrations(FILES)

    assert len(migrator(database, directory).up()) == 4
    assert versions(database) == [0, 1, 2, 3, 4, 5]


def test_rows_of_the_oldest_goose_count_by_the_newest_of_their_version(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    run(
        database,
        OLD_TABLE,
        "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (1, false), (1, true)",
        "CREATE TABLE a ()",
    )
    directory = write_migrations({"1_a.sql": file_of("a"), "2_b.sql": file_of("b")})

    assert [each.step.migration.version for each in migrator(database, directory).up()] == ["2"]
    migrator(database, directory).down(to=0)
    assert versions(database) == [0]


@pytest.mark.parametrize("applied", [True, False])
def test_a_version_that_was_taken_back_by_the_oldest_goose_must_be_resolved(
    database: DatabaseConfig, write_migrations: WriteMigrations, *, applied: bool
) -> None:
    run(
        database,
        OLD_TABLE,
        "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true), (2, false)",
    )
    directory = write_migrations({"1_a.sql": file_of("a"), "2_b.sql": file_of("b")})

    with pytest.raises(DirtyDatabase):
        migrator(database, directory).up()
    assert rows(database)[-1] == (2, False)

    migrator(database, directory).resolve(2, applied=applied)
    migrator(database, directory).up()
    assert rows(database) == [(0, True), (1, True), (2, True)]
    assert ("b" in relations(database)) is not applied


def test_two_rows_of_one_version_are_one_and_go_together(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({"1_a.sql": file_of("a"), "2_b.sql": file_of("b")})
    migrator(database, directory).up()
    run(database, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, true)")

    assert migrator(database, directory).up() == []
    migrator(database, directory).down()
    assert versions(database) == [0, 1]


@pytest.mark.parametrize("is_up", [True, False])
def test_a_lost_row_0_comes_back(
    database: DatabaseConfig, write_migrations: WriteMigrations, *, is_up: bool
) -> None:
    directory = write_migrations({"1_a.sql": file_of("a")})
    migrator(database, directory).up()
    if is_up:
        migrator(database, directory).down()
    run(database, "DELETE FROM goose_db_version WHERE version_id = 0")

    if is_up:
        migrator(database, directory).up()
        assert versions(database) == [0, 1]
    else:
        migrator(database, directory).down()
        assert versions(database) == [0]


def test_a_baseline_goes_in_ascending_with_row_0(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({f"{each}_t.sql": file_of(f"t{each}") for each in (9, 10, 11, 100)})

    migrator(database, directory).baseline(11)

    assert rows(database) == [(0, True), (9, True), (10, True), (11, True)]
    assert [each.step.migration.version for each in migrator(database, directory).up()] == ["100"]


def test_the_largest_versions_are_kept_exactly(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    largest = 2**63 - 1
    directory = write_migrations({f"{largest}_b.sql": file_of("b"), f"{largest - 1}_a.sql": file_of("a")})

    migrator(database, directory).up()

    assert versions(database) == [0, largest - 1, largest]
    assert migrator(database, directory).up() == []
    migrator(database, directory).down(to=0)
    assert versions(database) == [0]


@pytest.mark.parametrize("name", ['quo"ted', "with space", "Müller %s $1", "x" * 63, "UPPER"])
def test_a_history_may_have_any_name(
    database: DatabaseConfig, write_migrations: WriteMigrations, name: str
) -> None:
    run(database, 'CREATE SCHEMA "odd schema"')
    directory = write_migrations(FILES)
    quoted = '"odd schema"."' + name.replace('"', '""') + '"'

    for schema, table in (("odd schema", quoted), (None, quoted.partition(".")[2])):
        one = migrator(database, directory, schema=schema, table=name)
        one.up()
        assert [version for version, _ in rows(database, table)] == [0, 1, 2, 3, 4, 5]
        one.down(to=0)
        assert [version for version, _ in rows(database, table)] == [0]


def test_several_statements_of_one_message_succeed_or_fail_together_outside_a_transaction(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    text = (
        "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE a ();\n"
        "-- +goose StatementBegin\nCREATE TABLE b ();\nSELECT 1/0;\n-- +goose StatementEnd\n"
    )
    directory = write_migrations({"1_a.sql": text})

    with pytest.raises(MigrationFailed):
        migrator(database, directory).up()

    assert "a" in relations(database)
    assert "b" not in relations(database)
    with pytest.raises(DirtyDatabase):
        migrator(database, directory).up()
    migrator(database, directory).resolve(1, applied=False)
    assert versions(database) == [0]


def test_listed_variables_are_put_in(database: DatabaseConfig, write_migrations: WriteMigrations) -> None:
    directory = write_migrations(
        {"1_a.sql": "-- +goose Up\n-- +goose ENVSUB ON\nCREATE TABLE ${NAME:-b} ();\nSELECT $$$$it$$$$;\n"}
    )

    replace(migrator(database, directory), variables={"NAME": "a"}).up()

    assert "a" in relations(database)


def test_a_go_function_is_stopped_at_until_goose_has_run_it(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {"1_a.sql": file_of("a"), "2_b.go": "package migrations\n", "3_c.sql": file_of("c")}
    )

    run_by_command = replace(migrator(database, directory), foreign=ForeignSettings(up=("./migrate",)))
    assert [each.code for each in migrator(database, directory).plan().notes] == ["foreign-step"]
    assert run_by_command.plan().notes == ()
    with pytest.raises(ForeignStep, match="Go function"):
        migrator(database, directory).up()
    assert versions(database) == [0, 1]

    run(database, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, true)")
    migrator(database, directory).up()
    assert versions(database) == [0, 1, 2, 3]
    assert migrator(database, directory).status().findings == ()


@pytest.mark.slow
def test_ten_thousand_files_are_run(database: DatabaseConfig, write_migrations: WriteMigrations) -> None:
    directory = write_migrations(
        {
            f"{each:05}_t.sql": f"-- +goose Up\nSELECT {each};\n-- +goose Down\nSELECT -{each};\n"
            for each in range(1, 10_001)
        }
    )
    started = time.monotonic()

    assert len(migrator(database, directory).up()) == 10_000

    assert scalar(database, "SELECT count(*) FROM goose_db_version") == 10_001
    assert time.monotonic() - started < 120
