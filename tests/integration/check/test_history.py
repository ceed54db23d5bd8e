"""What a database's history says to the files, read without writing anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from fix_db import connect
from howdah.check.files import examine_files
from howdah.check.history import Environment, compare_with_history
from howdah.config.database import DatabaseConfig
from howdah.errors import ConnectError
from howdah.findings import Severity
from howdah.migrate.formats import find_format
from howdah.migrate.formats.interface import OutOfOrder
from howdah.migrate.migrator import Migrator
from howdah.observe.verdict import Verdict

FILES = {
    "1_a.sql": "CREATE TABLE a (id int);",
    "2_b.sql": "CREATE TABLE b (id int);",
    "3_c.sql": "CREATE TABLE c (id int);",
}


def goose(up: str) -> str:
    return f"-- +goose Up\n{up}\n-- +goose Down\nSELECT 1;\n"


def write(directory: Path, files: Mapping[str, str | None]) -> Path:
    directory.mkdir(exist_ok=True)
    for name, text in files.items():
        if text is None:
            (directory / name).unlink()
        else:
            (directory / name).write_text(text)
    return directory


def migrator(
    database: DatabaseConfig, directory: Path, format: str, out_of_order: OutOfOrder | None = None
) -> Migrator:
    return Migrator(database=database, directory=directory, format=format, out_of_order=out_of_order)


def compare(of: Migrator) -> Environment:
    source, _ = examine_files(find_format(of.format), of.directory)
    assert source is not None
    return compare_with_history(of, source)


def told(environment: Environment) -> list[tuple[str, Verdict]]:
    return [(each.finding.code, each.verdict) for each in environment.findings]


@pytest.fixture
def sqlx(database: DatabaseConfig, tmp_path: Path) -> Migrator:
    """Two of three migrations applied."""
    made = migrator(database, write(tmp_path / "migrations", FILES), "sqlx")
    made.up(to=2)
    return made


def test_what_is_pending_is_told_in_order(sqlx: Migrator) -> None:
    found = compare(sqlx)

    assert found.pending == ("3",)
    assert found.findings == ()
    assert found.status is not None


def test_an_empty_database_has_everything_pending_and_stays_empty(
    database: DatabaseConfig, tmp_path: Path
) -> None:
    found = compare(migrator(database, write(tmp_path / "migrations", FILES), "sqlx"))

    assert found.pending == ("1", "2", "3")
    with connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        assert row.fetchone() == (0,)


def test_an_edited_file_fails_where_the_tool_stops_at_it(sqlx: Migrator) -> None:
    write(sqlx.directory, {"1_a.sql": "CREATE TABLE a (id bigint);"})

    assert told(compare(sqlx)) == [("modified-migration", Verdict.FAILS)]


def test_an_edited_file_breaks_where_nobody_notices(database: DatabaseConfig, tmp_path: Path) -> None:
    files = {name: goose(text) for name, text in FILES.items()}
    of = migrator(database, write(tmp_path / "migrations", files), "goose")
    of.up()
    write(of.directory, {"1_a.sql": goose("CREATE TABLE a (id bigint);")})

    assert told(compare(of)) == [("modified-migration", Verdict.BREAKING)]


def test_a_missing_file_fails_once_where_up_would_stop(sqlx: Migrator) -> None:
    write(sqlx.directory, {"1_a.sql": None})

    found = compare(sqlx)

    assert told(found) == [("missing-migration", Verdict.FAILS)]
    assert found.pending == ()


@pytest.mark.parametrize(
    ("policy", "verdict", "pending"),
    [
        (OutOfOrder.APPLY, Verdict.SAFE, ("0", "3")),
        (OutOfOrder.REFUSE, Verdict.FAILS, ()),
        (OutOfOrder.SKIP, Verdict.FAILS, ("3",)),
    ],
)
def test_out_of_order_weighs_what_the_policy_makes_of_it(
    sqlx: Migrator, policy: OutOfOrder, verdict: Verdict, pending: tuple[str, ...]
) -> None:
    write(sqlx.directory, {"0_z.sql": "SELECT 1;"})

    found = compare(migrator(sqlx.database, sqlx.directory, "sqlx", policy))

    assert told(found) == [("out-of-order-migration", verdict)]
    assert found.pending == pending


def test_a_database_ahead_of_the_files_is_a_warning(sqlx: Migrator) -> None:
    sqlx.up()
    write(sqlx.directory, {"3_c.sql": None})

    found = compare(sqlx)

    assert told(found) == [("database-ahead", Verdict.UNKNOWN)]
    assert found.findings[0].finding.severity is Severity.WARNING


def test_a_dirty_history_fails(sqlx: Migrator) -> None:
    with connect(sqlx.database) as connection:
        connection.execute("UPDATE _sqlx_migrations SET success = false WHERE version = 2")

    assert told(compare(sqlx)) == [("dirty-database", Verdict.FAILS)]


def test_another_tools_history_fails(sqlx: Migrator) -> None:
    with connect(sqlx.database) as connection:
        connection.execute("ALTER TABLE _sqlx_migrations DROP COLUMN checksum")

    found = compare(sqlx)

    assert told(found) == [("foreign-history", Verdict.FAILS)]
    assert found.status is None


def test_a_role_that_may_only_read_is_enough(sqlx: Migrator) -> None:
    with connect(sqlx.database) as connection:
        connection.execute(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on',"
            " current_database()); END $$"
        )

    assert compare(sqlx).pending == ("3",)


def test_a_server_that_is_not_there_is_no_finding(tmp_path: Path) -> None:
    nowhere = DatabaseConfig(host="127.0.0.1", port="1", database="x", user="x")

    with pytest.raises(ConnectError):
        compare(migrator(nowhere, write(tmp_path / "migrations", FILES), "sqlx"))
