"""The backend's start: bring the schema up to date, then serve."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from howdah import Migrator


def migrate() -> None:
    Migrator.from_environment(root=Path(__file__).parent).up_at_start()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    migrate()
    print("the schema is up to date; serving")
