"""howdah carries an application's PostgreSQL from `git clone` to production.

The names below are the public API. They are imported on first use, so that `import howdah` costs nothing
and a program that never connects never loads a driver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from howdah.check.run import check_migrations as check_migrations
    from howdah.check.settings import CheckSettings as CheckSettings
    from howdah.check.subject import find_subjects as find_subjects
    from howdah.config.database import DatabaseConfig as DatabaseConfig
    from howdah.config.project import load_project as load_project
    from howdah.config.url import parse_url as parse_url
    from howdah.errors import HowdahError as HowdahError
    from howdah.fleet.migrate import migrate_all as migrate_all
    from howdah.fleet.status import read_statuses as read_statuses
    from howdah.migrate.migrator import Migrator as Migrator
    from howdah.migrate.settings import RunSettings as RunSettings
    from howdah.rehearse.verify import Rehearsal as Rehearsal

# public name -> module that defines it
_PUBLIC = {
    "CheckSettings": "howdah.check.settings",
    "DatabaseConfig": "howdah.config.database",
    "HowdahError": "howdah.errors",
    "Migrator": "howdah.migrate.migrator",
    "Rehearsal": "howdah.rehearse.verify",
    "RunSettings": "howdah.migrate.settings",
    "check_migrations": "howdah.check.run",
    "find_subjects": "howdah.check.subject",
    "load_project": "howdah.config.project",
    "migrate_all": "howdah.fleet.migrate",
    "parse_url": "howdah.config.url",
    "read_statuses": "howdah.fleet.status",
}

__all__ = sorted(_PUBLIC)  # noqa: PLE0605


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'howdah' has no attribute {name!r}")
