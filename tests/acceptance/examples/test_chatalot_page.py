"""Chatalot's page says what happens, and sqlx agrees."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator

import pytest

from acceptance.examples.page import run_page
from acceptance.examples.place import CHATALOT, client_programs, page_place, running_server, tool
from fix_db import connect
from howdah import Migrator
from howdah.config.database import DatabaseConfig
from howdah.config.url import format_url
from howdah.server.local import LocalServer


def test_every_command_of_the_page_does_what_the_page_says() -> None:
    with page_place(CHATALOT) as place:
        count = run_page(
            place.folder / "README.md",
            folder=place.folder,
            environment=place.environment,
            replace={"5432": str(place.port)},
        )
    assert count > 20


def test_the_ranges_of_the_page_are_those_of_the_files() -> None:
    page = (CHATALOT.root / "README.md").read_text(encoding="utf-8")
    ranges = re.findall(r"^\| `(\d{3})`-`(\d{3})` \| (.+) \|$", page, flags=re.MULTILINE)
    named = [
        (number, words)
        for first, last, text in ranges
        for number, words in zip(range(int(first), int(last) + 1), text.split(", "), strict=True)
    ]
    files = sorted(CHATALOT.directory.glob("*.sql"))
    assert [number for number, _ in named] == [int(file.name[:3]) for file in files] == list(range(1, 40))
    for (_, words), file in zip(named, files, strict=True):
        assert file.stem.endswith(re.sub("[ /]", "_", words.lower()))


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with running_server(CHATALOT.suitable_programs()[-1]) as local:
        yield local


def test_the_health_check_of_the_compose_file_tells_a_running_server_from_a_stopped_one(
    server: LocalServer,
) -> None:
    compose = (CHATALOT.root / "docker-compose.yml").read_text(encoding="utf-8")
    found = re.search(r"test: (\[.+\])", compose)
    assert found
    kind, check = json.loads(found[1])
    assert kind == "CMD-SHELL"
    address = server.address
    environ = {"PATH": str(client_programs().bindir), "PGHOST": address.host, "PGPORT": address.port}

    def health() -> int:
        return subprocess.run(
            ["/bin/sh", "-c", check], env=environ, capture_output=True, check=False
        ).returncode

    assert health() == 0
    server.stop()
    assert health() != 0


def _sqlx(*words: str, database: DatabaseConfig) -> str:
    url = format_url(database, show_password=True)
    source = ("--source", str(CHATALOT.directory))
    done = subprocess.run(
        [tool("bin/sqlx"), "migrate", *words, *source, "--database-url", url],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _history(database: DatabaseConfig) -> list[tuple[object, ...]]:
    with connect(database) as connection:
        return connection.execute(
            "SELECT version, description, success, checksum FROM _sqlx_migrations ORDER BY version"
        ).fetchall()


@pytest.mark.interop
def test_sqlx_is_content_with_what_howdah_applied_and_the_other_way_round(server: LocalServer) -> None:
    ours, theirs = (server.address.with_database(name) for name in ("ours", "theirs"))
    with connect(server.address) as connection:
        connection.execute("CREATE DATABASE ours")
        connection.execute("CREATE DATABASE theirs")
    by_howdah = Migrator(database=ours, directory=CHATALOT.directory, format="sqlx")
    beside = Migrator(database=theirs, directory=CHATALOT.directory, format="sqlx")

    by_howdah.up()
    _sqlx("run", database=theirs)

    states = [line.split("/")[1].split(" ")[0] for line in _sqlx("info", database=ours).splitlines()]
    assert states == ["installed"] * 39
    assert _sqlx("run", database=ours) == ""
    assert beside.up() == []
    assert _history(ours) == _history(theirs)
