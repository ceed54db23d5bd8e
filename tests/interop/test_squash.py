"""Squash: one migration in the place of many, and every database goes on, with howdah and with the tool itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from changing import BY_FORMAT, run_call, run_sql, without_histories
from fingerprint import differences
from fix_cli import Cli, Ran
from fix_db import connect
from fix_golang_migrate import CHAIN, as_url
from fix_peers import MakeDatabase
from fix_server import RunningServer
from howdah.config.database import DatabaseConfig
from howdah.migrate.convert import WRITERS, convert
from howdah.migrate.formats import find_format

pytestmark = pytest.mark.interop
# Without what needs a setting of its own time, and an index that no transaction can drop.
FILES = {name: body for name, body in CHAIN.items() if not name.startswith(("000014", "000008", "000012"))}


class Squashing:
    """A directory in a format, and howdah and the format's tool upon it."""

    def __init__(self, cli: Cli, server: RunningServer, format: str) -> None:
        self.cli = cli
        self.server = server
        self.format = format
        self.peer = BY_FORMAT[format]
        self.directory = cli.directory / "db" / "migrations"
        source = cli.directory / "source"
        source.mkdir()
        self.directory.mkdir(parents=True)
        for name, body in FILES.items():
            (source / name).write_bytes(body.encode() if isinstance(body, str) else body)
        start = find_format("golang-migrate")
        files = convert(start, start.files.read(source), find_format(format)).files
        for name, text in files.items():
            (self.directory / name).write_bytes(text.encode())

    def version(self, number: int) -> str:
        return f"{number:06}" if self.format == "dbmate" else str(number)

    def howdah(self, action: str, *arguments: str, database: DatabaseConfig | None = None) -> Ran:
        where = ["--url", as_url(database)] if database else []
        common = ["--dir", str(self.directory), "--format", self.format, *where]
        return self.cli("migrate", action, *arguments, *common)

    def squash(self, *arguments: str) -> Ran:
        return self.howdah("squash", "--to", "20", "--rehearse-url", as_url(self.server.address), *arguments)

    def tool_up(self, database: DatabaseConfig) -> Ran:
        return run_call(self.peer.up(database, self.directory, None))

    def is_content(self, database: DatabaseConfig) -> bool:
        return self.peer.is_content(run_call(self.peer.status(database, self.directory)))


@pytest.fixture(params=sorted(WRITERS))
def squashing(request: pytest.FixtureRequest, cli: Cli, server: RunningServer) -> Squashing:
    return Squashing(cli, server, request.param)


@pytest.fixture
def goose(cli: Cli, server: RunningServer) -> Squashing:
    return Squashing(cli, server, "goose")


def test_every_database_goes_on(squashing: Squashing, make_database: MakeDatabase) -> None:
    before, among, at, past, fresh = (make_database() for _ in range(5))
    assert squashing.tool_up(past).code == 0
    assert squashing.howdah("up", "--to", "3", database=among).code == 0
    assert squashing.howdah("up", "--to", "20", database=at).code == 0
    squashed = squashing.squash("--keep-data")
    assert squashed.code == 0, squashed
    assert len(list(squashing.directory.glob("*.sql"))) == len(squashing_files(squashing.format))
    for database in (before, among, at, past):
        ran = squashing.howdah("up", database=database)
        assert ran.code == 0, ran
        status = squashing.howdah("status", "--exit-code", database=database)
        assert status.code == 0, status
        assert "missing" not in status.stdout + status.stderr
    # The tool itself, on an empty database.
    assert squashing.tool_up(fresh).code == 0
    contents = [without_histories(each) for each in (past, before, among, at, fresh)]
    for content in contents[1:]:
        # Rows of the same statements come in another order, and with other column positions never.
        assert differences(contents[0], content) == []
    for database in (before, fresh):
        assert squashing.is_content(database)


def squashing_files(format: str) -> list[str]:
    """The files that two migrations have."""
    return ["20", "21"] if format in {"goose", "dbmate"} else ["20.up", "20.down", "21.up", "21.down"]


def test_a_settled_history_is_one_that_the_tool_is_content_with(
    squashing: Squashing, make_database: MakeDatabase
) -> None:
    past, among = make_database(), make_database()
    assert squashing.tool_up(past).code == 0
    assert squashing.howdah("up", "--to", "3", database=among).code == 0
    assert squashing.squash("--keep-data").code == 0
    for database in (past, among):
        settled = squashing.howdah("squash", "--settle", database=database)
        assert settled.code == 0, settled
        again = squashing.howdah("squash", "--settle", "--json", database=database)
        assert again.json["data"] == {"applied": [], "removed": []}
        up = squashing.tool_up(database)
        assert up.code == 0, up
        assert squashing.is_content(database)
        assert squashing.howdah("status", "--exit-code", database=database).code == 0
    assert differences(without_histories(past), without_histories(among)) == []


