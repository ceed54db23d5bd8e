"""Which extensions a project needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from howdah.config.project import DatabaseSettings, Project, SetupSettings
from howdah.dev.needs import migrations_of, needed_extensions
from howdah.pg.extensions import created_extensions


@pytest.mark.parametrize(
    ("script", "names"),
    [
        ('CREATE EXTENSION IF NOT EXISTS "uuid-ossp";', ["uuid-ossp"]),
        ("create extension Vector with schema public; CREATE EXTENSION hstore", ["vector", "hstore"]),
        ("-- CREATE EXTENSION nothing;\nSELECT 'CREATE EXTENSION nothing'", []),
        ("DROP EXTENSION hstore; ALTER EXTENSION hstore UPDATE", []),
        ("CREATE EXTENSION /* why */ \n if not exists\n pg_trgm", ["pg_trgm"]),
        ("CREATE TABLE extension_prices ()", []),
        ("CREATE EXTENSION 'unterminated", []),
    ],
)
def test_the_extensions_a_script_creates(script: str, names: list[str]) -> None:
    assert list(created_extensions(script)) == names


def test_setup_and_up_migrations_count(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "1_a.up.sql").write_text("CREATE EXTENSION citext;", encoding="utf-8")
    (tmp_path / "m" / "1_a.down.sql").write_text("CREATE EXTENSION hstore;", encoding="utf-8")
    settings = DatabaseSettings(
        "shop", migrations=tmp_path / "m", setup=SetupSettings(extensions=("vector",))
    )
    assert needed_extensions(Project(tmp_path, databases=(settings,))) == {"citext", "vector"}


@pytest.mark.parametrize(
    "name",
    [
        "1_goose.sql",
        "20240101000000_sqlx.up.sql",
        "V1__flyway.sql",
        "deeper/V2__flyway.sql",
        "20240101000000_a/migration.sql",
    ],
)
def test_migrations_of_any_format_in_sql_count(tmp_path: Path, name: str) -> None:
    file = tmp_path / "m" / name
    file.parent.mkdir(parents=True)
    file.write_text("-- migrate:up\nCREATE EXTENSION citext;\n", encoding="utf-8")
    settings = DatabaseSettings("shop", migrations=tmp_path / "m")
    assert needed_extensions(Project(tmp_path, databases=(settings,))) == {"citext"}


def test_the_only_folder_of_migrations_is_found(tmp_path: Path) -> None:
    (tmp_path / "db" / "migrations").mkdir(parents=True)
    (tmp_path / "db" / "migrations" / "1_a.up.sql").touch()
    settings = DatabaseSettings("shop")
    assert migrations_of(settings, Project(tmp_path, databases=(settings,))) == tmp_path / "db" / "migrations"


def test_a_project_without_migrations_has_none(tmp_path: Path) -> None:
    settings = DatabaseSettings("shop")
    assert migrations_of(settings, Project(tmp_path, databases=(settings,))) is None
    assert needed_extensions(Project(tmp_path, databases=(settings,))) == frozenset()
