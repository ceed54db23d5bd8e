"""`howdah schema stats`: a file without a value of a row, and what the numbers do not say."""

from __future__ import annotations

import json

from fix_cli import Cli
from fix_db import connect
from howdah.config.database import DatabaseConfig
from howdah.observe.sizes import load_stats, parse_stats


def url_of(database: DatabaseConfig) -> str:
    assert database.password is not None
    return (
        f"postgresql://{database.user}:{database.password.reveal()}@{database.host}:{database.port}"
        f"/{database.database}"
    )


def test_a_file_is_written_and_its_largest_tables_are_shown(cli: Cli, database: DatabaseConfig) -> None:
    with connect(database) as connection:
        connection.execute("CREATE TABLE notes (id int PRIMARY KEY)")
        connection.execute("INSERT INTO notes SELECT generate_series(1, 1000)")
        connection.execute("ANALYZE")
    done = cli("schema", "stats", "--url", url_of(database), "-o", "stats.json")
    assert done.code == 0, done
    assert "public.notes  1,000" in done.stdout
    assert "stats.json: written" in done.stdout
    assert load_stats(cli.directory / "stats.json").by_name["public.notes"].rows == 1000


def test_without_a_file_it_is_printed(cli: Cli, database: DatabaseConfig) -> None:
    done = cli("schema", "stats", "--url", url_of(database))
    assert parse_stats(done.stdout).tables == ()


def test_programs_get_the_same_values(cli: Cli, database: DatabaseConfig) -> None:
    with connect(database) as connection:
        connection.execute("CREATE TABLE notes (id int) WITH (autovacuum_enabled = off)")
        connection.execute("INSERT INTO notes SELECT generate_series(1, 1000)")
    found = cli("schema", "stats", "--url", url_of(database), "--json").json
    assert found["data"]["file"] is None
    assert parse_stats(json.dumps(found["data"]["stats"])).by_name["public.notes"].rows_are_guessed
    assert [each["code"] for each in found["problems"]] == ["guessed-rows"]
