"""The address that env.py gets: the driver the project uses, and every part of what howdah was told."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.config import Config
from sqlalchemy import make_url

from howdah.config.database import DatabaseConfig, Secret
from howdah.migrate.formats.alembic.address import sqlalchemy_url, variables_for
from howdah.migrate.formats.alembic.host import make_config
from howdah.migrate.formats.alembic.places import Places

ONE = DatabaseConfig(
    host="db.example.test", port="6432", database="app", user="me", password=Secret("p%4@/:?#"), options={}
)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    script = tmp_path / "migrations"
    script.mkdir()
    (script / "env.py").write_text("")
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    return Places(tmp_path, script, (script / "versions",), ini=tmp_path / "alembic.ini")


def test_every_part_arrives_percent_signs_and_all(places: Places) -> None:
    config = make_config(places, ONE)

    url = make_url(config.get_main_option("sqlalchemy.url") or "")

    assert url.drivername == "postgresql+psycopg"
    assert (url.host, url.port, url.database, url.username, url.password) == (
        "db.example.test",
        6432,
        "app",
        "me",
        "p%4@/:?#",
    )
    assert config.get_section("alembic", {})["sqlalchemy.url"] == config.get_main_option("sqlalchemy.url")


@pytest.mark.parametrize(
    ("database", "query"),
    [
        (DatabaseConfig(host="/run/pg", port="6432", database="app"), {"host": "/run/pg", "port": "6432"}),
        (DatabaseConfig(host="a,b", port="1,2", database="app"), {"host": "a,b", "port": "1,2"}),
        (DatabaseConfig(database="app"), {}),
        (DatabaseConfig(host="a", database="app", options={"sslmode": "require"}), {"sslmode": "require"}),
    ],
)
def test_what_has_no_place_before_the_name_stands_behind_it(
    database: DatabaseConfig, query: dict[str, str], places: Places
) -> None:
    url = make_url(sqlalchemy_url(Config(str(places.ini)), places, database))
    assert (dict(url.query), url.database) == (query, "app")


def test_asyncpg_gets_libpqs_options_as_variables(places: Places) -> None:
    database = DatabaseConfig(host="a", database="app", options={"sslmode": "require"})
    (places.home / "migrations" / "env.py").write_text("# on asyncpg")

    assert sqlalchemy_url(Config(str(places.ini)), places, database) == "postgresql+asyncpg://a/app"
    assert variables_for(places, database)["PGSSLMODE"] == "require"


@pytest.mark.parametrize(
    ("ini", "scheme", "dotenv", "driver"),
    [
        ("postgresql+psycopg2://u@h/d", "", "", "psycopg2"),
        ("postgresql+no_such_driver://u@h/d", "", "", "psycopg"),
        ("postgresql://%(USER)s@h/d", "postgresql+asyncpg", "", "asyncpg"),
        ("driver://u@h/d", "", "DATABASE_URL='postgresql+asyncpg://u@h/d'\n", "asyncpg"),
        ("driver://u@h/d", "postgresql", "DATABASE_URL=postgresql+asyncpg://u@h/d\n", "psycopg"),
    ],
)
def test_the_driver_is_the_projects_where_it_is_installed(
    ini: str, scheme: str, dotenv: str, driver: str, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert places.ini
    places.ini.write_text(f"[alembic]\nscript_location = migrations\nsqlalchemy.url = {ini}\n")
    (places.home / ".env").write_text(dotenv)
    if scheme:
        monkeypatch.setenv("DATABASE_URL", f"{scheme}://somewhere/else")

    assert make_url(sqlalchemy_url(Config(str(places.ini)), places, ONE)).get_driver_name() == driver
    wanted = "postgresql+asyncpg" if driver == "asyncpg" else "postgresql"
    assert variables_for(places, ONE)["DATABASE_URL"].startswith(f"{wanted}://me:")


def test_the_variables_of_another_database_are_left_out(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSERVICE", "other")
    monkeypatch.setenv("PGTZ", "UTC")
    monkeypatch.setenv("MINE", "1")

    found = variables_for(places, ONE)

    assert "PGSERVICE" not in found
    assert (found["PGTZ"], found["MINE"], found["PGHOST"], found["PGDATABASE"]) == (
        "UTC",
        "1",
        "db.example.test",
        "app",
    )
