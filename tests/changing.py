"""What the tests of changing tools and of squashing share: the real programs, and contents without histories."""

from __future__ import annotations

import subprocess

from fingerprint import fingerprint
from fix_cli import Ran, clean_environ
from fix_db import connect
from fix_peers_tools import PEERS, Call
from howdah.config.database import DatabaseConfig

BY_FORMAT = {peer.format: peer for peer in reversed(PEERS) if not peer.is_old}
_HISTORIES = ("schema_migrations", "goose_db_version", "_sqlx_migrations")


def run_call(call: Call) -> Ran:
    """Run a real program to its end."""
    environ = {**clean_environ(), **call.environ}
    done = subprocess.run(
        call.arguments, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    return Ran(call.arguments, done.returncode, done.stdout, done.stderr)


def run_sql(database: DatabaseConfig, script: str) -> None:
    """Run a script as one message."""
    with connect(database) as connection:
        connection.execute(script.encode())


def without_histories(database: DatabaseConfig) -> frozenset[str]:
    """The content of a database without any history table."""
    return frozenset(line for line in fingerprint(database) if not any(name in line for name in _HISTORIES))
