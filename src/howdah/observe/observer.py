"""Observe what each statement of a session does, knowing nothing of migrations."""

from __future__ import annotations

import time
from dataclasses import replace
from types import TracebackType
from typing import Self

import psycopg
from psycopg.pq import TransactionStatus

from howdah.observe.catalogue import Catalogue
from howdah.observe.effect import Effect
from howdah.observe.gate import open_beside
from howdah.observe.inside import Inside, InUse
from howdah.observe.look import Session
from howdah.observe.outside import Outside, manages_transactions, may_be_bracketed
from howdah.pg.statements import Statement

# dependent_objects_still_exist: only the detail says which, and it has no value of a row.
_STILL_NEEDED = "2BP01"
_ENDS = (("COMMIT",), ("END",))

# The observed transaction may hold what we need, and would wait for us: no server sees that as a deadlock.
_PATIENCE = "SET lock_timeout = '5s'"


class Observer:
    """Called around every statement of one session at a time; close it, or use it in a `with`.

    A second session of the same role looks from outside: nothing is set, locked or asked in the observed session
    before the first statement of a transaction. Nobody else may change the database's structure meanwhile.
    """

    def __init__(self) -> None:
        self._in_use = InUse()
        self._watcher: psycopg.Connection | None = None
        self._session: Session | None = None
        self._inside: Inside | None = None
        self._outside: Outside | None = None
        self._is_bracketed = False
        self._effects: list[Effect] = []
        self._first = 0  # the effect that is the first of the transaction
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
        self._effects = []
        self._first = 0
        self._outside = None
        self._is_bracketed = False
        self._inside = self._look_inside(connection) if transactional else None

    def before(self, connection: psycopg.Connection, statement: Statement) -> None:
        """A statement is about to run.

        Where the session has no transaction and the statement may have one, it is given one, which after() commits:
        to the statement that is the same, and its locks are still there to be seen.
        """
        self._statement = statement
        if connection.info.transaction_status == TransactionStatus.IDLE:
            self._inside = None
            if may_be_bracketed(statement, self._outside_view(connection)):
                self._inside = self._look_inside(connection)
                connection.execute(b"BEGIN", prepare=False)
                self._is_bracketed = True
            elif manages_transactions(statement):
                self._outside = Outside(connection, self._outside_view(connection), self._in_use, statement)
                self._outside.start()
        if self._inside is not None:
            if statement.words[:1] in _ENDS and not self._is_bracketed:
                self._settle(connection, self._inside)
            self._inside.begin(statement.words)
        self._started = time.perf_counter()

    def after(self, connection: psycopg.Connection, error: psycopg.Error | None) -> Effect:
        """What it did; where it failed, what is known of it.

        Raises:
            psycopg.Error: outside a transaction, where the commit fails, as on a deferred constraint.
        """
        seconds = time.perf_counter() - self._started
        effect = self._effect(connection, seconds, error)
        self._effects.append(effect)
        if error is not None and not connection.closed:
            self._session_of(connection).forget()
        if self._is_bracketed:
            if error is None and self._inside is not None:
                self._inside.touched()
            self._is_bracketed = False
            self._inside = None
            if error is None:
                connection.execute(b"COMMIT", prepare=False)
            elif not connection.closed:
                connection.execute(b"ROLLBACK", prepare=False)
        elif self._inside is None and connection.info.transaction_status == TransactionStatus.INTRANS:
            self._inside = self._look_inside(connection)  # that was a BEGIN
            self._first = len(self._effects)
        return effect

    def end(self, connection: psycopg.Connection) -> tuple[Effect, ...]:
        """All statements have run; the transaction, if there is one, is still open. Their effects as of the end.

        What was dropped and made again is only now known to be replaced. `touched` can be read from now on.
        """
        if self._inside is None or connection.info.transaction_status != TransactionStatus.INTRANS:
            return tuple(self._effects)
        self._settle(connection, self._inside)
        self._touched = self._inside.touched()
        self._inside = None
        return tuple(self._effects)

    def _settle(self, connection: psycopg.Connection, inside: Inside) -> None:
        """The transaction is about to end: what it dropped and made again is known to be replaced."""
        if connection.info.transaction_status == TransactionStatus.INTRANS:
            self._effects[self._first :] = inside.settle(self._effects[self._first :])

    def _effect(self, connection: psycopg.Connection, seconds: float, error: psycopg.Error | None) -> Effect:
        assert self._statement is not None, "before() comes first"
        if self._outside is not None:
            outside, self._outside = self._outside, None
            effect = outside.finish(seconds, is_done=error is None)
            self._session_of(connection).note(outside.touched)
        elif self._inside is None:
            effect = Effect(seconds=seconds)
        elif error is not None or connection.info.transaction_status != TransactionStatus.INTRANS:
            effect = Effect(held=self._inside.held, seconds=seconds)
        else:
            effect = self._inside.after(self._statement.words, seconds)
        if error is not None:
            return replace(effect, error=_message(error), sqlstate=error.sqlstate or "")
        return effect

    @property
    def touched(self) -> frozenset[int] | None:
        """OIDs of the relations that the transaction which ended last locked, made or dropped; None: not known."""
        return self._touched

    def _look_inside(self, connection: psycopg.Connection) -> Inside:
        return Inside(self._session_of(connection), self._outside_view(connection), self._in_use)

    def _session_of(self, connection: psycopg.Connection) -> Session:
        if self._session is None or self._session.own.connection is not connection:
            self._session = Session(Catalogue(connection))
        return self._session

    def _outside_view(self, connection: psycopg.Connection) -> Catalogue:
        """The second session, to the database of the first."""
        watcher = self._watcher
        if watcher is None or watcher.closed or _place(watcher) != _place(connection):
            self.close()
            self._watcher = watcher = open_beside(connection)
            watcher.execute(_PATIENCE)
        return Catalogue(watcher, prepare=None)


def _place(connection: psycopg.Connection) -> tuple[str, int, str]:
    return connection.info.host, connection.info.port, connection.info.dbname


def _message(error: psycopg.Error) -> str:
    said = error.diag.message_primary or str(error).strip() or type(error).__name__
    if error.sqlstate == _STILL_NEEDED and error.diag.message_detail:
        return f"{said}: {'; '.join(error.diag.message_detail.splitlines())}"
    return said
