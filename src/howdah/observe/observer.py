"""Observe what each statement of a session does, knowing nothing of migrations."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus

from howdah.observe.catalogue import Catalogue
from howdah.observe.effect import Effect
from howdah.observe.inside import Inside, InUse
from howdah.pg.statements import Statement


class Observer:
    """Called around every statement of one session at a time; close it, or use it in a `with`.

    A second session of the same role looks from outside: nothing is set, locked or asked in the observed session
    before the first statement of a transaction. Nobody else may change the database's structure meanwhile.
    """

    def __init__(self) -> None:
        self._in_use = InUse()
        self._watcher: psycopg.Connection | None = None
        self._inside: Inside | None = None
        self._statement: Statement | None = None
        self._started = 0.0
        self._touched: frozenset[int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the second session. The next begin() opens another."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None

    def mark_in_use(self, connection: psycopg.Connection) -> None:
        """What is committed now is what is in use, until the next call; without one, what existed before each step."""
        self._in_use = InUse(dict(self._outside_view(connection).rows("in_use")))

    def begin(self, connection: psycopg.Connection, *, transactional: bool) -> None:
        """A run of statements begins: of a transaction that is open and has changed nothing, or outside one."""
        self._touched = None
        self._inside = self._look_inside(connection) if transactional else None

    def before(self, connection: psycopg.Connection, statement: Statement) -> None:
        """A statement is about to run."""
        self._statement = statement
        if self._inside is None:
            self._inside = self._look_inside(connection)
        self._started = time.perf_counter()

    def after(self, connection: psycopg.Connection, error: psycopg.Error | None) -> Effect:
        """What it did; where it failed, what is known of it."""
        seconds = time.perf_counter() - self._started
        assert self._statement is not None, "before() comes first"
        inside = self._inside
        if error is not None:
            held = inside.held if inside else ()
            return Effect(held=held, seconds=seconds, error=_message(error), sqlstate=error.sqlstate or "")
        if inside is None or connection.info.transaction_status != TransactionStatus.INTRANS:
            self._inside = None
            return Effect(seconds=seconds)
        return inside.after(self._statement.words, seconds)

    def end(self, connection: psycopg.Connection) -> None:
        """All statements have run; the transaction, if there is one, is still open. Then `touched` can be read."""
        if self._inside is not None and connection.info.transaction_status == TransactionStatus.INTRANS:
            self._touched = self._inside.touched()
        self._inside = None

    @property
    def touched(self) -> frozenset[int] | None:
        """OIDs of the relations that the transaction which ended last locked, made or dropped; None: not known."""
        return self._touched

    def _look_inside(self, connection: psycopg.Connection) -> Inside:
        return Inside(Catalogue(connection), self._outside_view(connection), self._in_use)

    def _outside_view(self, connection: psycopg.Connection) -> Catalogue:
        """The second session, to the database of the first."""
        watcher = self._watcher
        if watcher is None or watcher.closed or _place(watcher) != _place(connection):
            self.close()
            self._watcher = watcher = open_beside(connection)
        return Catalogue(watcher, prepare=None)


def open_beside(connection: psycopg.Connection) -> psycopg.Connection:
    """Another autocommit session to the same database, as the role that logged in."""
    info = connection.info
    parameters = {**info.get_parameters(), "application_name": "howdah observe"}
    if info.password:
        parameters["password"] = info.password
    return psycopg.connect(make_conninfo(**parameters), autocommit=True)


def _place(connection: psycopg.Connection) -> tuple[str, int, str]:
    return connection.info.host, connection.info.port, connection.info.dbname


def _message(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error).strip() or type(error).__name__
