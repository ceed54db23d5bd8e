"""`howdah dev` as an ordinary user, also when the tests run as root, and where a home cannot be used."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import howdah
from fix_cli import clean_environ
from fix_server import reachable_directory
from howdah.pg.programs import Account, Programs, as_account, server_account
from howdah.server.local import LocalServer


def other_python(account: Account) -> list[str] | None:
    """A Python of our version that the account may run."""
    short = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (Path(sys.executable), Path("/usr/bin") / short, Path("/usr/local/bin") / short):
        if candidate.exists() and account.can_enter(candidate.resolve().parent):
            return [str(candidate)]
    return None


class User:
    """Runs howdah as an ordinary user: ourselves, or `nobody` where we are root."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.account = server_account()
        if self.account:
            python = other_python(self.account)
            paths = [entry for entry in sys.path if entry.endswith("site-packages")]
            self.paths = [str(Path(howdah.__file__).parents[1]), *paths]
            if python is None or not all(self.account.can_enter(Path(path)) for path in self.paths):
                pytest.skip("user nobody may not run a Python of this version")
            self.python = python
            os.chown(home, self.account.uid, self.account.gid)
        else:
            self.python, self.paths = [sys.executable], []

    def __call__(self, *arguments: str, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
        environ = {**clean_environ(), "HOME": str(self.home), "NO_COLOR": "1", **(env or {})}
        environ.pop("XDG_STATE_HOME", None)
        if self.paths:
            environ["PYTHONPATH"] = os.pathsep.join(self.paths)
        done = subprocess.run(
            [*self.python, "-m", "howdah", *arguments],
            cwd=self.home,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **as_account(self.account),
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def user(pg_programs: Programs) -> Iterator[User]:
    home = reachable_directory()
    yield User(home)
    for record in list(home.glob("**/server.json")):
        LocalServer(record.parent).destroy()
    subprocess.run(["rm", "-rf", home], check=True)


def test_an_ordinary_user_needs_nothing(user: User, pg_programs: Programs) -> None:
    code, stdout, stderr = user("dev", "up", env={"HOWDAH_PG_BINDIR": str(pg_programs.bindir)})
    assert code == 0, stderr
    assert stdout.startswith("DATABASE_URL=")
    (record,) = user.home.glob(".local/state/howdah/*/server.json")
    assert record.stat().st_mode & 0o777 == 0o600
    code, stdout, _ = user("dev", "psql", "--", "-At", "-c", "SELECT 1")
    assert (code, stdout) == (0, "1\n")
    assert user("dev", "down")[0] == 0


def test_a_home_that_cannot_be_written_is_reported(user: User) -> None:
    if user.account:
        os.chown(user.home, 0, 0)
    user.home.chmod(0o555)
    code, _, stderr = user("dev", "up")
    user.home.chmod(0o755)
    assert code == 2
    assert "HOWDAH_STATE_DIR" in stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down to another user")
def test_root_runs_the_server_as_nobody_and_changes_no_permissions(
    pg_programs: Programs, open_path: Path
) -> None:
    (open_path / "project").mkdir()
    before = {place: place.stat().st_mode for place in (open_path, *open_path.parents, Path("/root"))}
    environ = {
        **clean_environ(),
        "HOWDAH_STATE_DIR": str(open_path / "state"),
        "HOWDAH_PG_BINDIR": str(pg_programs.bindir),
    }
    for action in ("up", "down"):
        subprocess.run(
            [sys.executable, "-m", "howdah", "dev", action],
            cwd=open_path / "project",
            env=environ,
            check=True,
            capture_output=True,
        )
        if action == "up":
            (data,) = (open_path / "state").glob("*/data")
            assert pwd.getpwuid(data.stat().st_uid).pw_name == "nobody"
    assert {place: place.stat().st_mode for place in before} == before
