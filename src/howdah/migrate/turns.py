"""Carry a run out under the lock: go on with what stopped half-way, plan anew, run; give way where that must be."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count

import psycopg

from howdah.config.database import DatabaseConfig
from howdah.config.project import ForeignSettings
from howdah.errors import MigrationFailed
from howdah.migrate.access import Access
from howdah.migrate.database import Look
from howdah.migrate.events import Event, Result
from howdah.migrate.lease import RunLease
from howdah.migrate.outside import GiveWay
from howdah.migrate.plan import Plan, Wish
from howdah.migrate.probe import Probe
from howdah.migrate.resume import find_resumable
from howdah.migrate.scripts import Scripts
from howdah.migrate.settings import RunSettings
from howdah.migrate.under_lock import LockedRun

# golang-migrate takes its lock twice, for its table and to migrate: long enough for it to come by the second time.
_GIVE_WAY_SECONDS = 1.0


@dataclass
class Turns:
    """The turns of one run under the lock: one, unless it gives way. `take()` may be called once."""

    connection: psycopg.Connection
    access: Access
    wish: Wish
    database: DatabaseConfig
    foreign: ForeignSettings
    settings: RunSettings
    on_event: Callable[[Event], None]
    probe: Probe | None
    _done: list[Result] = field(default_factory=list, init=False)

    def take(self, at: Look) -> list[Result]:
        """Run under the lock. Where a waiter for it holds a concurrent build up, let it go first, then go on.

        Raises:
            MigrationFailed, DirtyDatabase, HistoryMismatch, SourceError, RefusedError, LockTimeout.
        """
        deadline = time.monotonic() + self.settings.retry_limit_seconds
        for turn in count():
            if turn:
                time.sleep(_GIVE_WAY_SECONDS)
            try:
                with self.access.lock(self.connection, at) as lease:
                    self._run(lease, may_give_way=time.monotonic() < deadline)
                    break
            except GiveWay as way:
                self._done += way.done
        return self._done

    def _run(self, lease: RunLease | None, *, may_give_way: bool) -> None:
        carry_out = partial(
            LockedRun,
            self.connection,
            database=self.database,
            foreign=self.foreign,
            settings=self.settings,
            on_event=self.on_event,
            lease=lease,
            may_give_way=may_give_way,
            probe=self.probe,
        )
        at, history = self.access.read(self.connection)
        if history.dirty and (found := find_resumable(self.access.format, self.wish.source, history)):
            step, script = found
            if self.wish.may_resume(step.migration.version):
                plan = Plan(self.access.format, self.wish.source, history, (step,))
                self._done += carry_out(at=at, plan=plan, scripts=Scripts.resuming(plan, script)).run()
                at, history = self.access.read(self.connection)
        plan = self.wish.make_plan(history)
        if not plan.steps:
            return
        scripts = Scripts(plan)
        plan = self.wish.make_plan(self.access.make_ready(self.connection, at, plan.source))
        before = tuple(result.step.migration.version for result in self._done)
        try:
            self._done += carry_out(at=at, plan=plan, scripts=scripts).run()
        except MigrationFailed as failed:
            failed.applied = (*before, *failed.applied)
            raise
