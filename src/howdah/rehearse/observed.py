"""What a step of a rehearsal was seen to do."""

from __future__ import annotations

from dataclasses import dataclass

from howdah.errors import MigrationFailed
from howdah.migrate.migration import Step
from howdah.observe.effect import Effect


@dataclass(frozen=True, slots=True)
class ObservedStatement:
    """One statement of a step; `number` and `line` count from 1, the line in its file."""

    number: int
    line: int
    text: str
    effect: Effect


@dataclass(frozen=True, slots=True)
class ObservedStep:
    """One step, as far as it came.

    Attributes:
        transactional: whether one transaction held it.
        statements: those that ran, the failed one last; () of a step that only its own tool can run.
        touched: OIDs of the relations it locked, made or dropped; what is not among them is as it was before.
            None: that is not known, as of a step outside a transaction.
        seconds: for all of it, with what the observation takes.
        failure: why it did not take effect; None: it did.
        is_seen: not where a program makes its statements, as a revision of Alembic does: they run unobserved.
    """

    step: Step
    transactional: bool
    statements: tuple[ObservedStatement, ...]
    touched: frozenset[int] | None
    seconds: float
    failure: MigrationFailed | None = None
    is_seen: bool = True
