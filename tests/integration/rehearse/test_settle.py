"""settle: rows of squashed migrations leave a history, and nothing that a human must look at first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fix_db import connect
from howdah.config.database import DatabaseConfig
from howdah.errors import DirtyDatabase
from howdah.migrate.migrator import Migrator
from howdah.rehearse.settle import settle


def rows(database: DatabaseConfig) -> list[tuple[int, bool]]:
    with connect(database) as connection:
        return connection.execute("SELECT version, success FROM _sqlx_migrations ORDER BY version").fetchall()


@pytest.fixture
def migrator(database: DatabaseConfig, tmp_path: Path) -> Migrator:
    """A database that three migrations made, of which one took the place afterwards."""
    archive = tmp_path / "squashed" / "3"
    archive.mkdir(parents=True)
    for number in (1, 2, 3):
        (archive / f"{number}_m.sql").write_text(f"CREATE TABLE t{number} (id int);\n")
    Migrator(database=database, directory=archive, format="sqlx").up()
    (archive / "manifest.json").write_text(json.dumps({"howdah": 1, "format": "sqlx", "version": "3"}))
    (tmp_path / "3_squashed.sql").write_text("CREATE TABLE t1 (), t2 (), t3 ();\n")
    return Migrator(database=database, directory=tmp_path, format="sqlx")


def test_rows_without_a_file_leave_the_history(migrator: Migrator, database: DatabaseConfig) -> None:
    assert settle(migrator).removed == ("1", "2")
    assert rows(database) == [(3, True)]


@pytest.mark.parametrize("version", [1, 3])
def test_a_dirty_history_is_left_alone(migrator: Migrator, database: DatabaseConfig, version: int) -> None:
    with connect(database) as connection:
        connection.execute("UPDATE _sqlx_migrations SET success = false WHERE version = %s", [version])
    before = rows(database)
    with pytest.raises(DirtyDatabase):
        settle(migrator)
    assert rows(database) == before
