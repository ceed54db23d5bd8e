"""`howdah schema dump` and `diff` as they are typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fix_cli import Cli
from fix_db import connect
from fix_server import RunningServer
from howdah.config.database import DatabaseConfig
from howdah.config.url import format_url

USERS = "CREATE TABLE users (id int PRIMARY KEY, email text);\n"


@pytest.fixture
def project(database: DatabaseConfig, server: RunningServer, tmp_path: Path, cli: Cli) -> Cli:
    """A project of one database with two migrations, whose server is the tests'."""
    (tmp_path / "howdah.toml").write_text(
        '[database.shop]\nmigrations = "db/migrations"\nschema-file = "db/schema.sql"\n'
    )
    folder = tmp_path / "db" / "migrations"
    folder.mkdir(parents=True)
    (folder / "1_users.up.sql").write_text(USERS)
    (folder / "1_users.down.sql").write_text("DROP TABLE users;\n")
    (folder / "2_teams.up.sql").write_text("CREATE TABLE teams (id int);\n")
    (folder / "2_teams.down.sql").write_text("DROP TABLE teams;\n")
    cli.environ["HOWDAH_URL"] = url(database)
    cli.environ["HOWDAH_REHEARSE_URL"] = url(server.address)
    return cli


def url(database: DatabaseConfig) -> str:
    return format_url(database, show_password=True)


def run(database: DatabaseConfig, script: str) -> None:
    with connect(database) as connection:
        connection.execute(script.encode())


def test_the_file_is_kept_up_by_each_run_that_changes_something(project: Cli, tmp_path: Path) -> None:
    file = tmp_path / "db" / "schema.sql"
    first = project("migrate", "up", "--to", "1")
    assert first.code == 0, first
    assert f"note: {file}: brought up to date with the database [schema-file-written]" in first.stderr
    text = file.read_text()
    assert "-- Newest applied migration: 1 (users)\n" in text
    assert "CREATE TABLE public.users" in text
    assert "schema_migrations" not in text

    assert "public.teams" not in text
    assert project("migrate", "up").code == 0
    assert "public.teams" in file.read_text()
    assert project("migrate", "down").code == 0
    assert file.read_text() == text

    file.write_text("mine")
    assert project("migrate", "up", "--to", "1").code == 0
    assert file.read_text() == "mine"


def test_a_protected_database_leaves_the_file_alone(project: Cli, tmp_path: Path) -> None:
    with (tmp_path / "howdah.toml").open("a") as file:
        file.write("protected = true\n")
    assert project("migrate", "up").code == 0
    assert not (tmp_path / "db" / "schema.sql").exists()


def test_a_file_that_cannot_be_written_is_no_failure(project: Cli, tmp_path: Path) -> None:
    (tmp_path / "db" / "schema.sql").mkdir()
    done = project("migrate", "up")
    assert done.code == 0, done
    assert "schema-file-not-written" in done.stderr


def test_the_bare_area_prints_the_structure(project: Cli) -> None:
    assert project("migrate", "up").code == 0
    done = project("schema")
    assert done.code == 0
    assert done.stdout.startswith("-- The structure of the database, written by `howdah schema dump`.\n")
    assert done.stdout == project("schema", "dump").stdout


def test_it_is_written_to_a_file_where_that_says_something_else(project: Cli, tmp_path: Path) -> None:
    assert project("migrate", "up").code == 0
    other = tmp_path / "new" / "s.sql"
    written, again = (
        project("schema", "dump", "-o", "new/s.sql"),
        project("schema", "dump", "-o", "new/s.sql"),
    )
    assert (written.code, again.code) == (0, 0)
    assert "written" in written.stdout
    assert "is current" in again.stdout
    assert other.read_text() == (tmp_path / "db" / "schema.sql").read_text()


def test_check_says_whether_the_file_is_what_the_migrations_give(project: Cli, tmp_path: Path) -> None:
    file = tmp_path / "db" / "schema.sql"
    missing = project("schema", "dump", "--check")
    assert missing.code == 2, missing
    assert project("migrate", "up").code == 0
    del project.environ["HOWDAH_URL"]  # no database is needed

    assert project("schema", "dump", "--check").code == 0
    file.write_text(
        file.read_text().lower().replace("-- newest applied migration", "-- Newest applied migration")
    )
    assert project("schema", "dump", "--check").code == 0, "other words for the same"

    (tmp_path / "db" / "migrations" / "3_more.up.sql").write_text("ALTER TABLE teams ADD COLUMN name text;\n")
    outdated = project("schema", "dump", "--check", "--json")
    assert outdated.code == 1
    assert [each["name"] for each in outdated.json["data"]["differences"]] == ["public.teams.name"]
    assert outdated.json["problems"][-1]["code"] == "schema-file-outdated"


