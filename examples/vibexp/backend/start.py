"""The backend's start: bring the schema up to date, then serve."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from howdah import Migrator
from howdah.config.project import load_project
from howdah.config.resolve import resolve


def migrate() -> None:
    project = load_project(Path(__file__).parent)
    found = resolve(project)
    Migrator.of(found.settings, found.direct or found.database, root=project.root).up_at_start()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    migrate()
    print("the schema is up to date; serving")
