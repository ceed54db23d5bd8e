"""A gate that whoever changes a relation comes through: SHARE on pg_class, held by one of two sessions."""

from __future__ import annotations

import select
import time

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import ExecStatus

PG_CLASS = 1259
# Where somebody stays in the gate, it is tried again: nobody may wait behind us for long.
_SHUT = b"BEGIN; SET LOCAL lock_timeout = '1s'; LOCK TABLE pg_catalog.pg_class IN SHARE MODE"
_QUEUED = "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE pid = $1 AND NOT granted)"
_QUEUED_WITHIN_SECONDS = 2.0


def open_beside(connection: psycopg.Connection) -> psycopg.Connection:
    """Another autocommit session to the same database, as the role that logged in."""
    info = connection.info
    parameters = {**info.get_parameters(), "application_name": "howdah observe"}
    if info.password:
        parameters["password"] = info.password
    return psycopg.connect(make_conninfo(**parameters), autocommit=True)


class Gate:
    """Closed from the beginning, where that may be; one waiter at a time is let through.

    The session that closes it next stands in the queue behind the waiter before the other one lets go: so it closes at
    the moment that the waiter is through, and not one change comes by unseen.
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        self._holder, self._next = open_beside(connection), open_beside(connection)
        self._is_forbidden = False
        self._is_pending = False
        self.is_closed = self._shut()

    def close(self) -> None:
        """Be gone."""
        self._holder.close()
        self._next.close()

    def let_through(self, view: psycopg.Connection) -> None:
        """Open it for the waiter, and have it closed behind. `view` is a session to look with."""
        self._next.pgconn.send_query(_SHUT)
        pid, deadline = self._next.info.backend_pid, time.monotonic() + _QUEUED_WITHIN_SECONDS
        while time.monotonic() < deadline and not _is_queued(view, pid):
            pass
        self.open()
        self._holder, self._next = self._next, self._holder
        self._is_pending = True

    def open(self) -> None:
        """Let everybody through."""
        self._holder.rollback()
        self.is_closed = False

    def look(self) -> None:
        """See whether it is closed by now; where somebody stayed in it, try again."""
        if self._is_pending and not _is_answered(self._holder):
            return
        if self._is_pending:
            self._is_pending = False
            self.is_closed = _take_answer(self._holder)
        if not self.is_closed and not self._is_forbidden:
            self._holder.rollback()
            self.is_closed = self._shut()

    def _shut(self) -> bool:
        try:
            self._holder.execute(_SHUT)
        except psycopg.Error as error:
            self._holder.rollback()
            self._is_forbidden = not isinstance(error, psycopg.errors.LockNotAvailable)
            return False
        return True


def _is_queued(view: psycopg.Connection, pid: int) -> bool:
    row = psycopg.RawCursor(view).execute(_QUEUED, [pid]).fetchone()
    return row is not None and bool(row[0])


def _is_answered(session: psycopg.Connection) -> bool:
    """Whether the answer to what was sent is complete; does not wait."""
    if select.select([session.pgconn.socket], [], [], 0)[0]:
        session.pgconn.consume_input()
    return not session.pgconn.is_busy()


def _take_answer(session: psycopg.Connection) -> bool:
    """Take the answers; whether all is well."""
    is_well = True
    while (result := session.pgconn.get_result()) is not None:
        is_well &= result.status == ExecStatus.COMMAND_OK
    return is_well
