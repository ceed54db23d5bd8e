"""Carry a plan out under the lock: SQL by Run, what only its own tool can run by ForeignRun."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import psycopg

from howdah.config.database import DatabaseConfig
from howdah.config.project import ForeignSettings
from howdah.connect.session import wait_for_session
from howdah.errors import HowdahError, MigrationFailed
from howdah.findings import Finding, Severity
from howdah.migrate.database import Look, look, read_history
from howdah.migrate.events import Event, Noted, Result
from howdah.migrate.failure import is_done, tell_outcome
from howdah.migrate.guards import refuse_untraceable
from howdah.migrate.history import History
from howdah.migrate.lease import RunLease
from howdah.migrate.lock import find_lock_holders, lock_keys
from howdah.migrate.migration import Step
from howdah.migrate.plan import Plan
from howdah.migrate.probe import Probe
from howdah.migrate.runner import Run
from howdah.migrate.scripts import Scripts
from howdah.migrate.settings import RunSettings
from howdah.migrate.sql import query
from howdah.migrate.watch import Watcher

_log = logging.getLogger(__name__)
_COME_BACK_SECONDS = 10.0


@dataclass
class LockedRun:
    """One plan, carried out by the holder of the migration lock. `run()` may be called once."""

    connection: psycopg.Connection
    at: Look
    plan: Plan
    scripts: Scripts
    database: DatabaseConfig
    foreign: ForeignSettings
    settings: RunSettings
    on_event: Callable[[Event], None]
    lease: RunLease | None = None
    may_give_way: bool = False
    probe: Probe | None = None
    _done: list[Result] = field(default_factory=list, init=False)

    def run(self) -> list[Result]:
        """Run all steps, those of one kind at a time; the results, in order.

        Raises:
            MigrationFailed: says what is applied and what is not.
            RefusedError: a step could stop half-way without a trace.
            GiveWay: with what was done so far.
        """
        from howdah.migrate.outside import GiveWay

        refuse_untraceable(self.plan, self.scripts.outside, self.database)
        parts = [
            list(steps) for _, steps in groupby(self.plan.steps, lambda step: bool(step.migration.foreign))
        ]
        also: set[str] = set()  # what a foreign tool took along
        for part in parts:
            steps = [step for step in part if step.migration.version not in also]
            try:
                if steps and steps[0].migration.foreign:
                    also |= self._run_foreign(steps)
                elif steps:
                    self._run_sql(steps)
            except GiveWay as way:
                way.done = [*self._done, *way.done]
                raise
        return self._done

    def _run_foreign(self, steps: Sequence[Step]) -> set[str]:
        from howdah.migrate.foreign import ForeignRun

        run = ForeignRun(
            self.connection,
            self.plan,
            steps,
            self.database,
            self.foreign,
            self.settings,
            self.on_event,
            lease=self.lease,
            first=self.plan.steps.index(steps[0]),
        )
        try:
            self._done += run.run()
        except MigrationFailed as failed:
            failed.applied = (*self._versions(), *failed.applied)
            raise
        return run.also

    def _run_sql(self, steps: Sequence[Step]) -> None:
        """Run steps of SQL; where a tool without a lock did one at the same moment, go on behind it."""
        left = list(steps)
        while left:
            run, failed = self._run_watched(left)
            if failed is not None:
                failed.applied = (*self._versions(), *failed.applied)
            self._done += run.done
            if failed is None:
                return
            left = left[len(run.done) :]
            if failed.is_partial or not self._was_done_by_others(left[0]):
                raise failed
            left = left[1:]

    def _run_watched(self, steps: Sequence[Step]) -> tuple[Run, MigrationFailed | None]:
        """What a run did, and its failure where there was one."""
        watcher = Watcher(
            self.database,
            self.at.backend_pid,
            self.on_event,
            histories=(self.plan.history.table.sql, "howdah.history"),
        )
        plan = replace(self.plan, steps=tuple(steps))
        run = Run(
            self.connection,
            plan,
            self.scripts,
            self.settings,
            watcher,
            may_give_way=self.may_give_way,
            probe=self.probe,
        )
        # What came before a long statement is told of without waiting for its end.
        watcher.on_look = run.make_durable
        try:
            with watcher:
                run.run()
        except MigrationFailed as failed:
            if failed.code == "connection-lost":
                self._ask_again(failed, plan)
            return run, failed
        return run, None

    def _was_done_by_others(self, step: Step) -> bool:
        """Whether a tool that takes no lock recorded a step while we tried it; ours was rolled back."""
        history = self._read(self.connection)
        if not self.plan.format.table.fence or not is_done(self.plan, history, step):
            return False
        version, tool = step.migration.version, self.plan.format.name
        self.on_event(
            Noted(
                Finding(
                    code="done-by-others",
                    severity=Severity.INFO,
                    message=f"{version} ({step.migration.name}) was {step.direction.done} by {tool} at the same moment",
                    why=f"{tool} takes no lock. Our own try was rolled back.",
                )
            )
        )
        return True

    def _versions(self) -> tuple[str, ...]:
        return tuple(result.step.migration.version for result in self._done)

    def _read(self, connection: psycopg.Connection) -> History:
        table = self.plan.history.table
        at = look(connection, self.plan.format, schema=table.schema, table=table.table)
        return read_history(connection, self.plan.format, at)

    def _ask_again(self, failed: MigrationFailed, plan: Plan) -> None:
        """The connection is lost: find out what took effect, if the server comes back soon."""
        try:
            with wait_for_session(
                self.database, application_name="howdah migrate", limit_seconds=_COME_BACK_SECONDS
            ) as connection:
                history = self._read(connection)
                # What can be seen need not be on the disk yet.
                connection.execute(query("flush"))
                keys = lock_keys(plan.format, plan.history.table)
                holders = [each for each in find_lock_holders(connection, keys) if each.granted]
        except (HowdahError, psycopg.Error) as error:
            _log.debug("the server could not be asked again: %s", error)
            return
        tell_outcome(failed, plan, history, holders)
