"""What a run tells while it goes: the command line shows these as progress, the library logs them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from howdah.findings import Finding
from howdah.migrate.migration import Step


@dataclass(frozen=True, slots=True)
class WaitingForLock:
    """Another run holds the migration lock; `holder` says who, as far as the server shows it."""

    holder: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step begins; `number` of `total` in this run, with so many statements."""

    step: Step
    number: int
    total: int
    statements: int


@dataclass(frozen=True, slots=True)
class StatementStarted:
    """A statement begins; `number` counts from 1."""

    step: Step
    number: int
    total: int
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class StatementRunning:
    """A statement has been running for long; told at 5 s, 10 s, 20 s, …; `blockers` say whom it waits for."""

    statement: StatementStarted
    seconds: float
    blockers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Retrying:
    """A step or statement is tried again, from where it does no harm; `blockers` say who stood in its way."""

    step: Step
    reason: str
    seconds: float
    blockers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldUp:
    """A step waits, without queuing for a lock, until these have ended; told at 5 s, 10 s, 20 s, …"""

    step: Step
    seconds: float
    blockers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProgramSaid:
    """A line of the program that runs a step which is no SQL."""

    step: Step
    line: str


@dataclass(frozen=True, slots=True)
class Result:
    """A step that took effect, is recorded, and is on the server's disk."""

    step: Step
    file: Path
    statements: int
    seconds: float
    transactional: bool

    @property
    def shown(self) -> str:
        """The file's name; with its folder's where that says which one it is, as Prisma's do."""
        folder = self.file.parent.name
        return f"{folder}/{self.file.name}" if folder == self.step.migration.version else self.file.name


@dataclass(frozen=True, slots=True)
class Noted:
    """Something to know that stops nothing: an edited file, one out of order, a database ahead of the files."""

    finding: Finding


Event = (
    Noted
    | WaitingForLock
    | StepStarted
    | StatementStarted
    | StatementRunning
    | Retrying
    | HeldUp
    | ProgramSaid
    | Result
)
