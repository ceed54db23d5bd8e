"""Several migration runs at once, started at random moments, and what they leave."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fix_cli import clean_environ, command
from fix_db import connect
from fix_golang_migrate import GolangMigrate, as_url
from howdah.config.database import DatabaseConfig

# No key anywhere: a file that runs twice leaves two rows.
FILES = {
    "1_log.up.sql": "CREATE TABLE log (what int NOT NULL); INSERT INTO log VALUES (1);",
    **{
        f"{number}_entry.up.sql": f"SELECT pg_sleep(0.0{number}); INSERT INTO log VALUES ({number});"
        for number in range(2, 8)
    },
}
CONCURRENT_INDEX = {
    "8_index.up.sql": "CREATE INDEX CONCURRENTLY log_idx ON log (what);",
    "9_end.up.sql": "SELECT 9;",
}

_LIBRARY = """
import sys
from pathlib import Path
from howdah.config.url import parse_url
from howdah.migrate.migrator import Migrator
Migrator(database=parse_url(sys.argv[1]), directory=Path(sys.argv[2])).up_at_start(lock_limit_seconds=60)
"""


@dataclass(frozen=True)
class Finished:
    """One run that has ended; `who` is the program: `migrate`, `python3`."""

    who: str
    code: int
    stderr: str


def howdah_program(database: DatabaseConfig, directory: Path) -> list[str]:
    url = as_url(database)
    return command("migrate", "up", "--url", url, "--dir", str(directory), "--lock-timeout", "60")


def howdah_library(database: DatabaseConfig, directory: Path) -> list[str]:
    return [sys.executable, "-c", _LIBRARY, as_url(database), str(directory)]


def golang_migrate_program(peer: GolangMigrate) -> Callable[[DatabaseConfig, Path], list[str]]:
    return lambda database, directory: peer.command(database, directory, ("up",))


def race(commands: Sequence[list[str]], *, seed: int, within_seconds: float = 0.5) -> list[Finished]:
    """Start all of them, in random order at random moments; how they ended."""
    chance = random.Random(seed)
    moments = sorted((chance.uniform(0, within_seconds), arguments) for arguments in commands)
    started: list[subprocess.Popen[str]] = []
    begin = time.monotonic()
    for moment, arguments in moments:
        time.sleep(max(0.0, begin + moment - time.monotonic()))
        started.append(
            subprocess.Popen(
                arguments,
                env=clean_environ(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    return [
        Finished(arguments[0].rpartition("/")[2], process.returncode, stderr)
        for (_, arguments), process in zip(moments, started, strict=True)
        for _, stderr in [process.communicate(timeout=120)]
    ]


def log_rows(database: DatabaseConfig) -> list[int]:
    """What the migrations left in the table without keys."""
    with connect(database) as connection:
        return [what for (what,) in connection.execute("SELECT what FROM log ORDER BY what")]


def invalid_indexes(database: DatabaseConfig) -> list[str]:
    """What a killed CREATE INDEX CONCURRENTLY left."""
    with connect(database) as connection:
        rows = connection.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")
        return [name for (name,) in rows]
