"""Flyway: versioned files, a history with a rank for each row, an advisory lock."""

from __future__ import annotations

from howdah.migrate.formats.flyway.files import FlywayFiles
from howdah.migrate.formats.flyway.table import FlywayTable
from howdah.migrate.formats.interface import Format

FLYWAY = Format("flyway", FlywayFiles(), FlywayTable())