def test_check_sees_a_migration_that_changed_no_structure(project: Cli, tmp_path: Path) -> None:
    assert project("migrate", "up").code == 0
    (tmp_path / "db" / "migrations" / "3_data.up.sql").write_text("INSERT INTO teams VALUES (1);\n")
    done = project("schema", "dump", "--check")
    assert done.code == 1
    assert "names 2 (teams) as the newest migration, which is 3 (data)" in done.stdout


def test_drift_exits_with_1_and_names_the_way_back(project: Cli, database: DatabaseConfig) -> None:
    assert project("migrate", "up").code == 0
    assert project("schema", "diff").code == 0
    run(database, "CREATE INDEX by_hand ON users (email)")
    done = project("schema", "diff")
    assert done.code == 1
    assert "+ index public.by_hand is there, and no migration makes it" in done.stdout
    assert "back: DROP INDEX CONCURRENTLY public.by_hand;" in done.stdout
    assert project("schema", "diff", "--ignore", "index").code == 0
    assert project("schema", "diff", "--json").json["data"]["differences"][0]["back"] == (
        "DROP INDEX CONCURRENTLY public.by_hand;"
    )


def test_two_sides(project: Cli, make_database: Callable[[], DatabaseConfig], tmp_path: Path) -> None:
    other = make_database()
    run(other, USERS)
    (tmp_path / "other.sql").write_text(
        USERS + "CREATE TABLE policed (id int);\nALTER TABLE policed ENABLE ROW LEVEL SECURITY;\n"
    )
    assert project("migrate", "up", "--to", "1").code == 0

    def differs(*sides: str) -> list[str]:
        done = project("schema", "diff", *sides, "--json")
        assert done.code == int(bool(done.json["data"]["differences"])), done
        return [f"{each['kind']} {each['name']}" for each in done.json["data"]["differences"]]

    assert differs("shop", url(other)) == []
    assert differs("migrations@1", "shop") == []
    assert differs("migrations", "shop") == ["table public.teams"]
    assert differs("migrations") == ["table public.teams"]
    assert differs("other.sql", "migrations") == ["table public.policed", "table public.teams"]
    assert differs("db/schema.sql", "migrations@1") == []


def test_a_side_that_is_nothing_is_a_mistake(project: Cli) -> None:
    done = project("schema", "diff", "sideways")
    assert done.code == 2
    assert "name a URL, a database of the project (shop)" in done.stderr


def test_a_file_that_does_not_load_is_told_by_its_line(project: Cli, tmp_path: Path) -> None:
    (tmp_path / "bad.sql").write_text("CREATE TABLE a (id int);\n\nCREATE TABLE b (id nonsense);\n")
    done = project("schema", "diff", "bad.sql", "migrations")
    assert done.code == 5
    assert "bad.sql:3: it cannot be loaded into an empty database" in done.stderr


def test_all_databases_have_a_file_each(
    project: Cli, make_database: Callable[[], DatabaseConfig], tmp_path: Path
) -> None:
    del project.environ["HOWDAH_URL"]
    names = ("one", "two")
    (tmp_path / "howdah.toml").write_text(
        "".join(
            f'[database.{name}]\nenv = {{url = "URL_{name}"}}\n'
            f'migrations = "db/migrations"\nschema-file = "db/{name}.sql"\n'
            for name in names
        )
    )
    project.environ.update({f"URL_{name}": url(make_database()) for name in names})
    assert project("migrate", "up", "--all").code == 0
    assert (tmp_path / "db" / "one.sql").read_text() == (tmp_path / "db" / "two.sql").read_text()
    assert project("schema", "dump", "--check", "--all").code == 0
    (tmp_path / "db" / "two.sql").unlink()
    checked = project("schema", "dump", "--check", "--all", "--json")
    assert checked.code == 2
    assert [each["name"] for each in checked.json["data"]["databases"] if "error" in each] == ["two"]
    written = project("schema", "dump", "--write", "--all")
    assert written.code == 0
    assert (tmp_path / "db" / "two.sql").exists()


def test_a_url_is_enough(cli: Cli, database: DatabaseConfig) -> None:
    run(database, USERS)
    run(
        database,
        "CREATE TABLE goose_db_version (id int, version_id bigint, is_applied bool, tstamp timestamp)",
    )
    done = cli("schema", "--url", url(database))
    assert done.code == 0, done
    assert done.stdout.startswith("-- The structure of the database")
    assert "Newest" not in done.stdout
    assert "users" in done.stdout
