"""A migration, its two halves, and the source they come from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from pathlib import Path

from howdah.errors import Where
from howdah.findings import Finding, Severity

# Of a directory of migrations: where those are kept that one took the place of. No tool looks into it.
SQUASHED_FOLDER = "squashed"


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
    """One change.

    Attributes:
        version: in the one form that the format's `parse_version` gives; unique in its source.
        name: its words.
        up, down: the files of its halves; the same one where a file holds both; None: there is none.
        foreign: what it is where only its own tool can run it ("a Go function"); empty for SQL.
        parents: the versions it builds upon, where the order is not that of the versions (Alembic).
        depends_on: those of them that it only needs, on other branches.
        repeats: of one that runs again whenever its file changed, the checksum of today's file (Flyway's R__); empty
            for what runs once. It stands behind the others, and is never the current version, nor out of order.
    """

    version: str
    name: str
    up: Path | None = None
    down: Path | None = None
    foreign: str = ""
    parents: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    repeats: str = ""

    def file(self, direction: Direction) -> Path | None:
        """The file of one half."""
        return self.up if direction is Direction.UP else self.down

    @property
    def path(self) -> Path:
        """The file that it is known by: of its up half, where there is one. What a source holds has a file."""
        path = self.up or self.down
        assert path is not None
        return path

    @property
    def where(self) -> Where:
        """That file, as the place of what is said of it."""
        return Where(str(self.path))


@dataclass(frozen=True)
class Source:
    """The migrations of a directory in the order they run; `notes` says which files were not taken and why."""

    directory: Path
    migrations: tuple[Migration, ...]
    notes: tuple[Finding, ...] = ()

    @cached_property
    def by_version(self) -> dict[str, Migration]:
        """Version -> migration, in the order they run."""
        return {each.version: each for each in self.migrations}

    def find(self, version: str) -> Migration | None:
        """The migration with this version, or None."""
        return self.by_version.get(version)

    def noting_none(self) -> Source:
        """Itself; with a note where there are no migrations, which mostly means that they are in another folder."""
        if self.migrations:
            return self
        note = Finding(
            code="no-migrations",
            severity=Severity.WARNING,
            message=f"there are no migrations in {self.directory}",
            fix="Name the folder that the files are in: with --dir, or `migrations = ...` in howdah.toml.",
        )
        return replace(self, notes=(*self.notes, note))


@dataclass(frozen=True, slots=True)
class Step:
    """Run one half of a migration; the history's newest version goes from `before` to `after` (None: empty)."""

    migration: Migration
    direction: Direction
    before: str | None
    after: str | None

    @property
    def file(self) -> Path:
        """The file that runs: a plan has no step without one."""
        file = self.migration.file(self.direction)
        assert file is not None
        return file
