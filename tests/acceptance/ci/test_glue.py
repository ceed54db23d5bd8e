"""The GitHub action, the GitLab job and the pre-commit hooks run as their hosts run them, on a real repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from fix_server import reachable_directory

pytestmark = pytest.mark.slow

HOWDAH = Path(__file__).parents[3]
GOOD = "CREATE TABLE users (id bigint PRIMARY KEY, nickname text);\n"
BAD = "\nALTER TABLE users DROP COLUMN nickname;\n"


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.test", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A clone on a branch that drops a column, with `main` at its origin."""
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    migrations = origin / "migrations"
    migrations.mkdir(parents=True)
    git(origin, "init", "--quiet", "--initial-branch=main")
    (migrations / "000001_users.up.sql").write_text(GOOD)
    (migrations / "000001_users.down.sql").write_text("DROP TABLE users;\n")
    git(origin, "add", ".")
    git(origin, "commit", "--quiet", "-m", "users")
    git(tmp_path, "clone", "--quiet", str(origin), str(clone))
    git(clone, "checkout", "--quiet", "-b", "drop-nickname")
    (clone / "migrations" / "000002_drop.up.sql").write_text(BAD)
    (clone / "migrations" / "000002_drop.down.sql").write_text(
        "ALTER TABLE users ADD COLUMN nickname text;\n"
    )
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "-m", "drop the nickname")
    return clone


@pytest.fixture
def state() -> Iterator[Path]:
    """The state directory: where we are root, the server's user cannot enter tmp_path."""
    directory = reachable_directory()
    yield directory
    shutil.rmtree(directory)


def environment(state: Path, **variables: str) -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("HOWDAH", "PG", "GIT"))
    }
    return inherited | {"HOWDAH_STATE_DIR": str(state)} | variables


def run_script(script: str, folder: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    # As both hosts start it.
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def read_yaml(name: str) -> Any:
    return yaml.safe_load((HOWDAH / name).read_text())


def test_the_github_action_annotates_the_line_and_fails(
    repository: Path, state: Path, tmp_path: Path
) -> None:
    steps = [step for step in read_yaml("action.yml")["runs"]["steps"] if "run" in step]
    env = environment(
        state,
        GITHUB_ACTION_PATH=str(HOWDAH),
        RUNNER_TEMP=str(tmp_path),
        GITHUB_BASE_REF="main",
        PYTHON=sys.executable,
        ARGUMENTS="",
    )
    install, check = (step["run"] for step in steps)
    installed = run_script(install, repository, env)
    assert installed.returncode == 0, installed.stderr
    done = run_script(check, repository, env)
    assert done.returncode == 1, done.stderr
    assert "::error file=migrations/000002_drop.up.sql,line=2,title=drops-column" in done.stdout
    assert run_script(check, repository, env | {"ARGUMENTS": "--fail-on unsafe"}).returncode == 0


def test_the_gitlab_job_writes_what_a_merge_request_shows(
    repository: Path, state: Path, tmp_path: Path
) -> None:
    job = read_yaml("ci/gitlab.yml")["howdah-check"]
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    env = environment(
        state,
        HOWDAH_PACKAGE=f"{HOWDAH}[server]",
        HOWDAH_ARGUMENTS="",
        CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main",
        PATH=f"{tmp_path / 'venv' / 'bin'}:{os.environ['PATH']}",
    )
    done = run_script("\n".join(job["script"]), repository, env)
    assert done.returncode == 1, done.stderr
    reports = job["artifacts"]["reports"]
    entries = json.loads((repository / reports["codequality"]).read_text())
    assert [each["location"]["path"] for each in entries if each["check_name"] == "drops-column"] == [
        "migrations/000002_drop.up.sql"
    ]
    suites = ET.parse(repository / reports["junit"]).getroot()
    assert [each.get("failures") for each in suites] == ["1"]


def test_the_hook_before_a_commit_refuses_an_edited_released_file(
    repository: Path, state: Path, tmp_path: Path
) -> None:
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=HOWDAH, check=True, capture_output=True, text=True
    ).stdout.strip()
    config = {"repos": [{"repo": str(HOWDAH), "rev": head, "hooks": [{"id": "howdah-check"}]}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    git(repository, "add", ".")
    env = environment(state, PRE_COMMIT_HOME=str(tmp_path / "pre-commit"))
    command = [sys.executable, "-m", "pre_commit", "run", "--all-files"]
    clean = subprocess.run(command, cwd=repository, env=env, capture_output=True, text=True, check=False)
    assert clean.returncode == 0, clean.stdout + clean.stderr
    (repository / "migrations" / "000001_users.up.sql").write_text(GOOD.replace("nickname", "name"))
    git(repository, "add", ".")
    edited = subprocess.run(command, cwd=repository, env=env, capture_output=True, text=True, check=False)
    assert edited.returncode == 1
    assert "000001_users.up.sql" in edited.stdout
