"""Watch a run from a second session: what has been running for long, and who keeps it waiting.

The session of the run cannot tell, since it is busy. The second one is opened only once a statement takes its time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

import psycopg

from howdah.config.database import DatabaseConfig
from howdah.connect.session import open_session
from howdah.errors import HowdahError
from howdah.migrate.events import (
    Event,
    Retrying,
    StatementRunning,
    StatementStarted,
    StepStarted,
)
from howdah.migrate.lock import LockHolder
from howdah.migrate.sql import fetch

_log = logging.getLogger(__name__)

# How often, and from when on, blockers are looked for; a small stall budget wants it sooner.
_LOOK_EVERY_SECONDS = 0.25
_LOOK_FROM_SECONDS = 0.5
_TELL_FROM_SECONDS = 5.0


class Watcher:
    """Passes the events of a run on, and adds those of what takes long.

    `on_event` is called by one thread at a time.
    """

    def __init__(
        self,
        database: DatabaseConfig,
        backend_pid: int,
        on_event: Callable[[Event], None],
        *,
        stall_seconds: float,
    ) -> None:
        self.on_look: Callable[[psycopg.Connection], None] = lambda _: None
        """Called with the second session whenever a statement takes its time, by the watching thread."""
        self._database = database
        self._backend_pid = backend_pid
        self._on_event = on_event
        # Seen at least once before the budget runs out.
        self._look_every = min(_LOOK_EVERY_SECONDS, stall_seconds / 4 or _LOOK_EVERY_SECONDS)
        self._look_from = min(_LOOK_FROM_SECONDS, stall_seconds / 4 or _LOOK_FROM_SECONDS)
        self._turn = threading.RLock()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="howdah watch", daemon=True)
        self._statement: StatementStarted | None = None
        self._since = 0.0
        self._tell_at = _TELL_FROM_SECONDS
        self._blockers: tuple[LockHolder, ...] = ()

    @property
    def blockers(self) -> tuple[LockHolder, ...]:
        """Who was last seen to keep the current statement waiting."""
        return self._blockers

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
                self._tell_at, self._blockers = _TELL_FROM_SECONDS, ()
            elif isinstance(event, StepStarted):
                self._statement = None
            elif isinstance(event, Retrying):
                event = replace(event, blockers=tuple(str(each) for each in self._blockers))
                self._since = time.monotonic()
            self._on_event(event)

    def _watch(self) -> None:
        session: psycopg.Connection | None = None
        try:
            while not self._is_over.wait(self._look_every):
                if self._statement is None or time.monotonic() - self._since < self._look_from:
                    continue
                session = session or open_session(self._database, application_name="howdah watch")
                self._look(session)
        except (HowdahError, psycopg.Error) as error:
            # The run itself will tell if the server is gone; without a second session it goes on unwatched.
            _log.debug("not watching any more: %s", error)
        except Exception:  # noqa: BLE001 - whoever is told of events may err; the run goes on
            _log.exception("not watching any more")
        finally:
            if session is not None:
                session.close()

    def _look(self, session: psycopg.Connection) -> None:
        self.on_look(session)
        seen = tuple(LockHolder(**row) for row in fetch(session, "blockers", [self._backend_pid]))
        with self._turn:
            statement, seconds = self._statement, time.monotonic() - self._since
            if statement is None:
                return
            # Kept until the next statement: the stall budget may end between two looks.
            self._blockers = seen or self._blockers
            if seconds >= self._tell_at:
                self._tell_at *= 2
                self._on_event(StatementRunning(statement, seconds, tuple(str(each) for each in seen)))
