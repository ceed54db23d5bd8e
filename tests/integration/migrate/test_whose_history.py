"""Files of one tool, a history of another: told with both readings, and nothing is written."""

from __future__ import annotations

import pytest

from fix_cli import Cli
from fix_db import connect
from fix_migrations import WriteMigrations, tables
from howdah.config.database import DatabaseConfig
from howdah.config.project import DatabaseSettings
from howdah.config.url import format_url
from howdah.errors import HistoryMismatch
from howdah.migrate.formats import all_formats
from howdah.migrate.formats.interface import Format
from howdah.migrate.history import HistoryTable
from howdah.migrate.migrator import Migrator
from howdah.migrate.sql import run_queries


@pytest.fixture
def url(database: DatabaseConfig) -> str:
    return format_url(database, show_password=True)


OTHERS = [each for each in all_formats() if each.name != "golang-migrate"]


def relations(database: DatabaseConfig) -> list[str]:
    with connect(database) as connection:
        rows = connection.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
        )
        return [name for (name,) in rows]


@pytest.mark.parametrize("other", OTHERS, ids=lambda each: each.name)
def test_a_database_with_another_tools_history_is_not_begun_anew(
    other: Format, database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(tables(2))
    with connect(database) as connection:
        run_queries(connection, list(other.table.create(HistoryTable("", "public", other.table.name))))
    before = relations(database)
    migrator = Migrator.of(DatabaseSettings("app"), database, root=directory)

    with pytest.raises(HistoryMismatch) as caught:
        migrator.up()

    assert caught.value.code in {"contradictory-history", "foreign-history"}
    assert other.name in caught.value.message
    assert "golang-migrate" in caught.value.message
    assert f"howdah migrate status --format {other.name}" in caught.value.next
    assert relations(database) == before


def test_who_says_the_format_is_believed(database: DatabaseConfig, write_migrations: WriteMigrations) -> None:
    directory = write_migrations(tables(2))
    with connect(database) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)")

    done = Migrator.of(DatabaseSettings("app"), database, root=directory, format="golang-migrate").up()

    assert len(done) == 2


def test_a_history_of_a_stranger_is_named(
    database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    directory = write_migrations(tables(1))
    with connect(database) as connection:
        connection.execute("CREATE TABLE schema_migrations (version bigint, inserted_at timestamp)")

    with pytest.raises(HistoryMismatch, match="a history of Ecto") as caught:
        Migrator.of(DatabaseSettings("app"), database, root=directory).up()

    assert caught.value.code == "foreign-history"


@pytest.mark.parametrize("policy", ["refuse", "apply", "skip"])
def test_out_of_order_is_a_policy_that_lists_what_it_is_about(
    policy: str, cli: Cli, url: str, database: DatabaseConfig, write_migrations: WriteMigrations
) -> None:
    def body(name: str) -> str:
        return f"-- migrate:up\nCREATE TABLE {name} (id int);\n-- migrate:down\nDROP TABLE {name};\n"

    directory = write_migrations({"1_a.sql": body("a"), "3_c.sql": body("c")})
    arguments = ("--url", url, "--dir", str(directory))
    assert cli("migrate", "up", *arguments).code == 0
    (directory / "2_b.sql").write_text(body("b"))

    ran = cli("migrate", "up", *arguments, "--out-of-order", policy)

    assert ran.code == (4 if policy == "refuse" else 0), ran
    assert "2_b.sql" in ran.stderr
    assert ("b" in relations(database)) is (policy == "apply")
    if policy == "skip":
        assert (
            cli("migrate", "status", "--json", *arguments).json["data"]["migrations"][1]["state"]
            == "out of order"
        )


def test_one_number_cannot_record_what_runs_late(
    database: DatabaseConfig, cli: Cli, url: str, write_migrations: WriteMigrations
) -> None:
    ran = cli(
        "migrate", "up", "--url", url, "--dir", str(write_migrations(tables(3))), "--out-of-order", "apply"
    )

    assert ran.code == 2, ran
    assert "cannot record" in ran.stderr
    assert relations(database) == []
