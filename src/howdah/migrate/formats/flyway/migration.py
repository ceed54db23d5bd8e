"""A migration of Flyway: what its history keeps of a file beyond what others do."""

from __future__ import annotations

from dataclasses import dataclass

from howdah.migrate.migration import Migration


@dataclass(frozen=True, slots=True)
class FlywayMigration(Migration):
    """A migration with what Flyway's history says of its file.

    Attributes:
        shown_version: the version as the file writes it, "1.0" for V1_0: equal to `version`, not the same text.
        script: the file's path below the directory.
        type: SQL, JDBC or SCRIPT.
    """

    shown_version: str = ""
    script: str = ""
    type: str = "SQL"
