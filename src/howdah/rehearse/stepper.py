"""Run single steps of a directory's migrations, up and down, in one session and under one lock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psycopg

from howdah.errors import SourceError
from howdah.migrate.access import Access
from howdah.migrate.database import Look
from howdah.migrate.events import Result
from howdah.migrate.formats.interface import Phase
from howdah.migrate.lease import RunLease
from howdah.migrate.migration import Direction, Step
from howdah.migrate.migrator import Migrator
from howdah.migrate.plan import Plan, plan_down, plan_up
from howdah.migrate.probe import Probe
from howdah.migrate.script import load_script
from howdah.migrate.scripts import Scripts
from howdah.migrate.sql import run_queries
from howdah.migrate.under_lock import LockedRun
from howdah.rehearse.interrupts import raising_interrupts

_NO_DOWN = "missing-down-file"


@dataclass
class Stepper:
    """The steps of a directory on a throwaway database whose history was empty.

    Attributes:
        plan: all steps up, as they would run from nothing.
    """

    plan: Plan
    _migrator: Migrator
    _access: Access
    _connection: psycopg.Connection
    _at: Look
    _lease: RunLease | None

    @property
    def history_table(self) -> tuple[str, str]:
        """Schema and name."""
        return self._at.table.schema, self._at.table.table

    def back(self, step: Step) -> Step | None:
        """The step that reverts one up, straight behind it; None: there is no way down.

        Raises:
            SourceError: there is a file, and it cannot run.
        """
        migration = step.migration
        if migration.down is None or migration.repeats:
            return None
        back = Step(migration, Direction.DOWN, step.after, step.before)
        if not migration.foreign:
            try:
                load_script(self._access.format, back)
            except SourceError as error:
                if error.code == _NO_DOWN:
                    return None
                raise
        return back

    def run(self, steps: Sequence[Step], *, probe: Probe | None = None) -> list[Result]:
        """Run steps in this order, wherever the database is.

        Raises:
            MigrationFailed: one failed; those before it took effect.
            SourceError: a file cannot run; nothing was run.
            KeyboardInterrupt: it was interrupted.
        """
        plan = replace(self.plan, steps=tuple(steps))
        run = LockedRun(
            self._connection,
            self._at,
            plan,
            Scripts(plan),
            self._migrator.database,
            self._migrator.foreign,
            self._migrator.settings,
            self._migrator.on_event,
            lease=self._lease,
            probe=probe,
        )
        with raising_interrupts():
            # Each deployment has a session of its own; this one serves them all.
            self._connection.execute("DISCARD TEMP")
            return run.run()

    def record(self, step: Step) -> None:
        """Write a step into the history as done, without running it."""
        of, table = self._access.format, self.plan.history.table
        checksum = None if step.migration.foreign else load_script(of, step).checksum
        moves = of.table.record(table, step, checksum, start=Phase.BEFORE, end=Phase.AFTER)
        run_queries(self._connection, list(moves))

    def plan_down(self) -> Plan:
        """All the way down from where the database is. Raises SourceError: a step has no way down."""
        history = self._access.read(self._connection)[1]
        plan = plan_down(self._access.format, self.plan.source, history, to="0")
        Scripts(plan)
        return plan


@contextmanager
def stepping(migrator: Migrator) -> Iterator[Stepper]:
    """Hold a session and the lock for many steps.

    Raises:
        SourceError: the files are wrong.
        ConnectError, LockTimeout.
    """
    access = migrator.access
    source = migrator.source()
    with access.session() as connection:
        at = access.look(connection)
        with access.lock(connection, at) as lease:
            history = access.make_ready(connection, at, source)
            plan = plan_up(access.format, source, history)
            yield Stepper(plan, migrator, access, connection, access.look(connection), lease)
