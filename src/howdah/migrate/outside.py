"""Run a step that PostgreSQL forbids inside a transaction, with a mark around it.

The history is marked dirty, and durably so, before the first statement, and clean after the last: by the tool's own
table where that has a way to say it, and by the side history. Between them each statement is a message of its own,
and the side history counts them, so that a person who finds the mark is told what ran. Where the very first statement
fails and leaves nothing behind, the mark is taken back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from psycopg.pq import TransactionStatus

from howdah.connect.patience import Patience
from howdah.migrate import side_history
from howdah.migrate.events import Event, Result, Retrying, StatementStarted
from howdah.migrate.failure import StepFailed
from howdah.migrate.formats.interface import Phase, Query
from howdah.migrate.lock import find_lock_holders, lock_keys
from howdah.migrate.migration import Step
from howdah.migrate.pipeline import Command, CommandFailed, run_pipeline
from howdah.migrate.plan import Plan
from howdah.migrate.probe import Probe
from howdah.migrate.script import NOT_ATOMIC, Script
from howdah.migrate.settings import RunSettings
from howdah.migrate.sql import fetch, run_queries
from howdah.pg.identifiers import quote_identifier
from howdah.pg.statements import Statement

_log = logging.getLogger(__name__)

_TRY_AGAIN = {"55P03", "40P01"}
OWN_ROLE = (b"RESET SESSION AUTHORIZATION", b"RESET ROLE")


class GiveWay(Exception):
    """Somebody waits for our lock inside a statement, as golang-migrate does, and thereby holds up this build.

    The step left nothing behind; let go of the lock, and they do it, or we do it after them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.done: list[Result] = []  # steps of this run before it


