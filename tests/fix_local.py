"""Local servers for tests that start one of their own: initdb runs once, its data is copied."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fix_server import reachable_directory
from howdah.pg.programs import Programs
from howdah.server.local import LocalServer

# these tests end processes, not machines: what fsync is for does not happen in them
QUICK_SETTINGS = {"fsync": "off"}


@pytest.fixture(scope="session")
def initialised(pg_programs: Programs) -> Iterator[LocalServer]:
    """A server that was initialised and never started."""
    directory = reachable_directory()
    server = LocalServer(directory / "server", pg_programs)
    server.init()
    yield server
    shutil.rmtree(directory)


@pytest.fixture
def put_data(initialised: LocalServer) -> Callable[[Path], None]:
    """Put fresh data into a server's directory, as if initdb had just made it."""

    def put(directory: Path) -> None:
        directory.mkdir(parents=True)
        directory.chmod(0o711)
        for name in ("data", "server.json"):
            subprocess.run(["cp", "-a", initialised.directory / name, directory], check=True)

    return put


@pytest.fixture
def new_local(open_path: Path, pg_programs: Programs) -> Iterator[LocalServer]:
    """A server whose directory does not exist yet."""
    server = LocalServer(open_path / "server", pg_programs, settings=QUICK_SETTINGS)
    yield server
    server.destroy()


@pytest.fixture
def local(new_local: LocalServer, put_data: Callable[[Path], None]) -> LocalServer:
    """A server with fresh data, not started."""
    put_data(new_local.directory)
    return new_local
