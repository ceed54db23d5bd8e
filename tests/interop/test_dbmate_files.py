"""The real dbmate reads names and sections as our reader does."""

from __future__ import annotations

import os
import subprocess
from contextlib import nullcontext
from pathlib import Path

import pytest

from fix_db import connect
from fix_peers_tools import plain_url
from fix_server import tools_directory
from howdah.config.database import DatabaseConfig
from howdah.errors import SourceError
from howdah.migrate.formats.dbmate import DBMATE
from howdah.migrate.formats.interface import Transaction
from howdah.migrate.migration import Direction

pytestmark = [
    pytest.mark.interop,
    pytest.mark.proves(
        "odd names, files and histories of its own kind",
        peer="dbmate",
        tool="dbmate",
        format="dbmate",
    ),
]

FILES = DBMATE.files
NAMES = [
    "1_a.sql",
    "01_b.sql",
    "10_c.sql",
    "77.sql",
    "20260101users.sql",
    "2é.sql",
    "3.5_x.sql",
    f"{10**40}_long.sql",
    "4_a.SQL",
    "5_a.sql.bak",
    "seed.sql",
    "_6.sql",
    "-7_x.sql",
    "+8_x.sql",
    "\u0661_x.sql",
    " 9_x.sql",
    "notes.md",
]
# Each is refused by both, or run by both with the same statements and the same transaction.
TEXTS = [
    "",
    "SELECT 1;\n",
    "-- migrate:up\n-- migrate:down\n",
    "-- migrate:up\n",
    "-- migrate:down\n-- migrate:up\n",
    "-- migrate:down\n-- migrate:up\n-- migrate:down\n",
    "-- a\n\n  -- b\n-- migrate:up\n-- migrate:down\n",
    "SELECT 1;\n-- migrate:up\n-- migrate:down\n",
    "/* a */\n-- migrate:up\n-- migrate:down\n",
    "\v\n-- migrate:up\n-- migrate:down\n",
    " -- migrate:up\n-- migrate:down\n",
    "--migrate:up\n--migrate:down\n",
    "--\t migrate:up\n--\t migrate:down\n",
    "-- Migrate:up\n-- migrate:down\n",
    "-- migrate:upwards\n-- migrate:down\n",
    "-- migrate:up;\n-- migrate:down\n",
    "-- migrate:up words\n-- migrate:down words\n",
    "-- migrate:up\r\n-- migrate:down\r\n",
    "-- migrate:up\n-- migrate:down\n-- migrate:down\n",
    "\ufeff-- migrate:up\n-- migrate:down\n",
    "\ufeff-- a\n-- migrate:up\n-- migrate:down\n",
    "--\n\n-- migrate:up\n-- migrate:down",
]
OPTIONS = [
    "",
    "transaction:false",
    "transaction:true",
    "transaction:False",
    "transaction: false",
    "transaction:false:x",
    "a:b transaction:false c",
    "transaction:false transaction:true",
    "transaction=false",
    "\ttransaction:false\r",
]


class Dbmate:
    """`dbmate("status")`: the real program on a folder."""

    def __init__(self, program: Path, database: DatabaseConfig, root: Path) -> None:
        self.program, self.database = program, database
        self.directory = root / "migrations"
        self.directory.mkdir()

    def __call__(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [self.program, "--no-dump-schema", "--migrations-dir", self.directory, *arguments],
            env={"DATABASE_URL": plain_url(self.database), "PATH": os.environ["PATH"]},
            cwd=self.directory.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def write(self, name: str, body: str) -> Path:
        path = self.directory / name
        path.write_bytes(body.encode())
        return path

    def forget(self) -> None:
        with connect(self.database) as connection:
            connection.execute("DROP TABLE IF EXISTS schema_migrations")


@pytest.fixture
def dbmate(database: DatabaseConfig, tmp_path: Path) -> Dbmate:
    program = tools_directory() / "bin" / "dbmate"
    if not program.exists():
        pytest.skip("no dbmate here; `make tools` installs it")
    return Dbmate(program, database, tmp_path)


def test_names_and_their_order(dbmate: Dbmate) -> None:
    for name in NAMES:
        dbmate.write(name, "")

    code, output = dbmate("status")

    assert code == 0, output
    theirs = [line.removeprefix("[ ] ") for line in output.splitlines() if line.startswith("[ ] ")]
    assert [each.up.name for each in FILES.read(dbmate.directory).migrations if each.up] == theirs


def test_each_text_is_refused_or_run_as_there(dbmate: Dbmate) -> None:
    for text in TEXTS:
        path = dbmate.write("1_a.sql", text)
        code, output = dbmate("up")
        is_refused = "dbmate requires" in output or "dbmate does not support" in output
        assert is_refused is (code != 0), (text, output)
        with pytest.raises(SourceError) if is_refused else nullcontext():
            FILES.read_body(path, text, Direction.UP)
        dbmate.forget()


def test_options_count_as_there(dbmate: Dbmate) -> None:
    with connect(dbmate.database) as connection:
        connection.execute("CREATE TABLE a ()")
    for option in OPTIONS:
        text = f"-- migrate:up {option}\nVACUUM a;\n-- migrate:down {option}\nVACUUM a;\n"
        path = dbmate.write("1_a.sql", text)
        code, output = dbmate("up")
        body = FILES.read_body(path, text, Direction.UP)
        assert (body.transaction is Transaction.NEVER) is (code == 0), (option, output)
        dbmate.forget()


def test_a_second_pair_of_sections_never_runs_there(dbmate: Dbmate) -> None:
    pair = "-- migrate:up\nCREATE TABLE {0} ();\n-- migrate:down\nDROP TABLE {0};\n"
    text = pair.format("one") + pair.format("two")
    path = dbmate.write("1_a.sql", text)

    code, output = dbmate("up")

    assert code != 0
    assert "duplicate key" in output
    assert "Pending: 0" in dbmate("status")[1]
    with pytest.raises(SourceError) as caught:
        FILES.read_body(path, text, Direction.UP)
    assert caught.value.code == "several-sections"
