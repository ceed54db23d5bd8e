"""QuikApp's page says what happens, and its migrations build what its page documented before."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from acceptance.examples.page import run_page
from acceptance.examples.place import QUIKAPP, page_place, running_server, structure, tool
from fix_db import connect
from howdah import Migrator
from howdah.config.database import DatabaseConfig
from howdah.config.project import load_project
from howdah.config.url import format_url
from howdah.server.local import LocalServer

GO = ("workspace", "channel", "thread", "bookmark", "reminder")
PYTHON = ("analytics", "export", "integration")
DOCUMENTED = Path(__file__).parents[2] / "cases" / "quikapp"


@pytest.mark.interop
def test_every_command_of_the_page_does_what_the_page_says() -> None:
    modules = tool("typeorm/node_modules")
    with page_place(QUIKAPP) as place:
        (place.folder / "services/backend-gateway/node_modules").symlink_to(modules)
        count = run_page(
            place.folder / "README.md",
            folder=place.folder,
            environment=place.environment,
            replace={"5432": str(place.port)},
        )
    assert count > 30


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with running_server(QUIKAPP.suitable_programs()[-1]) as local:
        yield local


def _create(server: LocalServer, name: str) -> DatabaseConfig:
    with connect(server.address) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.address.with_database(name)


def _migrator(name: str, address: DatabaseConfig) -> Migrator:
    project = load_project(QUIKAPP.root)
    settings = next(each for each in project.databases if each.name == name)
    return Migrator.of(settings, address, root=project.root)


@pytest.mark.parametrize("name", ["workspace", "channel", "analytics"])
def test_the_migrations_build_the_documented_schema(server: LocalServer, name: str) -> None:
    migrated, documented = (_create(server, f"{name}_{which}") for which in ("migrated", "documented"))
    _migrator(f"QuikApp_{name}", migrated).up()
    with connect(documented) as connection:
        connection.execute((DOCUMENTED / f"{name}.sql").read_text(encoding="utf-8"))
    with connect(migrated) as connection:
        # the months that the document leaves out
        later = connection.execute("""
            SELECT inhrelid::regclass::text FROM pg_inherits
            WHERE inhparent = to_regclass('events') AND inhrelid::regclass::text !~ '^events_2024_0[12]$'
        """)
        for (partition,) in later.fetchall():
            connection.execute(f"DROP TABLE {partition}")
    assert structure(migrated) == structure(documented)


@pytest.mark.parametrize("name", [*GO, *PYTHON])
def test_all_the_way_down_leaves_nothing_and_up_again_the_same(server: LocalServer, name: str) -> None:
    database = _create(server, f"{name}_and_back")
    migrator = _migrator(f"QuikApp_{name}", database)
    empty = structure(database)
    migrator.up()
    full = structure(database)
    migrator.down(to=0)
    assert structure(database) == empty
    migrator.up()
    assert structure(database) == full != empty


@pytest.mark.interop
@pytest.mark.parametrize("name", PYTHON)
def test_alembic_builds_the_same_and_agrees_with_the_history(server: LocalServer, name: str) -> None:
    ours, theirs = (_create(server, f"{name}_{which}") for which in ("by_howdah", "by_alembic"))

    def alembic(*words: str, database: DatabaseConfig) -> str:
        return _run(
            tool("alembic/bin/alembic"),
            *words,
            folder=QUIKAPP.directory / f"{name}-service",
            database=database,
        )

    _migrator(f"QuikApp_{name}", ours).up()
    alembic("upgrade", "head", database=theirs)

    assert structure(ours) == structure(theirs)
    assert "(head)" in alembic("current", database=ours)
    assert _migrator(f"QuikApp_{name}", theirs).up() == []


@pytest.mark.interop
def test_typeorm_is_content_with_what_howdah_had_it_do(server: LocalServer, tmp_path: Path) -> None:
    gateway = tmp_path / "gateway"
    shutil.copytree(
        QUIKAPP.directory / "backend-gateway", gateway, ignore=shutil.ignore_patterns("node_modules")
    )
    (gateway / "node_modules").symlink_to(tool("typeorm/node_modules"))
    database = _create(server, "main")
    here = _migrator("QuikApp_main", database)
    migrator = replace(
        here, directory=gateway / "migrations", foreign=replace(here.foreign, directory=gateway)
    )

    migrator.up()

    shown = _run("npm", "run", "--silent", "typeorm", "migration:show", folder=gateway, database=database)
    assert re.findall(r"\[(.)\] \d+ (\w+)", shown) == [
        ("X", "CreateSessions1704067200000"),
        ("X", "CreateCacheMetadata1706745600000"),
    ]
    assert migrator.up() == []


def _run(*command: str | Path, folder: Path, database: DatabaseConfig) -> str:
    variables = {**os.environ, "DATABASE_URL": format_url(database, show_password=True)}
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
