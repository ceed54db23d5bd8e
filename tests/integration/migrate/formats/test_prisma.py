"""Prisma's folders run on a real server, and what its table says after each of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from fix_db import connect
from fix_migrations import relations, scalar
from howdah.config.database import DatabaseConfig
from howdah.errors import DirtyDatabase, HistoryMismatch, MigrationFailed, SourceError
from howdah.migrate.events import Event, Noted
from howdah.migrate.migrator import Migrator

ONE, TWO, INDEX = "20240101000000_one", "20240102000000_two", "20240103000000_index"
SCRIPTS = {
    ONE: "CREATE TABLE one (id int);\nCREATE TABLE more (id int);\n",
    TWO: "CREATE TABLE two (id int);\n",
    INDEX: "CREATE INDEX CONCURRENTLY one_id ON one (id);\n",
}
WriteFolders = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def write_folders(tmp_path: Path) -> WriteFolders:
    """Write scripts into folders of the test's migrations directory."""

    def write(scripts: Mapping[str, str]) -> Path:
        directory = tmp_path / "migrations"
        directory.mkdir(exist_ok=True)
        (directory / "migration_lock.toml").write_text('provider = "postgresql"\n')
        for name, text in scripts.items():
            (directory / name).mkdir(exist_ok=True)
            (directory / name / "migration.sql").write_text(text)
        return directory

    return write


def migrator(database: DatabaseConfig, directory: Path, events: list[Event] | None = None) -> Migrator:
    return Migrator(
        database=database,
        directory=directory,
        format="prisma",
        on_event=(events if events is not None else []).append,
    )


def rows(database: DatabaseConfig) -> list[tuple[object, ...]]:
    """Name, checksum, whether finished, logs, whether rolled back, steps."""
    with connect(database) as connection:
        return connection.execute(
            "SELECT migration_name, checksum, finished_at >= started_at, logs, rolled_back_at IS NOT NULL,"
            " applied_steps_count FROM _prisma_migrations ORDER BY started_at, migration_name"
        ).fetchall()


def applied(name: str) -> tuple[object, ...]:
    return name, hashlib.sha256(SCRIPTS[name].encode()).hexdigest(), True, None, False, 1


def run(database: DatabaseConfig, *statements: str) -> None:
    with connect(database) as connection:
        for each in statements:
            connection.execute(each.encode())


def test_up_leaves_the_rows_that_prisma_would(database: DatabaseConfig, write_folders: WriteFolders) -> None:
    directory = write_folders(SCRIPTS)

    results = migrator(database, directory).up()

    assert [each.transactional for each in results] == [True, True, False]
    assert rows(database) == [applied(ONE), applied(TWO), applied(INDEX)]
    assert scalar(database, "SELECT bool_and(length(id) = 36) FROM _prisma_migrations") is True
    assert migrator(database, directory).up() == []


def test_a_target_may_be_its_timestamp(database: DatabaseConfig, write_folders: WriteFolders) -> None:
    migrator(database, write_folders(SCRIPTS)).up(to="20240102000000")

    assert [each[0] for each in rows(database)] == [ONE, TWO]


def test_a_late_folder_runs_and_edited_or_missing_ones_stop_nothing(
    database: DatabaseConfig, write_folders: WriteFolders
) -> None:
    directory = write_folders(SCRIPTS)
    migrator(database, directory).up()
    write_folders({ONE: "CREATE TABLE one (id bigint);\n", "20240101120000_late": "CREATE TABLE late ();"})
    (directory / TWO / "migration.sql").unlink()
    (directory / TWO).rmdir()
    events: list[Event] = []

    results = migrator(database, directory, events).up()

    assert [each.step.migration.version for each in results] == ["20240101120000_late"]
    assert {each.finding.code for each in events if isinstance(each, Noted)} == {
        "out-of-order-migration",
        "missing-migration",
        "modified-migration",
    }


def test_there_is_no_way_down(database: DatabaseConfig, write_folders: WriteFolders) -> None:
    directory = write_folders(SCRIPTS)
    migrator(database, directory).up()

    with pytest.raises(SourceError) as caught:
        migrator(database, directory).down()

    assert caught.value.code == "missing-down-file"
    assert len(rows(database)) == 3


def test_a_script_that_fails_in_a_transaction_leaves_no_row(
    database: DatabaseConfig, write_folders: WriteFolders
) -> None:
    directory = write_folders({ONE: "CREATE TABLE one ();\nSELECT 1 / 0;"})

    with pytest.raises(MigrationFailed):
        migrator(database, directory).up()

    assert rows(database) == []
    assert relations(database) == {"_prisma_migrations", "_prisma_migrations_pkey"}


