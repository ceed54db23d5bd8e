"""The real sqlx reads names and first lines as our reader does, and names new files as ours are named."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from fix_db import connect
from fix_peers_tools import plain_url
from fix_server import tools_directory
from howdah.config.database import DatabaseConfig
from howdah.errors import SourceError
from howdah.migrate.formats.sqlx import SQLX
from howdah.migrate.migration import Direction

pytestmark = [
    pytest.mark.interop,
    pytest.mark.proves(
        "odd names, files and histories of its own kind",
        peer="sqlx",
        tool="sqlx",
        format="sqlx",
    ),
]

FILES = SQLX.files
NAMES = [
    "1_a.sql",
    "+2_plus.sql",
    "-3_minus.sql",
    "0_zero.sql",
    "-0_zero.sql",
    "007_zeros.up.sql",
    "007_other_words.down.sql",
    "8_a.up.sql.up.sql",
    "9_a.sql.sql",
    "10_a.down.sql.sql",
    "11_.sql",
    "12_.up.sql",
    "13_up.sql",
    "14_down.sql",
    "15__two__lines_.sql",
    f"{2**63 - 1}_max.sql",
    f"{-(2**63)}_min.sql",
    f"{2**63}_over.sql",
    f"{-(2**63) - 1}_under.sql",
    "_none.sql",
    "+_sign.sql",
    "-_sign.sql",
    "--1_signs.sql",
    "1.0_point.sql",
    "1e3_exponent.sql",
    "0x1_hex.sql",
    " 1_blank.sql",
    "1 _blank.sql",
    "\u0661_arabic.sql",
    "seed_data.sql",
    "001.sql",
    "16.up.sql",
    "17_upper.SQL",
    "18_copy.sql.bak",
    "notes.md",
    "my_notes.md",
    "19_ü_%s_'q'.sql",
]


@pytest.fixture
def sqlx(database: DatabaseConfig, tmp_path: Path) -> Sqlx:
    program = tools_directory() / "bin" / "sqlx"
    if not program.exists():
        pytest.skip("no sqlx here; `make tools` installs it")
    return Sqlx(program, database, tmp_path)


class Sqlx:
    """`sqlx("info")`: the real program on a folder."""

    def __init__(self, program: Path, database: DatabaseConfig, root: Path) -> None:
        self.program, self.database = program, database
        self.directory = root / "migrations"
        self.directory.mkdir()

    def __call__(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [self.program, "migrate", *arguments, "--source", self.directory],
            env={"DATABASE_URL": plain_url(self.database), "NO_COLOR": "1", "PATH": os.environ["PATH"]},
            cwd=self.directory.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def write(self, *names: str, body: str = "SELECT 1;") -> None:
        for name in names:
            (self.directory / name).write_text(body)

    def clear(self) -> None:
        for path in self.directory.iterdir():
            path.unlink()


def test_each_name_is_taken_passed_over_or_refused_as_there(sqlx: Sqlx) -> None:
    for name in NAMES:
        sqlx.clear()
        sqlx.write(name)
        code, output = sqlx("info")
        try:
            found = FILES.read(sqlx.directory).migrations
        except SourceError:
            assert code != 0, (name, output)
            assert "error parsing migration filename" in output
            continue
        assert code == 0, (name, output)
        # Of a pair it shows the up half only.
        ours = [f"{each.version}/pending {each.name.replace('_', ' ')}" for each in found if each.up]
        assert output.splitlines() == ours, name


@pytest.mark.parametrize(
    "text",
    [
        "-- no-transaction\nVACUUM a;",
        "-- no-transaction\r\nVACUUM a;",
        "-- no-transaction-at-all\nVACUUM a;",
        "\n-- no-transaction\nVACUUM a;",
        " -- no-transaction\nVACUUM a;",
        "--no-transaction\nVACUUM a;",
        "-- NO-TRANSACTION\nVACUUM a;",
        "\ufeff-- no-transaction\nVACUUM a;",
        "VACUUM a;",
    ],
)
def test_a_first_line_counts_as_there(sqlx: Sqlx, text: str) -> None:
    with connect(sqlx.database) as connection:
        connection.execute("CREATE TABLE a ()")
    sqlx.write("1_a.sql", body=text)

    code, _ = sqlx("run")

    body = FILES.read_body(sqlx.directory / "1_a.sql", text, Direction.UP)
    assert (body.transaction.name == "NEVER") is (code == 0)


@pytest.mark.parametrize(
    "there",
    [
        [],
        ["0001_a.sql"],
        ["0000_a.sql"],
        ["0005_a.sql"],
        ["0001_a.sql", "0002_b.sql"],
        ["0001_a.sql", "0005_b.sql"],
        ["20240101000000_a.sql", "20250101000000_b.sql"],
        ["20240101000000_a.up.sql", "20240101000000_a.down.sql"],
        # Of a mixed folder 0.8 follows the first file, 0.9 and howdah the last.
    ],
)
def test_new_files_are_named_as_there(sqlx: Sqlx, there: list[str]) -> None:
    sqlx.write(*there)
    before = set(sqlx.directory.iterdir())
    ours = FILES.new(FILES.read(sqlx.directory), "x")

    code, output = sqlx("add", "x")

    assert code == 0, output
    theirs = {path.name for path in set(sqlx.directory.iterdir()) - before}
    assert {_without_time(name) for name in theirs} == {_without_time(name) for name in ours}


def _without_time(name: str) -> str:
    return re.sub(r"^\d{14}", "TIME", name)
