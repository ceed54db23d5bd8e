"""When a step may queue for its locks: with a limit to what the application waits for it, and not behind who stays.

A request that queues wins as soon as the transactions that were there before it have ended, and holds up whoever
comes after it until then. So a try queues for the whole stall budget, and one is enough where transactions are
short; but behind a transaction that will not end within the budget it would cost the application all of it for
nothing. There the step waits without queuing, and comes back when those are gone (docs/decisions/0013-stall-budget.md).
"""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg

from howdah.connect.patience import Patience
from howdah.migrate.events import HeldUp, Retrying
from howdah.migrate.failure import TRANSIENT, BudgetSpent, StoodBack
from howdah.migrate.holders import Holder, Kind, find_holders
from howdah.migrate.migration import Step
from howdah.migrate.pipeline import CommandFailed
from howdah.migrate.settings import RunSettings
from howdah.migrate.sql import fetch
from howdah.migrate.watch import Limits, Sighting, Stop, Watcher

_POLL_SECONDS = 0.1
_TELL_FROM_SECONDS = 5.0
# What deadlock_timeout becomes where an autovacuum is in the way: PostgreSQL cancels it after so long a wait.
_DISPLACE_SECONDS = 0.1
# Where it cannot be changed, a wait must be longer than it by this much to see the autovacuum go.
_BEYOND_DEADLOCK_SECONDS = 0.25


class Admission:
    """The tries of one step, or of what is run as a whole outside a transaction.

    `blockers` are who stood in the way of the last try, or still do.
    """

    def __init__(
        self,
        step: Step,
        watcher: Watcher,
        settings: RunSettings,
        *,
        is_superuser: bool,
    ) -> None:
        self.blockers: tuple[Holder, ...] = ()
        self._step = step
        self._watcher = watcher
        self._patience = Patience(settings.retry_limit_seconds)
        self._stall_seconds = settings.stall_budget_seconds
        self._age_seconds = self._stall_seconds
        self._is_superuser = is_superuser
        self._displaces = False
        self._seen = Sighting()

    @property
    def settings(self) -> list[tuple[str, int]]:
        """What to set for the next try, in milliseconds."""
        result = [("lock_timeout", round(self._stall_seconds * 1000))]
        if self._displaces:
            result.append(("deadlock_timeout", round(_DISPLACE_SECONDS * 1000)))
        return result

    def attempt(self, send: Callable[[], None]) -> None:
        """Send a try, and stop it where it costs the application too much.

        Raises:
            CommandFailed: its error is StoodBack or BudgetSpent where it was stopped.
        """
        may_displace = self._is_superuser and not self._displaces
        self._watcher.begin(Limits(self._stall_seconds, self._age_seconds, may_displace))
        try:
            send()
        except CommandFailed as failed:
            self._seen = self._watcher.end()
            self.blockers = self._seen.blockers
            failed.error = self._explained(failed)
            raise
        finally:
            self._watcher.end()

    def may_try_again(self, failed: CommandFailed) -> bool:
        """Whether nothing is wrong but that others were in the way, and there is time left."""
        return (
            failed.error.sqlstate in TRANSIENT and not failed.interrupted and self._patience.left_seconds > 0
        )

    def wait(self, connection: psycopg.Connection, failed: CommandFailed) -> bool:
        """Wait until the way is free, without queuing; False where it is not within the limit.

        The session must be idle; what it waited for has been rolled back.
        """
        reason = failed.error.diag.message_primary or str(failed.error)
        blockers = tuple(map(str, self.blockers))
        self._watcher.pass_on(Retrying(self._step, reason, self._patience.waited_seconds, blockers))
        is_lock = failed.error.sqlstate == "55P03" and self._seen.wait is not None
        if not is_lock:
            if self._patience.is_over:
                return False
            self._patience.pause()
            return True
        if any(each.kind is Kind.AUTOVACUUM for each in self.blockers):
            self._prepare_to_displace(connection)
        if self._seen.stop is not Stop.AUTOVACUUM:
            self._patience.pause()
        return self._wait_for_blockers(connection)

    def _wait_for_blockers(self, connection: psycopg.Connection) -> bool:
        awaited = {each.transaction for each in self.blockers if each.kind is not Kind.AUTOVACUUM}
        tell_at = _TELL_FROM_SECONDS
        while standing := self._standing(connection, awaited):
            self.blockers = standing
            # Who has come since, and will stay, is waited for to its end, too.
            awaited |= {each.transaction for each in standing}
            if self._patience.left_seconds <= 0:
                return False
            waited = self._patience.waited_seconds
            if waited >= tell_at:
                tell_at = waited * 2
                self._watcher.pass_on(HeldUp(self._step, waited, tuple(map(str, standing))))
            time.sleep(min(_POLL_SECONDS, max(self._patience.left_seconds, 0.0)))
        # Where all transactions are longer than the budget there is always an old one: each try is for older ones.
        self._age_seconds *= 2
        return True

    def _standing(self, connection: psycopg.Connection, awaited: set[str]) -> tuple[Holder, ...]:
        """Of those in the way now: who stood there when the last try ended, and who will stay."""
        wait = self._seen.wait
        assert wait is not None
        found = find_holders(
            connection, wait, waiter=connection.info.backend_pid, transactions=sorted(awaited)
        )
        return tuple(
            each for each in found if each.transaction in awaited or each.outlasts(self._age_seconds)
        )

    def _prepare_to_displace(self, connection: psycopg.Connection) -> None:
        """Have PostgreSQL cancel an autovacuum for us soon, or else wait for as long as that takes."""
        if self._displaces:
            return
        try:
            connection.execute(f"SET deadlock_timeout = {round(_DISPLACE_SECONDS * 1000)}".encode())
            connection.execute("RESET deadlock_timeout")
        except psycopg.errors.InsufficientPrivilege:
            (row,) = fetch(connection, "deadlock_timeout")
            if self._stall_seconds:
                self._stall_seconds = max(self._stall_seconds, row["seconds"] + _BEYOND_DEADLOCK_SECONDS)
        else:
            self._displaces = True

    def _explained(self, failed: CommandFailed) -> psycopg.Error:
        """The error of a try; where it was the watcher who stopped it, what that was for."""
        seen = self._seen
        if seen.stop is None or failed.interrupted or failed.error.sqlstate != "57014":
            return failed.error
        waited_seconds = seen.wait.seconds if seen.wait else 0.0
        if seen.stop is Stop.STALLED and seen.was_working and waited_seconds < self._stall_seconds / 2:
            return BudgetSpent(
                f"the application has waited for it for {self._stall_seconds:g} s, which is the stall budget"
            )
        what = f"{seen.wait.shown_mode} lock on {seen.wait.name}" if seen.wait else "lock"
        return StoodBack(f"no {what}: {seen.stop.value}")
