"""The how-to of `howdah check`, typed line by line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from acceptance.examples.page import run_page
from fix_cli import clean_environ
from fix_git import GitRepository
from fix_server import choose_test_programs, reachable_directory

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "check.md"
TABLE = """CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL,
    nickname text
);
"""


@pytest.fixture
def reader(pytestconfig: pytest.Config) -> Iterator[tuple[Path, dict[str, str]]]:
    """A repository with a released migration, on a branch with a new one, and the reader's environment."""
    home = reachable_directory()
    programs = choose_test_programs(pytestconfig)
    environment = {
        "HOME": str(home),
        "HOWDAH_STATE_DIR": str(home / "state"),
        "HOWDAH_PG_BINDIR": str(programs.bindir),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(programs.bindir), "/usr/bin:/bin"]),
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
        **{name: value for name, value in clean_environ().items() if name in {"LANG", "TMPDIR"}},
    }
    shop = home / "shop"
    shop.mkdir()
    _go_on_a_branch(GitRepository(shop))
    yield shop, environment
    down = [sys.executable, "-m", "howdah", "dev", "down"]
    subprocess.run(down, cwd=shop, env=environment, check=False, capture_output=True)
    shutil.rmtree(home)


def _go_on_a_branch(repository: GitRepository) -> None:
    repository.git("init", "-q", "-b", "main")
    repository.commit(
        {"000001_create_users.up.sql": TABLE, "000001_create_users.down.sql": "DROP TABLE users;\n"}
    )
    repository.git("checkout", "-q", "-b", "work")
    index = "CREATE INDEX users_email ON users (email);\n"
    repository.commit(
        {"000002_index_email.up.sql": index, "000002_index_email.down.sql": "DROP INDEX users_email;\n"}
    )


def test_every_command_of_the_page_does_what_it_says(reader: tuple[Path, dict[str, str]]) -> None:
    folder, environment = reader
    assert run_page(PAGE, folder=folder, environment=environment) > 10
