"""What a run over all databases of a project gives: exactly what happened in each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from howdah.config.database import DatabaseConfig
from howdah.errors import HowdahError
from howdah.migrate.events import Event, Result


class Ending(Enum):
    """How the run ended in one database."""

    APPLIED = "applied"
    NOTHING_TO_DO = "nothing to do"
    NO_MIGRATIONS = "no migrations"
    FAILED = "failed"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"
    NOT_STARTED = "not started"

    @property
    def is_well(self) -> bool:
        """Whether what depends on this database may go on."""
        return self in (Ending.APPLIED, Ending.NOTHING_TO_DO, Ending.NO_MIGRATIONS)


@dataclass(frozen=True)
class DatabaseOutcome:
    """What happened in one database.

    Attributes:
        name: as in howdah.toml.
        target: its address; None where it was never looked for, or could not be found.
        results: the steps that took effect, in order, also where a later one failed.
        error: why it failed or was interrupted; a MigrationFailed says what is applied and what is not.
        because_of: the databases that failed, where this one was skipped for them.
    """

    name: str
    ending: Ending
    target: DatabaseConfig | None = None
    results: tuple[Result, ...] = ()
    error: HowdahError | None = None
    because_of: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What happened in all of them, in the project's order."""

    databases: tuple[DatabaseOutcome, ...]

    @property
    def is_complete(self) -> bool:
        """Every database has all of its migrations."""
        return all(each.ending.is_well for each in self.databases)

    @property
    def applied(self) -> int:
        """How many migrations took effect."""
        return sum(len(each.results) for each in self.databases)


@dataclass(frozen=True, slots=True)
class Started:
    """The run begins in a database."""

    name: str


@dataclass(frozen=True, slots=True)
class Told:
    """What the run in one database tells."""

    name: str
    event: Event


@dataclass(frozen=True, slots=True)
class Ended:
    """The run has ended in a database, or will not begin there."""

    outcome: DatabaseOutcome


FleetEvent = Started | Told | Ended
