"""The server's start: bring the schema up to date unless told otherwise, then serve."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from howdah import Migrator


def migrate() -> None:
    Migrator.from_environment(root=Path(__file__).parent).up_at_start(switch="HOLOMUSH_DB_AUTO_MIGRATE")


def pool_settings() -> str:
    """What the pool is opened with."""
    least = int(os.environ.get("DB_MIN_CONNS", "5"))
    most = int(os.environ.get("DB_MAX_CONNS", "25"))
    lifetime = os.environ.get("DB_MAX_LIFETIME", "1h")
    return f"{least} to {most} connections, each for {lifetime} at most"


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    migrate()
    print(f"serving with {pool_settings()}")
