"""A migration, its two halves, and the source they come from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from howdah.findings import Finding


class Direction(Enum):
    """Which half of a migration runs."""

    UP = "up"
    DOWN = "down"

    @property
    def doing(self) -> str:
        """What a run does: "applying" or "reverting"."""
        return "applying" if self is Direction.UP else "reverting"

    @property
    def done(self) -> str:
        """What a run did: "applied" or "reverted"."""
        return "applied" if self is Direction.UP else "reverted"


def count_migrations(number: int) -> str:
    """So many migrations, in words: "1 migration", "7 migrations"."""
    return "1 migration" if number == 1 else f"{number} migrations"


@dataclass(frozen=True, slots=True)
class Migration:
    """One change: its sortable version, its words, and the files of its halves (None: there is none)."""

    version: int
    name: str
    up: Path | None = None
    down: Path | None = None

    def file(self, direction: Direction) -> Path | None:
        """The file of one half."""
        return self.up if direction is Direction.UP else self.down


@dataclass(frozen=True)
class Source:
    """The migrations of a directory, by ascending version; `notes` says which files were not taken and why."""

    directory: Path
    migrations: tuple[Migration, ...]
    notes: tuple[Finding, ...] = ()

    def find(self, version: int) -> Migration | None:
        """The migration with this version, or None."""
        return next((each for each in self.migrations if each.version == version), None)
