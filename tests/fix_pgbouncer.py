"""A real PgBouncer in front of a server, in any mode."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fix_server import reachable_directory
from howdah.config.database import DatabaseConfig


@dataclass(frozen=True)
class PgBouncer:
    """A running PgBouncer and the address of the database through it."""

    address: DatabaseConfig
    process: subprocess.Popen[bytes]


@contextmanager
def running_pgbouncer(behind: DatabaseConfig, settings: Mapping[str, object]) -> Iterator[PgBouncer]:
    """PgBouncer in front of a database."""
    program = _find_pgbouncer()
    directory = reachable_directory()
    port = free_port()
    password = behind.password.reveal() if behind.password else ""
    (directory / "users.txt").write_text(f'"{behind.user}" "{password}"\n', encoding="utf-8")
    options = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "scram-sha-256",
        "auth_file": directory / "users.txt",
        "logfile": directory / "log",
        **settings,
    }
    lines = [
        "[databases]",
        f"{behind.database} = host={behind.host} port={behind.port}",
        "[pgbouncer]",
        *(f"{name} = {value}" for name, value in options.items()),
    ]
    (directory / "pgbouncer.ini").write_text("\n".join(lines) + "\n", encoding="utf-8")
    account: dict[str, object] = {}
    if os.geteuid() == 0:  # PgBouncer refuses root
        nobody = pwd.getpwnam("nobody")
        for path in (directory, *directory.iterdir()):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    process = subprocess.Popen(  # type: ignore[call-overload]
        [program, "-q", str(directory / "pgbouncer.ini")], **account
    )
    try:
        wait_for_port(port, process)
        yield PgBouncer(replace(behind, host="127.0.0.1", port=str(port)), process)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(directory)


def free_port() -> int:
    """A TCP port on loopback that nobody listens on right now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return as soon as a program listens on a port."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        assert process.poll() is None, f"{process.args!r} ended with {process.returncode}"
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail(f"nothing listens on port {port}")


def _find_pgbouncer() -> str:
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        reason = "no pgbouncer here; install your system's package of that name"
        if os.environ.get("CI") == "true" or os.environ.get("HOWDAH_REQUIRE_TOOLS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return str(Path(found))


@pytest.fixture
def start_pgbouncer(database: DatabaseConfig) -> Iterator[Callable[..., PgBouncer]]:
    """`start_pgbouncer(pool_mode="transaction")`: in front of the test's database, or another."""
    with ExitStack() as stack:

        def start(*, behind: DatabaseConfig | None = None, **settings: object) -> PgBouncer:
            return stack.enter_context(running_pgbouncer(behind or database, settings))

        yield start


@pytest.fixture
def pgbouncer(start_pgbouncer: Callable[..., PgBouncer]) -> Callable[..., DatabaseConfig]:
    """`pgbouncer(pool_mode="transaction", default_pool_size=1)`: the address through it."""
    return lambda **settings: start_pgbouncer(**settings).address
