"""Watch each statement of a run from inside its own session."""

from __future__ import annotations

from typing import Protocol

import psycopg

from howdah.migrate.migration import Step
from howdah.pg.statements import Statement


class Probe(Protocol):
    """Called by the run in its own session and transaction, around each statement of SQL.

    A probe may query, and must leave no trace: what it sets is in force for the statements that follow. It makes a
    run slower: statements are sent one at a time.
    """

    def before_step(self, connection: psycopg.Connection, step: Step, *, transactional: bool) -> None:
        """A step begins; its transaction, if it has one, has begun, and nothing of the body has run.

        Called again for the same step where it is tried again.
        """
        ...

    def before(self, connection: psycopg.Connection, step: Step, number: int, statement: Statement) -> None:
        """A statement is about to run; `number` counts from 1. Outside a transaction the session is idle."""
        ...

    def after(
        self, connection: psycopg.Connection, step: Step, number: int, error: psycopg.Error | None
    ) -> None:
        """It has run, or failed: then the session's transaction, if there is one, is in the failed state."""
        ...

    def after_step(self, connection: psycopg.Connection, step: Step) -> None:
        """All statements of a step have run; its transaction, if it has one, is about to record and commit."""
        ...
