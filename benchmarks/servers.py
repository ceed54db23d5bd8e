"""Throwaway servers with PostgreSQL's own default settings: durable, as an application would find them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from howdah.pg.programs import Programs, plain_environment, server_account

SLOW_SYNC_SOURCE = Path(__file__).parent / "slow_sync.c"


class Server:
    """A running server; every database is reached by a URL over loopback, as the tools' own pages do."""

    def __init__(self, programs: Programs, port: int) -> None:
        self.programs = programs
        self.port = port

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?sslmode=disable"

    @contextmanager
    def fresh_database(self, name: str) -> Iterator[str]:
        """The URL of an empty database, dropped at the end."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as session:
            session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            try:
                yield self.url(name)
            finally:
                session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def settle(self) -> None:
        """Write out what earlier runs left, so that no run pays for another's."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as session:
            session.execute("CHECKPOINT")


@contextmanager
def running_server(programs: Programs, *, slow_sync_ms: int = 0) -> Iterator[Server]:
    """A new server on a free port; with `slow_sync_ms`, on a disk whose every sync takes that much longer."""
    account = server_account()
    home = Path(tempfile.mkdtemp(prefix="howdah-bench-"))
    try:
        variables = {}
        if slow_sync_ms:
            variables = {"LD_PRELOAD": str(build_slow_sync(home)), "SLOW_SYNC_MS": str(slow_sync_ms)}
        home.chmod(0o755)
        if account is not None:
            shutil.chown(home, account.uid, account.gid)
        data = home / "data"
        programs.run(
            "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", account=account
        )
        port = free_port()
        settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home}"
        control = ("-D", data, "-l", home / "log", "-w")
        subprocess.run(
            [programs.path("pg_ctl"), *control, "-o", settings, "start"],
            check=True,
            stdout=subprocess.DEVNULL,
            env={**plain_environment(), **variables},
            cwd="/",
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        try:
            yield Server(programs, port)
        finally:
            programs.run("pg_ctl", *control, "-m", "immediate", "stop", account=account)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def build_slow_sync(directory: Path) -> Path:
    """Compile the library that makes the server's syncs slow."""
    library = directory / "slow_sync.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", library, SLOW_SYNC_SOURCE, "-ldl"], check=True)
    return library


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environment() -> dict[str, str]:
    """Ours without any variable that names a database or a project."""
    prefixes = ("PG", "DB", "POSTGRES_", "DATABASE_URL", "HOWDAH_", "GOOSE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