def test_one_that_fails_outside_is_unfinished_until_resolved_as_prisma_resolves(
    database: DatabaseConfig, write_folders: WriteFolders
) -> None:
    both = "CREATE INDEX CONCURRENTLY one_id ON one (id);\nDROP INDEX CONCURRENTLY nowhere;\n"
    directory = write_folders({**SCRIPTS, INDEX: both})
    with pytest.raises(MigrationFailed):
        migrator(database, directory).up()
    assert [(each[0], each[2]) for each in rows(database)] == [(ONE, True), (TWO, True), (INDEX, None)]
    with pytest.raises(DirtyDatabase, match=INDEX):
        migrator(database, directory).plan()
    # Another run goes on behind the index, and meets the same.
    with pytest.raises(MigrationFailed, match="nowhere"):
        migrator(database, directory).up()

    migrator(database, directory).resolve(INDEX, applied=False)
    assert rows(database)[2][2:] == (None, None, True, 0)
    run(database, "DROP INDEX IF EXISTS one_id")
    write_folders(SCRIPTS)
    migrator(database, directory).up()
    assert rows(database)[3] == applied(INDEX)


def test_resolved_as_applied_it_has_a_row_of_its_own_without_steps(
    database: DatabaseConfig, write_folders: WriteFolders
) -> None:
    directory = write_folders(SCRIPTS)
    migrator(database, directory).up(to=TWO)
    run(
        database,
        f"UPDATE _prisma_migrations SET finished_at = NULL, logs = 'x' WHERE migration_name = '{TWO}'",
    )

    migrator(database, directory).resolve(TWO, applied=True)

    assert [each[2:] for each in rows(database) if each[0] == TWO] == [
        (None, "x", True, 1),
        (True, "", False, 0),
    ]
    assert migrator(database, directory).up()[0].step.migration.version == INDEX


def test_a_baseline_is_a_row_for_each(database: DatabaseConfig, write_folders: WriteFolders) -> None:
    directory = write_folders(SCRIPTS)
    run(database, SCRIPTS[ONE], SCRIPTS[TWO])

    migrator(database, directory).baseline(TWO)

    assert rows(database) == [(*applied(each)[:3], "", False, 0) for each in (ONE, TWO)]
    assert [each.step.migration.version for each in migrator(database, directory).up()] == [INDEX]


def test_rows_rolled_back_do_not_count_and_old_checksums_are_not_compared(
    database: DatabaseConfig, write_folders: WriteFolders
) -> None:
    directory = write_folders(SCRIPTS)
    migrator(database, directory).baseline(ONE)
    run(
        database,
        "UPDATE _prisma_migrations SET checksum = 'abc', started_at = '2020-01-01', finished_at = '2020-01-02'",
        "DROP TABLE IF EXISTS howdah.history",
        "INSERT INTO _prisma_migrations (id, checksum, migration_name, rolled_back_at, started_at)"
        f" VALUES ('1', '{'0' * 64}', '{TWO}', now(), now()), ('2', '{'0' * 64}', '{ONE}', now(), now())",
        "CREATE TABLE one (id int)",
    )
    events: list[Event] = []

    results = migrator(database, directory, events).up()

    assert [each.step.migration.version for each in results] == [TWO, INDEX]
    assert [each.finding.code for each in events if isinstance(each, Noted)] == []


def test_a_failed_row_of_prismas_is_refused(database: DatabaseConfig, write_folders: WriteFolders) -> None:
    directory = write_folders(SCRIPTS)
    migrator(database, directory).up(to=ONE)
    run(
        database,
        "INSERT INTO _prisma_migrations (id, checksum, migration_name, logs)"
        f" VALUES ('1', '{'0' * 64}', '{TWO}', 'it failed')",
    )

    with pytest.raises(DirtyDatabase, match=TWO):
        migrator(database, directory).up()


def test_migrations_of_another_database_stop_it(
    database: DatabaseConfig, write_folders: WriteFolders
) -> None:
    directory = write_folders(SCRIPTS)
    (directory / "migration_lock.toml").write_text('provider = "sqlite"\n')

    with pytest.raises((SourceError, HistoryMismatch), match="sqlite"):
        migrator(database, directory).up()


@pytest.mark.slow
def test_ten_thousand_folders(database: DatabaseConfig, write_folders: WriteFolders) -> None:
    directory = write_folders({f"{each:014}_m": "SELECT 1;" for each in range(10_000)})

    assert len(migrator(database, directory).up()) == 10_000
    assert migrator(database, directory).up() == []