def test_the_one_migration_can_be_reverted_where_all_could(
    squashing: Squashing, database: DatabaseConfig
) -> None:
    assert squashing.squash("--keep-data", "--json").json["data"]["has_down"] is True
    assert squashing.howdah("up", "--to", "20", database=database).code == 0
    down = squashing.howdah("down", database=database)
    assert down.code == 0, down
    with connect(database) as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')"
        ).fetchall()
    assert len(rows) == 1, "the history alone is left"


def test_rows_are_not_lost_unsaid(goose: Squashing) -> None:
    names = sorted(goose.directory.iterdir())
    ran = goose.squash()
    assert ran.code == 5
    assert "squash-loses-rows" in ran.stderr
    assert "public.users (100)" in ran.stderr
    assert "INSERT INTO log (what) VALUES ('1')" in ran.stderr
    assert sorted(goose.directory.iterdir()) == names


def test_a_backfill_that_does_nothing_on_an_empty_database_is_left_out(
    cli: Cli, server: RunningServer
) -> None:
    directory = cli.directory / "migrations"
    directory.mkdir()
    (directory / "1_a.up.sql").write_text("CREATE TABLE a (i int);")
    (directory / "2_b.up.sql").write_text("ALTER TABLE a ADD j int; UPDATE a SET j = i;")
    common = ["--dir", str(directory), "--rehearse-url", as_url(server.address)]
    ran = cli("migrate", "squash", "--to", "2", *common)
    assert ran.code == 0, ran
    assert "data-statements-dropped" in ran.stderr
    assert "UPDATE" not in (directory / "2_squashed.up.sql").read_text()
    assert not (directory / "2_squashed.down.sql").exists()


def test_what_was_squashed_is_squashed_again(goose: Squashing, make_database: MakeDatabase) -> None:
    among, between, fresh = make_database(), make_database(), make_database()
    assert goose.howdah("up", "--to", "3", database=among).code == 0
    common = ["--keep-data", "--rehearse-url", as_url(goose.server.address)]
    assert goose.howdah("squash", "--to", "11", *common).code == 0
    assert goose.howdah("up", "--to", "11", database=between).code == 0
    assert goose.howdah("squash", "--to", "20", *common).code == 0
    for database in (among, between, fresh):
        assert goose.howdah("up", database=database).code == 0
        assert goose.howdah("status", "--exit-code", database=database).code == 0
    assert differences(without_histories(among), without_histories(fresh)) == []
    assert differences(without_histories(between), without_histories(fresh)) == []


def test_it_is_not_squashed_twice_to_one_version(goose: Squashing) -> None:
    assert goose.squash("--keep-data").code == 0
    ran = goose.squash("--keep-data")
    assert ran.code in {2, 5}
    assert "nothing-to-squash" in ran.stderr or "squashed-already" in ran.stderr


def test_a_damaged_manifest_is_told(goose: Squashing, database: DatabaseConfig) -> None:
    assert goose.howdah("up", "--to", "3", database=database).code == 0
    assert goose.squash("--keep-data").code == 0
    (Path(goose.directory) / "squashed" / "20" / "manifest.json").write_text("{")
    ran = goose.howdah("up", database=database)
    assert ran.code == 2
    assert "bad-manifest" in ran.stderr


def test_dbmates_schema_file_is_not_touched_by_a_replay(cli: Cli, server: RunningServer) -> None:
    squashing = Squashing(cli, server, "dbmate")
    file = squashing.directory.parent / "schema.sql"
    file.write_text("--\n-- Dbmate schema migrations\n--\n")
    assert squashing.squash("--keep-data").code == 0
    assert file.read_text() == "--\n-- Dbmate schema migrations\n--\n"


def test_settling_needs_a_database_and_squashing_a_version(
    goose: Squashing, database: DatabaseConfig
) -> None:
    assert goose.howdah("squash").code == 2
    assert goose.howdah("squash", "--to", "20", "--settle", database=database).code == 2
    run_sql(database, "SELECT 1")
    settled = goose.howdah("squash", "--settle", database=database)
    assert "nothing to settle" in settled.stdout, settled
