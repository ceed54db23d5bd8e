"""The examples' files themselves: every down undoes its up exactly, whoever runs them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from acceptance.examples.place import HOLOMUSH, KAIMU, VIBEXP, Example, running_server, structure, tool
from fix_db import connect
from howdah import Migrator
from howdah.config.database import DatabaseConfig, Secret
from howdah.config.url import format_url
from howdah.pg.programs import Programs
from howdah.server.local import LocalServer

Run = Callable[[DatabaseConfig, Path, int], None]


def _oldest_and_newest(example: Example) -> list[Programs]:
    found = example.suitable_programs()
    return list({programs.version: programs for programs in (*found[:1], *found[-1:])}.values())


@pytest.fixture(
    scope="module",
    params=[
        (example, programs)
        for example in (KAIMU, VIBEXP, HOLOMUSH)
        for programs in _oldest_and_newest(example)
    ],
    ids=lambda param: f"{param[0].name}-{param[1].version.major}",
)
def place(request: pytest.FixtureRequest) -> Iterator[tuple[Example, LocalServer]]:
    """An example and a server for it."""
    example, programs = request.param
    with running_server(programs) as local:
        yield example, local


@pytest.fixture
def database(place: tuple[Example, LocalServer]) -> Iterator[DatabaseConfig]:
    """An empty database of an ordinary role; what only an administrator can make is there."""
    example, local = place
    with connect(local.address) as connection:
        connection.execute("CREATE ROLE app LOGIN PASSWORD 'app'")
        connection.execute("CREATE DATABASE app OWNER app TEMPLATE template0")
    with connect(local.address.with_database("app")) as connection:
        for name in example.untrusted:
            connection.execute(f"CREATE EXTENSION {name}")
    yield replace(local.address, database="app", user="app", password=Secret("app"))
    with connect(local.address) as connection:
        connection.execute("DROP DATABASE app WITH (FORCE)")
        connection.execute("DROP ROLE app")


def _by_howdah(database: DatabaseConfig, directory: Path, version: int) -> None:
    migrator = Migrator(database=database, directory=directory)
    if version >= int(migrator.status().history.version or 0):
        migrator.up(to=version)
    else:
        migrator.down(to=version)


def _by_golang_migrate(database: DatabaseConfig, directory: Path, version: int) -> None:
    program = tool("bin/migrate")
    url = format_url(database, show_password=True).replace("postgresql://", "pgx5://", 1)
    words = ["goto", str(version)] if version else ["down", "-all"]
    done = subprocess.run(
        [program, "-path", directory, "-database", f"{url}?sslmode=disable", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(_by_howdah, id="howdah"),
        pytest.param(_by_golang_migrate, id="golang-migrate", marks=pytest.mark.interop),
    ],
)
def test_every_down_undoes_its_up_exactly(
    place: tuple[Example, LocalServer], database: DatabaseConfig, run: Run
) -> None:
    example, _ = place
    before = empty = structure(database)
    for previous, version in zip([0, *example.versions], example.versions, strict=False):
        run(database, example.directory, version)
        applied = structure(database)
        run(database, example.directory, previous)
        assert structure(database) == before, f"the down of {version} leaves something else"
        run(database, example.directory, version)
        assert structure(database) == applied, f"the second up of {version} leaves something else"
        before = applied
    run(database, example.directory, 0)
    assert structure(database) == empty
    run(database, example.directory, example.versions[-1])
    assert structure(database) == before
