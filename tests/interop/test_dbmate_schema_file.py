"""`schema.sql` after a run of howdah is, byte for byte, what the real dbmate writes."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from fix_db import connect
from fix_server import available_programs, reachable_directory, tools_directory
from howdah.config.database import DatabaseConfig
from howdah.config.url import parse_url
from howdah.migrate.events import Event, Noted
from howdah.migrate.migrator import Migrator
from howdah.pg.programs import Programs
from howdah.server.local import LocalServer

pytestmark = [
    pytest.mark.interop,
    pytest.mark.proves(
        "schema.sql is the same after every step, byte for byte",
        peer="dbmate",
        tool="dbmate",
        format="dbmate",
    ),
]

FILES = {
    "001_users.sql": """-- migrate:up
CREATE TYPE kind AS ENUM ('guest', 'member');
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind kind, at timestamptz DEFAULT now());
COMMENT ON TABLE users IS 'two lines,\x20\x20
the first with blanks at its end';
-- migrate:down
DROP TABLE users;
DROP TYPE kind;
""",
    "002_parts.sql": """-- migrate:up
CREATE TABLE events (at timestamptz NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2026-02-01 00:00+00');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- a comment
  RETURN NEW;\x20\t
END
$$;
CREATE VIEW people AS SELECT id, 'Ü 100% ''x'' \\y' AS text FROM users;
-- migrate:down
DROP VIEW people;
DROP FUNCTION touch();
DROP TABLE events;
""",
    "010_index.sql": """-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY users_kind ON users (kind);
-- migrate:down transaction:false
DROP INDEX CONCURRENTLY users_kind;
""",
}


@pytest.fixture(scope="module")
def programs() -> Programs:
    """A server's programs that the pg_dump beside them, or the one on PATH, can dump."""
    for found in sorted(available_programs().values(), key=lambda each: each.version, reverse=True):
        if found.has("pg_dump"):
            return found
    pytest.skip("no pg_dump here")


@pytest.fixture(scope="module")
def address(programs: Programs) -> Iterator[DatabaseConfig]:
    directory = reachable_directory()
    local = LocalServer(directory / "server", programs, settings={"fsync": "off"})
    try:
        local.start()
        yield replace(local.address, options={"sslmode": "disable"})
    finally:
        local.destroy()
        shutil.rmtree(directory)


@pytest.fixture
def twins(address: DatabaseConfig) -> Iterator[tuple[DatabaseConfig, DatabaseConfig]]:
    """A database for dbmate and one for howdah."""
    pair = address.with_database("theirs"), address.with_database("ours")
    with connect(address) as connection:
        for each in pair:
            connection.execute(f"CREATE DATABASE {each.database}".encode())
    yield pair
    with connect(address) as connection:
        for each in pair:
            connection.execute(f"DROP DATABASE {each.database} WITH (FORCE)".encode())


def write_project(root: Path) -> Path:
    directory = root / "db" / "migrations"
    directory.mkdir(parents=True)
    for name, body in FILES.items():
        (directory / name).write_text(body)
    return directory


def url_of(database: DatabaseConfig, parameters: str = "") -> str:
    password = quote(database.password.reveal(), safe="") if database.password else ""
    return (
        f"postgres://{quote(database.user, safe='')}:{password}@{database.host}:{database.port}"
        f"/{database.database}?sslmode=disable{parameters}"
    )


def dbmate(root: Path, programs: Programs, url: str, *arguments: str) -> bytes:
    """Run the real dbmate in a project; the schema.sql it leaves."""
    program = tools_directory() / "bin" / "dbmate"
    if not program.exists():
        pytest.skip("no dbmate here; `make tools` installs it")
    environ = {"PATH": f"{programs.bindir}:{os.environ['PATH']}", "HOME": str(root)}
    subprocess.run(
        [program, "--url", url, *arguments], cwd=root, env=environ, check=True, stdout=subprocess.DEVNULL
    )
    return (root / "db" / "schema.sql").read_bytes()


@pytest.mark.parametrize("search_path", ["", "app", "app,public"])
def test_the_file_is_the_same_after_every_step(
    twins: tuple[DatabaseConfig, DatabaseConfig],
    tmp_path: Path,
    programs: Programs,
    monkeypatch: pytest.MonkeyPatch,
    search_path: str,
) -> None:
    monkeypatch.setenv("PATH", f"{programs.bindir}:{os.environ['PATH']}")
    parameters = f"&search_path={search_path}" if search_path else ""
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    write_project(theirs)
    directory = write_project(ours)
    if search_path:
        for database in twins:
            with connect(database) as connection:
                connection.execute("CREATE SCHEMA app")
    file = ours / "db" / "schema.sql"
    file.write_text("--\n-- Dbmate schema migrations\n--\n")
    events: list[Event] = []
    migrator = Migrator(
        database=parse_url(url_of(twins[1], parameters)),
        directory=directory,
        format="dbmate",
        on_event=events.append,
    )

    migrator.up()
    assert file.read_text() == dbmate(theirs, programs, url_of(twins[0], parameters), "up").decode()
    for _ in FILES:
        migrator.down()
        assert file.read_text() == dbmate(theirs, programs, url_of(twins[0], parameters), "down").decode()

    notes = [each.finding.code for each in events if isinstance(each, Noted)]
    assert notes.count("schema-file-written") == 1 + len(FILES)


def test_without_a_pg_dump_the_run_goes_on_and_says_so(
    twins: tuple[DatabaseConfig, DatabaseConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("howdah.server.pg_dump.system_programs", list)
    monkeypatch.setattr("howdah.server.pg_dump.wheel_programs", lambda: None)
    directory = write_project(tmp_path)
    file = tmp_path / "db" / "schema.sql"
    file.write_text("-- Dbmate schema migrations\n")
    events: list[Event] = []

    Migrator(database=twins[1], directory=directory, format="dbmate", on_event=events.append).up()

    (note,) = [each.finding for each in events if isinstance(each, Noted)]
    assert note.code == "schema-file-not-written"
    assert "needs a pg_dump not older than it, and here is none" in (note.why or "")
    assert file.read_text() == "-- Dbmate schema migrations\n"


def test_a_database_that_is_thrown_away_leaves_the_file_alone(
    twins: tuple[DatabaseConfig, DatabaseConfig], tmp_path: Path
) -> None:
    directory = write_project(tmp_path)
    file = tmp_path / "db" / "schema.sql"
    file.write_text("-- Dbmate schema migrations\n")
    events: list[Event] = []

    Migrator(
        database=twins[1], directory=directory, format="dbmate", is_throwaway=True, on_event=events.append
    ).up()

    assert file.read_text() == "-- Dbmate schema migrations\n"
    assert not [each for each in events if isinstance(each, Noted)]
