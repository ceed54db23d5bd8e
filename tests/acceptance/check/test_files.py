"""`howdah check --files`: without a server, on repositories that git made."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fix_cli import Cli, clean_environ
from fix_git import GitRepository

PAIR = {"001_a.up.sql": "CREATE TABLE a (id int);\n", "001_a.down.sql": "DROP TABLE a;\n"}


@pytest.fixture
def check(repository: GitRepository, cli: Cli) -> Cli:
    """Runs howdah in the repository."""
    return Cli(repository.root, {})


def codes(check: Cli, *arguments: str) -> list[str]:
    return [
        each["code"] for each in check("check", "--files", "--output", "json", *arguments).json["problems"]
    ]


def test_a_well_formed_branch_passes(repository: GitRepository, check: Cli) -> None:
    repository.commit(PAIR)
    repository.git("checkout", "-q", "-b", "work")
    repository.write({"002_b.up.sql": "SELECT 1;\n", "002_b.down.sql": "SELECT 1;\n"})

    ran = check("check", "--files")

    assert ran.code == 0, ran
    assert "1 new against main" in ran.stdout


def test_everything_wrong_is_told_at_once_and_the_check_fails(repository: GitRepository, check: Cli) -> None:
    repository.commit(PAIR)
    repository.git("checkout", "-q", "-b", "work")
    repository.write(
        {
            "1_again.up.sql": "SELECT 1;\n",
            "0001_again.up.sql": "SELECT 1;\n",
            "002_b.up.sql": "SELECT 'open;\n",
            "003_c.down.sql": "SELECT 1;\n",
            "001_a.down.sql": None,
        }
    )

    ran = check("check", "--files", "--output", "json")

    assert ran.code == 1, ran
    found = [each["code"] for each in ran.json["problems"]]
    assert found.count("duplicate-migration") == 2
    assert {"bad-script", "missing-up-file"} <= set(found)


def test_a_taken_number_fails_before_the_merge(repository: GitRepository, check: Cli) -> None:
    repository.commit(PAIR)
    repository.git("checkout", "-q", "-b", "work")
    repository.commit({"002_b.up.sql": "SELECT 1;\n", "002_b.down.sql": "SELECT 1;\n"})
    repository.git("checkout", "-q", "main")
    repository.commit({"002_c.up.sql": "SELECT 1;\n", "002_c.down.sql": "SELECT 1;\n"})
    repository.git("checkout", "-q", "work")

    assert codes(check) == ["taken-version"]


def test_a_base_that_is_not_there_is_a_mistake_of_usage(repository: GitRepository, check: Cli) -> None:
    repository.commit(PAIR)

    ran = check("check", "--files", "--base", "origin/main")

    assert ran.code == 2, ran
    assert "git fetch origin main" in ran.stderr


def test_no_driver_and_no_table_drawer_is_loaded(repository: GitRepository) -> None:
    repository.commit(PAIR)
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "howdah", "check", "--files"],
        cwd=repository.root,
        env=clean_environ() | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )

    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "howdah.check.files" in loaded
    assert not loaded & {"psycopg", "rich", "asyncio", "ssl"}


def test_an_environment_that_the_project_does_not_name_is_no_broken_address(
    repository: GitRepository, check: Cli
) -> None:
    repository.commit(PAIR)

    assert codes(check, "--against", "prod") == ["unknown-database"]
