"""dbmate's files run on a real server, and what its table says after each of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from fix_db import connect
from fix_migrations import WriteMigrations, relations, scalar
from howdah.config.database import DatabaseConfig
from howdah.errors import DirtyDatabase, HistoryMismatch, MigrationFailed, SourceError
from howdah.migrate.events import Event, Noted
from howdah.migrate.migrator import Migrator

FILES: Mapping[str, str | bytes] = {
    "007_create_a.sql": """-- about a

-- migrate:up
CREATE TABLE a (one int, two int);

-- migrate:down
DROP TABLE a;
""",
    "008_both_indexes.sql": """-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY a_one ON a (one);
CREATE INDEX CONCURRENTLY a_two ON a (two);
-- migrate:down transaction:false
DROP INDEX CONCURRENTLY a_one;
DROP INDEX CONCURRENTLY a_two;
""",
    "009_line_ends.sql": (
        b"-- migrate:up\r\nCREATE TABLE b (\r\n  text text DEFAULT 'x\r\ny'\r\n);\r\n"
        b"-- migrate:down\r\nDROP TABLE b;\r\n"
    ),
}


def migrator(database: DatabaseConfig, directory: Path, events: list[Event] | None = None) -> Migrator:
    return Migrator(
        database=database,
        directory=directory,
        format="dbmate",
        on_event=(events if events is not None else []).append,
    )


def rows(database: DatabaseConfig) -> list[str]:
    with connect(database) as connection:
        return [
            version for (version,) in connection.execute("SELECT version FROM schema_migrations ORDER BY 1")
        ]


def file_of(name: str) -> str:
    return f"-- migrate:up\nCREATE TABLE {name} ();\n-- migrate:down\nDROP TABLE {name};\n"


def test_up_and_down_leave_the_rows_that_dbmate_would(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(FILES)

    results = migrator(database, directory).up()

    assert [each.transactional for each in results] == [True, False, True]
    assert rows(database) == ["007", "008", "009"]
    assert {"a_one", "a_two"} <= relations(database)
    assert migrator(database, directory).up() == []

    for left in (["007", "008"], ["007"], []):
        migrator(database, directory).down()
        assert rows(database) == left
    assert not {"a", "b", "a_one", "a_two"} & relations(database)


def test_the_order_is_that_of_the_names_both_ways(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({f"{each}_t.sql": file_of(f"t{each}") for each in ("1", "9", "10", "100")})

    up = migrator(database, directory).up()
    down = [migrator(database, directory).down()[0] for _ in range(4)]

    assert [each.step.migration.version for each in up] == ["100", "10", "1", "9"]
    assert [each.step.migration.version for each in down] == ["9", "1", "10", "100"]


def test_a_target_is_reached_both_ways_by_a_number_as_people_type_it(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(FILES)

    migrator(database, directory).up(to=8)
    assert rows(database) == ["007", "008"]
    migrator(database, directory).down(to="7")
    assert rows(database) == ["007"]
    migrator(database, directory).down(to=0)
    assert rows(database) == []


def test_a_file_that_is_late_runs_and_is_told(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations({"1_a.sql": file_of("a"), "3_c.sql": file_of("c")})
    migrator(database, directory).up()
    write_migrations({"2_b.sql": file_of("b")})

    events: list[Event] = []
    results = migrator(database, directory, events).up()

    assert [each.step.migration.version for each in results] == ["2"]
    assert "out-of-order-migration" in [each.finding.code for each in events if isinstance(each, Noted)]


def test_an_applied_version_without_a_file_is_told_and_stops_nothing(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(FILES)
    migrator(database, directory).up(to="007")
    (directory / "007_create_a.sql").unlink()

    events: list[Event] = []
    migrator(database, directory, events).up(to="008")

    assert "missing-migration" in [each.finding.code for each in events if isinstance(each, Noted)]
    with pytest.raises(HistoryMismatch):
        migrator(database, directory).down(to=0)


def test_what_needs_the_option_is_refused_naming_it(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    body = str(FILES["008_both_indexes.sql"]).replace("migrate:up transaction:false", "migrate:up")
    directory = write_migrations({**FILES, "008_both_indexes.sql": body})

    with pytest.raises(SourceError) as caught:
        migrator(database, directory).up()

    assert "-- migrate:up transaction:false" in (caught.value.fix or "")
    assert str(caught.value.where).endswith("008_both_indexes.sql:2")
    assert relations(database) == set()


def test_a_body_that_fails_leaves_no_row_and_says_the_line_of_the_file(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(
        {"1_a.sql": "\n\n-- migrate:up\nSELECT 1;\nSELECT 1 / 0;\n-- migrate:down\n"}
    )

    with pytest.raises(MigrationFailed) as caught:
        migrator(database, directory).up()

    assert str(caught.value.where).endswith("1_a.sql:5")
    assert rows(database) == []


def test_outside_a_transaction_a_failure_is_remembered_though_the_table_cannot_say_it(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    body = """-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY x ON a (one);
VACUUM nothing;
-- migrate:down
"""
    directory = write_migrations({**FILES, "008_both_indexes.sql": body})

    with pytest.raises(MigrationFailed):
        migrator(database, directory).up()

    assert rows(database) == ["007"]
    assert "x" in relations(database)
    # Another run goes on behind the index, and meets the same.
    with pytest.raises(MigrationFailed, match="nothing"):
        migrator(database, directory).up()
    with pytest.raises(DirtyDatabase):
        migrator(database, directory).plan()
    migrator(database, directory).resolve("008", applied=True)
    assert rows(database) == ["007", "008"]
    assert len(migrator(database, directory).up()) == 1


@pytest.mark.parametrize("width", ["", "(128)", "(255)"])
def test_a_table_of_every_release_is_gone_on_with(
    database: DatabaseConfig, write_migrations: WriteMigrations, width: str
) -> None:
    with connect(database) as connection:
        connection.execute(f"CREATE TABLE schema_migrations (version varchar{width} PRIMARY KEY)".encode())
        connection.execute("INSERT INTO schema_migrations VALUES ('007')")
        connection.execute("CREATE TABLE a (one int, two int)")

    results = migrator(database, write_migrations(FILES)).up()

    assert [each.step.migration.version for each in results] == ["008", "009"]


@pytest.mark.slow
def test_ten_thousand_files(database: DatabaseConfig, write_migrations: WriteMigrations) -> None:
    directory = write_migrations(
        {f"{each:05}_m.sql": "-- migrate:up\nSELECT 1;\n-- migrate:down\n" for each in range(10_000)}
    )

    assert len(migrator(database, directory).up()) == 10_000
    assert migrator(database, directory).up() == []
    assert scalar(database, "SELECT count(*) FROM schema_migrations") == 10_000
