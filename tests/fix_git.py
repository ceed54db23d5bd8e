"""Repositories made by the real git, with a main branch and a branch from it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

_IDENTITY = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.test",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.test",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


@dataclass(frozen=True)
class GitRepository:
    """A repository with its migrations in `migrations/`."""

    root: Path

    @property
    def migrations(self) -> Path:
        return self.root / "migrations"

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env=os.environ | _IDENTITY,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        """Write files below `migrations/`; None deletes one."""
        for name, text in files.items():
            path = self.migrations / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_bytes(text.encode() if isinstance(text, str) else text)

    def commit(self, files: Mapping[str, str | bytes | None] | None = None) -> str:
        """Write files and commit all that changed; the commit's id."""
        self.write(files or {})
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitRepository:
    """An empty repository on the branch main; nothing in the environment speaks of a CI."""
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "CI_", "GIT_", "BITBUCKET_", "SYSTEM_PULL", "BUILDKITE_", "CHANGE_")):
            monkeypatch.delenv(name)
    root = tmp_path / "project"
    root.mkdir()
    made = GitRepository(root)
    made.git("init", "-q", "-b", "main")
    return made
