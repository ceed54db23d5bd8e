"""Run `howdah ...` as a person does: a subprocess, judged by stdout, stderr and exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_FOREIGN = ("PG", "DB", "POSTGRES", "DATABASE_URL", "HOWDAH_")
_KEPT = ("HOWDAH_TOOLS",)


def pytest_configure() -> None:
    """Undo what a shell does to what it starts with `&`: Ctrl-C is ignored, by all that it starts in turn."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    arguments: Sequence[str]
    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The one JSON object on stdout."""
        return json.loads(self.stdout)

    def __str__(self) -> str:
        return f"howdah {' '.join(self.arguments)} -> {self.code}\n{self.stdout}\n{self.stderr}"


class Cli:
    """Runs howdah in a directory, with none of the caller's addresses in the environment."""

    def __init__(self, directory: Path, environ: Mapping[str, str]) -> None:
        self.directory = directory
        self.environ = {**clean_environ(), **environ}

    def __call__(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: str = "",
        timeout: float = 60,
    ) -> Ran:
        done = subprocess.run(
            command(*arguments),
            cwd=cwd or self.directory,
            env={**self.environ, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Ran(arguments, done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start it and return at once, for tests that run several or kill one."""
        return subprocess.Popen(
            command(*arguments),
            cwd=self.directory,
            env={**self.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def command(*arguments: str) -> list[str]:
    """The command line of `howdah ...` in this Python."""
    return [sys.executable, "-m", "howdah", *arguments]


def clean_environ() -> dict[str, str]:
    """Our environment without addresses of databases and settings of howdah."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or not name.upper().startswith(_FOREIGN)
    }


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """`cli("migrate", "up", "--url", ...)` in an empty directory, where no local server is known."""
    return Cli(
        tmp_path, {"HOME": str(tmp_path), "HOWDAH_STATE_DIR": str(tmp_path / "state"), "NO_COLOR": "1"}
    )


@pytest.fixture
def make_cli() -> Callable[[Path, Mapping[str, str]], Cli]:
    """A Cli of another directory and environment."""
    return Cli
