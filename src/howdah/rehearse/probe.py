"""Collect what each step of a run was observed to do."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import psycopg

from howdah.errors import MigrationFailed
from howdah.migrate.migration import Step
from howdah.observe.effect import Effect
from howdah.observe.observer import Observer
from howdah.pg.statements import Statement
from howdah.rehearse.observed import ObservedStatement, ObservedStep


@dataclass
class ObservingProbe:
    """A probe around an observer; `steps` are those that ran, in order. Whoever made the observer closes it.

    A step that is tried again is observed anew. Of one that failed the run's caller learns, and tells it: fail().
    """

    observer: Observer
    steps: list[ObservedStep] = field(default_factory=list)
    _step: Step | None = field(default=None, init=False)  # the one that is under way
    _transactional: bool = field(default=True, init=False)
    _started: float = field(default=0.0, init=False)
    _statements: list[Statement] = field(default_factory=list, init=False)
    _effects: list[Effect] = field(default_factory=list, init=False)

    def before_step(self, connection: psycopg.Connection, step: Step, *, transactional: bool) -> None:
        """A step begins, or begins anew."""
        if self.steps and self._step is None and self.steps[-1].step is step:
            self.steps.pop()  # its commit failed
        self._step = step
        self._transactional = transactional
        self._started = time.monotonic()
        self._statements, self._effects = [], []
        self.observer.begin(connection, transactional=transactional)

    def before(self, connection: psycopg.Connection, step: Step, number: int, statement: Statement) -> None:
        """A statement is about to run; again, where it is tried again."""
        del step
        del self._statements[number - 1 :], self._effects[number - 1 :]
        self._statements.append(statement)
        self.observer.before(connection, statement)

    def after(
        self, connection: psycopg.Connection, step: Step, number: int, error: psycopg.Error | None
    ) -> None:
        """It has run, or failed."""
        del step, number
        try:
            self._effects.append(self.observer.after(connection, error))
        except psycopg.Error as failure:
            message = failure.diag.message_primary or str(failure)
            self._effects.append(Effect(error=message, sqlstate=failure.sqlstate or ""))
            raise

    def after_step(self, connection: psycopg.Connection, step: Step) -> None:
        """All of it has run."""
        del step
        effects = self.observer.end(connection)
        if len(effects) == len(self._effects):  # else a statement was tried again
            self._effects = list(effects)
        self._finish(self.observer.touched, None)

    def fail(self, failure: MigrationFailed) -> None:
        """The run has failed: the step that is under way did not take effect, or the newest one, by its commit."""
        if self._step is not None:
            self._finish(None, failure)
        elif self.steps and self.steps[-1].step.migration.version == failure.failed:
            self.steps[-1] = replace(self.steps[-1], failure=failure)

    def _finish(self, touched: frozenset[int] | None, failure: MigrationFailed | None) -> None:
        assert self._step is not None, "before_step() comes first"
        statements = tuple(
            ObservedStatement(number, statement.line, statement.text, effect)
            for number, (statement, effect) in enumerate(
                zip(self._statements, self._effects, strict=False), 1
            )
        )
        seconds = time.monotonic() - self._started
        self.steps.append(
            ObservedStep(self._step, self._transactional, statements, touched, seconds, failure)
        )
        self._step = None
