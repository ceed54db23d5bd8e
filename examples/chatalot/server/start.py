"""The server's start: wait for PostgreSQL, bring the schema up to date, serve."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from howdah import Migrator


def migrate() -> None:
    Migrator.from_environment(root=Path(__file__).parent).up_at_start(wait_seconds=60)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(name)s: %(message)s")
    log = logging.getLogger("chatalot_server")
    migrate()
    log.info("Migrations applied")