@dataclass
class OutsideRun:
    """One step outside a transaction. `run()` may be called once.

    Attributes:
        may_give_way: raise GiveWay where a waiter for our lock holds a concurrent build up.
    """

    connection: psycopg.Connection
    step: Step
    script: Script
    plan: Plan
    settings: RunSettings
    on_event: Callable[[Event], None]
    may_give_way: bool = False
    probe: Probe | None = None
    _effective: int = field(default=0, init=False)  # statements that are committed
    _interrupted: bool = field(default=False, init=False)

    def run(self) -> None:
        """Mark dirty, run each statement, mark clean.

        Raises:
            StepFailed: with `is_clean` where nothing took effect and the history is as it was.
            GiveWay: nothing took effect and the history is as it was.
        """
        history, step = self.plan.history, self.step
        if self.may_give_way and self._builds_concurrently() and self._has_waiters():
            # PostgreSQL may as well end their waiting as the deadlock that is coming.
            self.on_event(Retrying(step, "whoever waits for the lock in a statement goes first", 0))
            raise GiveWay
        try:
            self._record(
                Phase.BEFORE, Phase.RUNNING, [side_history.record_start(history.table, step, self.script)]
            )
            self._run_statements()
            self._record(Phase.RUNNING, Phase.AFTER, [side_history.record_end(history.table, step)])
            if self._interrupted:
                raise KeyboardInterrupt
        except psycopg.Error as error:
            index = None if self.connection.closed else len(self.script.statements)
            raise StepFailed(error, index, is_clean=False, effective=self._effective) from error
        finally:
            if not self.connection.closed:
                self._restore_session()

    def _run_statements(self) -> None:
        """Run each statement, and record after it how far this has come."""
        many = len(self.script.statements)
        if self.probe:
            self.probe.before_step(self.connection, self.step, transactional=False)
        for number, statement in enumerate(self.script.statements, 1):
            self.on_event(StatementStarted(self.step, number, many, statement.line, statement.text))
            self._run_watched(statement, number)
            if self.connection.info.transaction_status == TransactionStatus.IDLE:
                self._effective = number
                progress = side_history.record_progress(self.plan.history.table, self.step, number)
                self._record(Phase.RUNNING, Phase.RUNNING, [progress])
            if self._interrupted and number < many:
                raise StepFailed(
                    psycopg.errors.QueryCanceled("stopped between two statements"),
                    number,
                    is_clean=False,
                    effective=self._effective,
                    interrupted=True,
                )

        if self.probe:
            self.probe.after_step(self.connection, self.step)

    def _run_watched(self, statement: Statement, number: int) -> None:
        """Run one statement; where there is a probe, it looks before and behind."""
        if self.probe is None:
            self._run_statement(statement, number - 1)
            return
        self.probe.before(self.connection, self.step, number, statement)
        try:
            self._run_statement(statement, number - 1)
        except StepFailed as failure:
            if not self.connection.closed:
                self.probe.after(self.connection, self.step, number, failure.error)
            raise
        self.probe.after(self.connection, self.step, number, None)

    def _run_statement(self, statement: Statement, index: int) -> None:
        """Run one statement in its own message; again where a lock or a deadlock stopped it and that is harmless."""
        patience = Patience(self.settings.retry_limit_seconds)
        invalid_before = self._invalid_indexes()
        while True:
            self._set_lock_timeout(statement)
            try:
                run_pipeline(self.connection, [Command(statement.text.encode())])
            except CommandFailed as failed:
                error = failed.error
                may_try_again = error.sqlstate in _TRY_AGAIN and "CONCURRENTLY" in statement.words
                if failed.interrupted or not may_try_again or patience.is_over:
                    raise self._failure(failed, statement, index, invalid_before) from error
                self.connection.rollback()
                self._drop_invalid(invalid_before)
                self.on_event(Retrying(self.step, error.diag.message_primary or "", patience.waited_seconds))
                if self.may_give_way and self._has_waiters() and self._take_back(statement):
                    raise GiveWay from error
                patience.pause()
            except KeyboardInterrupt as interrupt:
                if self.connection.closed:
                    lost = psycopg.OperationalError("interrupted in the middle of a message")
                    raise StepFailed(lost, None, is_clean=False, effective=self._effective) from interrupt
                self._interrupted = True  # the statement was done already
                return
            else:
                return

    def _failure(
        self, failed: CommandFailed, statement: Statement, index: int, invalid_before: set[int]
    ) -> StepFailed:
        """Clean up behind a failed statement as far as that is possible; what to tell of it."""
        self.connection.rollback()
        try:
            # Who pressed Ctrl-C does not want to wait for others; elsewhere patience leaves no trace.
            milliseconds = int(self.settings.stall_seconds * 1000) if failed.interrupted else 0
            self.connection.execute("SELECT set_config('lock_timeout', %s, false)", [str(milliseconds)])
            self._drop_invalid(invalid_before)
            is_clean = self._take_back(statement)
        except psycopg.Error as error:
            _log.debug("could not clean up behind a failed statement: %s", error)
            is_clean = False
        return StepFailed(
            failed.error,
            index,
            is_clean=is_clean,
            effective=self._effective,
            interrupted=failed.interrupted,
        )

    def _builds_concurrently(self) -> bool:
        return any("CONCURRENTLY" in each.words for each in self.script.statements)

    def _has_waiters(self) -> bool:
        """Whether a session waits for our lock in a statement: its snapshot will not go away before we let go."""
        keys = lock_keys(self.plan.format, self.plan.history.table)
        return any(not each.granted for each in find_lock_holders(self.connection, keys))

    def _set_lock_timeout(self, statement: Statement) -> None:
        # A concurrent build waits long for old transactions, and nobody waits for it meanwhile.
        patient = (
            "CONCURRENTLY" in statement.words
            or self.connection.info.transaction_status != TransactionStatus.IDLE
        )
        milliseconds = 0 if patient else int(self.settings.stall_seconds * 1000)
        self.connection.execute("SELECT set_config('lock_timeout', %s, false)", [str(milliseconds)])

    def _take_back(self, statement: Statement) -> bool:
        """Where nothing took effect, put the history back to where it was; False where something may have."""
        if self._effective or not NOT_ATOMIC.isdisjoint(statement.words[:1]):
            return False
        step, history = self.step, self.plan.history
        self._record(Phase.RUNNING, Phase.BEFORE, [side_history.drop_start(history.table, step)])
        return True

    def _record(self, start: Phase, end: Phase, extra: list[Query]) -> None:
        """Move the history, and write the side history if there is one, in one durable transaction."""
        table = self.plan.format.table
        moves = (
            []
            if start is end
            else table.record(self.plan.history.table, self.step, self.script.checksum, start=start, end=end)
        )
        queries = [*moves, *(extra if self.plan.history.has_side_history else [])]
        with self._as_own_role():
            run_queries(self.connection, queries)

    @contextmanager
    def _as_own_role(self) -> Iterator[None]:
        """The history belongs to the role that runs migrations; the body goes on as the one that it has taken."""
        if not self.script.changes_role:
            yield
            return
        (taken,) = fetch(self.connection, "roles")
        for text in OWN_ROLE:
            self.connection.execute(text)
        yield
        (own,) = fetch(self.connection, "roles")
        if taken["session_user"] != own["session_user"]:
            name = quote_identifier(taken["session_user"])
            self.connection.execute(f"SET SESSION AUTHORIZATION {name}".encode())
        if taken["role"] != own["role"]:
            self.connection.execute("SELECT set_config('role', %s, false)", [taken["role"]])

    def _invalid_indexes(self) -> set[int]:
        return {row["oid"] for row in fetch(self.connection, "invalid_indexes")}

    def _drop_invalid(self, known: set[int]) -> None:
        """Drop what a failed concurrent build left: `IF NOT EXISTS` would take it for the index."""
        for row in fetch(self.connection, "invalid_indexes"):
            if row["oid"] not in known and not row["being_built"]:
                self.connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {row['name']}".encode())

    def _restore_session(self) -> None:
        self.connection.rollback()
        for text in (b"RESET ALL", *OWN_ROLE):
            self.connection.execute(text)
