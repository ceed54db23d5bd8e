"""The tutorial's story, typed line by line."""

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
from fix_server import choose_test_programs, reachable_directory

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial" / "from-empty-folder-to-production.md"


@pytest.fixture
def reader(pytestconfig: pytest.Config) -> Iterator[tuple[Path, dict[str, str]]]:
    """An empty folder, and the environment of somebody who has just installed howdah."""
    home = reachable_directory()
    programs = choose_test_programs(pytestconfig)
    environment = {
        **{name: value for name, value in clean_environ().items() if name in {"LANG", "TMPDIR"}},
        "HOME": str(home),
        "HOWDAH_STATE_DIR": str(home / "state"),
        "HOWDAH_PG_BINDIR": str(programs.bindir),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(programs.bindir), "/usr/bin:/bin"]),
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
    }
    yield home, environment
    for project in ("shop", "provider"):
        if (home / project).is_dir():
            howdah = [sys.executable, "-m", "howdah", "dev", "down"]
            subprocess.run(howdah, cwd=home / project, env=environment, check=False, capture_output=True)
    shutil.rmtree(home)


def test_every_command_of_the_tutorial_does_what_it_says(reader: tuple[Path, dict[str, str]]) -> None:
    folder, environment = reader
    assert run_page(TUTORIAL, folder=folder, environment=environment) > 25
