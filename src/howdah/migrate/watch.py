"""Watch a run from a second session: what has been running for long, who keeps it waiting, and who waits for it.

The session of the run cannot tell, since it is busy. The second one is opened only once a statement takes its time.
It stops a try that costs the application more than it may: lock_timeout is a limit for each wait of a transaction,
not for what the application waits behind all of them and behind the transaction's own work.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from types import TracebackType
from typing import Self

import psycopg

from howdah.config.database import DatabaseConfig
from howdah.connect.session import open_session
from howdah.errors import HowdahError
from howdah.migrate.events import Event, StatementRunning, StatementStarted, StepStarted
from howdah.migrate.holders import Holder, Kind, Wait, find_holders, find_wait, longest_stall
from howdah.migrate.sql import fetch

_log = logging.getLogger(__name__)

# How often is looked, and from when on; a small stall budget wants it sooner.
_LOOK_EVERY_SECONDS = 0.25
_LOOK_FROM_SECONDS = 0.05
# While it waits for a lock, or somebody for it.
_LOOK_CLOSELY_SECONDS = 0.1
_SHORTEST_SECONDS = 0.005
_TELL_FROM_SECONDS = 5.0


class Stop(Enum):
    """Why the watcher stopped a try."""

    HELD_FOR_LONG = "who is in the way will be there for longer than the stall budget"
    AUTOVACUUM = "an autovacuum is in the way, which can be displaced sooner"
    STALLED = "the application has waited for as long as the stall budget allows"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one try may cost.

    Attributes:
        stall_seconds: how long a statement of the application may wait for it; 0: without limit.
        age_seconds: behind a transaction older than that it does not queue.
        may_displace: an autovacuum in the way can be displaced sooner in another try.
    """

    stall_seconds: float
    age_seconds: float
    may_displace: bool = False


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen of one try: what it last waited for, who was in the way, whether and why it was stopped.

    `was_working`: it waited for nothing when it was stopped.
    """

    wait: Wait | None = None
    blockers: tuple[Holder, ...] = ()
    stop: Stop | None = None
    was_working: bool = False


class Watcher:
    """Passes the events of a run on, adds those of what takes long, and stops what costs the application too much.

    `on_event` is called by one thread at a time.
    """

    def __init__(
        self,
        database: DatabaseConfig,
        backend_pid: int,
        on_event: Callable[[Event], None],
        *,
        histories: Sequence[str],
    ) -> None:
        """`histories` are the tables whose waiters are other migrations, by their quoted names."""
        self.on_look: Callable[[psycopg.Connection], None] = lambda _: None
        """Called with the second session whenever a statement takes its time, by the watching thread."""
        self._database = database
        self._backend_pid = backend_pid
        self._on_event = on_event
        self._histories = histories
        self._turn = threading.RLock()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="howdah watch", daemon=True)
        self._statement: StatementStarted | None = None
        self._since = 0.0
        self._tell_at = _TELL_FROM_SECONDS
        self._limits: Limits | None = None  # of the try that is under way
        self._began = 0.0
        self._tries = 0
        self._sighting = Sighting()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def pass_on(self, event: Event) -> None:
        """What the run calls with each of its events."""
        with self._turn:
            if isinstance(event, StatementStarted):
                self._statement, self._since = event, time.monotonic()
                self._tell_at = _TELL_FROM_SECONDS
            elif isinstance(event, StepStarted):
                self._statement = None
            self._on_event(event)

    def begin(self, limits: Limits) -> None:
        """A try begins."""
        with self._turn:
            self._limits, self._sighting = limits, Sighting()
            self._tries += 1
            self._began = self._since = time.monotonic()

    def end(self) -> Sighting:
        """It has ended, and is not stopped any more; what was seen of it. May be called again."""
        with self._turn:
            self._limits = None
            return self._sighting

    def _watch(self) -> None:
        session: psycopg.Connection | None = None
        pause = _LOOK_EVERY_SECONDS
        try:
            while not self._is_over.wait(pause):
                pause = self._until_due()
                if pause > 0:
                    continue
                session = session or open_session(self._database, application_name="howdah watch")
                pause = self._look(session)
        except (HowdahError, psycopg.Error) as error:
            # The run itself will tell if the server is gone; without a second session it goes on unwatched.
            _log.debug("not watching any more: %s", error)
        except Exception:  # noqa: BLE001 - whoever is told of events may err; the run goes on
            _log.exception("not watching any more")
        finally:
            if session is not None:
                session.close()

    def _until_due(self) -> float:
        """How long there is nothing to look for."""
        with self._turn:
            if self._limits is None or self._statement is None:
                return _LOOK_CLOSELY_SECONDS / 4
            begin = _LOOK_FROM_SECONDS
            if self._limits.stall_seconds:
                begin = min(begin, self._limits.stall_seconds / 4)
            return self._began + begin - time.monotonic()

    def _look(self, session: psycopg.Connection) -> float:
        """Look once; for how long there is no need to look again."""
        self.on_look(session)
        number = self._tries
        wait = find_wait(session, self._backend_pid)
        blockers: tuple[Holder, ...] = ()
        if wait is not None:
            blockers = find_holders(session, wait, waiter=self._backend_pid, pids=wait.pids)
        stall = longest_stall(session, self._backend_pid, except_for=self._histories)
        with self._turn:
            limits = self._limits
            if limits is None or number != self._tries:
                return _SHORTEST_SECONDS
            if blockers:  # kept until the next try: the budget may end between two looks
                self._sighting = replace(self._sighting, wait=wait, blockers=blockers)
            stop = _why_stop(limits, wait, blockers, stall)
            if stop is not None and self._sighting.stop is None:
                self._stop(session, stop, was_working=wait is None)
            self._tell(blockers)
        pause = _LOOK_CLOSELY_SECONDS if wait or stall else _LOOK_EVERY_SECONDS
        if limits.stall_seconds:
            pause = min(pause, limits.stall_seconds / 4, max(limits.stall_seconds - stall, _SHORTEST_SECONDS))
        return pause

    def _stop(self, session: psycopg.Connection, stop: Stop, *, was_working: bool) -> None:
        """Cancel the try that is under way: none can end, and no other begin, before this has returned."""
        # What has got its lock meanwhile is past what it would be stopped for.
        name = "stop_try" if stop is Stop.STALLED else "stop_waiting"
        if fetch(session, name, [self._backend_pid]):
            self._sighting = replace(self._sighting, stop=stop, was_working=was_working)

    def _tell(self, blockers: Sequence[Holder]) -> None:
        statement, seconds = self._statement, time.monotonic() - self._since
        if statement is not None and seconds >= self._tell_at:
            self._tell_at *= 2
            self._on_event(StatementRunning(statement, seconds, tuple(str(each) for each in blockers)))


def _why_stop(limits: Limits, wait: Wait | None, blockers: Sequence[Holder], stall: float) -> Stop | None:
    if not limits.stall_seconds:
        return None
    if stall >= limits.stall_seconds - _SHORTEST_SECONDS:
        return Stop.STALLED
    if wait is None or not wait.stalls_the_application:
        return None
    if any(each.outlasts(limits.age_seconds) for each in blockers):
        return Stop.HELD_FOR_LONG
    if limits.may_displace and any(each.kind is Kind.AUTOVACUUM for each in blockers):
        return Stop.AUTOVACUUM
    return None
