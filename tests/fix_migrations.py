"""Directories of golang-migrate files, and what a database looks like after they ran."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from fix_db import connect
from howdah.config.database import DatabaseConfig
from howdah.migrate.events import Event
from howdah.migrate.migrator import Migrator
from howdah.migrate.settings import RunSettings

WriteMigrations = Callable[[Mapping[str, str | bytes]], Path]


@pytest.fixture
def write_migrations(tmp_path: Path) -> WriteMigrations:
    """Write files into the test's migrations directory; `1_a` stands for the up and down half `1_a.*.sql`."""

    def write(files: Mapping[str, str | bytes]) -> Path:
        directory = tmp_path / "migrations"
        directory.mkdir(exist_ok=True)
        for name, body in files.items():
            raw = body.encode() if isinstance(body, str) else body
            (directory / name).write_bytes(raw)
        return directory

    return write


def tables(count: int) -> dict[str, str]:
    """`count` pairs, each of one table."""
    files = {}
    for number in range(1, count + 1):
        files[f"{number:03}_t{number}.up.sql"] = (
            f"CREATE TABLE t{number} (id bigint PRIMARY KEY, name text);\n"
        )
        files[f"{number:03}_t{number}.down.sql"] = f"DROP TABLE t{number};\n"
    return files


def migrator(
    database: DatabaseConfig, directory: Path, events: list[Event] | None = None, **settings: float
) -> Migrator:
    """A migrator that keeps its events."""
    return Migrator(
        database=database,
        directory=directory,
        settings=RunSettings(**settings),
        on_event=(events if events is not None else []).append,
    )


def history(database: DatabaseConfig) -> list[tuple[int, bool]]:
    """The rows of schema_migrations."""
    with connect(database) as connection:
        return connection.execute("SELECT version, dirty FROM schema_migrations").fetchall()


def relations(database: DatabaseConfig) -> set[str]:
    """Tables, views and indexes of the schema public, without the history's."""
    with connect(database) as connection:
        return {
            name
            for (name,) in connection.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                " AND relkind IN ('r', 'i', 'v', 'p') AND relname !~ '^schema_migrations'"
            )
        }


def scalar(database: DatabaseConfig, query: str) -> object:
    """The one value of a query."""
    with connect(database) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]
