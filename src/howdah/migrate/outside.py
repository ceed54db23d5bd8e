"""Run a step that PostgreSQL forbids inside a transaction, with a mark around it.

The history is marked dirty, and durably so, before the first statement, and clean after the last: by the tool's own
table where that has a way to say it, and by the side history. Between them each statement is a message of its own,
and the side history counts them, so that a person who finds the mark is told what ran. Where the very first statement
fails and leaves nothing behind, the mark is taken back.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import psycopg
from psycopg.pq import TransactionStatus

from howdah.errors import Where
from howdah.findings import Finding, Severity
from howdah.migrate import side_history
from howdah.migrate.admission import Admission
from howdah.migrate.events import Noted, Result, Retrying, StatementStarted
from howdah.migrate.failure import StepFailed
from howdah.migrate.formats.interface import Phase, Query
from howdah.migrate.lock import find_lock_holders, lock_keys
from howdah.migrate.migration import Step
from howdah.migrate.pipeline import Command, CommandFailed, run_pipeline
from howdah.migrate.plan import Plan
from howdah.migrate.post_state import clear_leftovers, is_in_effect, text_to_run
from howdah.migrate.probe import Probe
from howdah.migrate.repeat import Repeatable, read_repeatable, waits_concurrently
from howdah.migrate.resume import settings_before
from howdah.migrate.script import NOT_ATOMIC, Script
from howdah.migrate.settings import RunSettings
from howdah.migrate.sql import fetch, run_queries
from howdah.migrate.watch import Watcher
from howdah.pg.features import Feature
from howdah.pg.identifiers import quote_identifier
from howdah.pg.statements import Statement

_log = logging.getLogger(__name__)

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
    watcher: Watcher
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
            self._tell_giving_way()
            raise GiveWay
        try:
            if self.script.resume_at is None:
                start = [side_history.record_start(history.table, step, self.script)]
                self._record(Phase.BEFORE, Phase.RUNNING, start)
            else:
                self._resume()
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

    def _resume(self) -> None:
        """Be the session that began it; skip the statement it was at, if that took effect."""
        self._effective = self.script.resume_at or 0
        for statement in settings_before(self.script):
            self.connection.execute(statement.text.encode())
        at = self._repeatable(self._effective) if self._effective < len(self.script.statements) else None
        skips = at is not None and is_in_effect(self.connection, at)
        self._effective += skips
        self.watcher.pass_on(Noted(_resumed(self.step, self.script, self._effective)))

    def _run_statements(self) -> None:
        """Run each unit, and record after it how far this has come."""
        many = len(self.script.statements)
        if self.probe:
            self.probe.before_step(self.connection, self.step, transactional=False)
        for unit in _units(self.script.statements):
            if unit.start < self._effective:
                continue
            self._run_unit(unit)
            self._effective = unit.stop
            progress = side_history.record_progress(self.plan.history.table, self.step, unit.stop)
            self._record(Phase.RUNNING, Phase.RUNNING, [progress])
            if self._interrupted and unit.stop < many:
                raise StepFailed(
                    psycopg.errors.QueryCanceled("stopped between two statements"),
                    unit.stop,
                    is_clean=False,
                    effective=self._effective,
                    interrupted=True,
                )
        if self.probe:
            self.probe.after_step(self.connection, self.step)

    def _run_unit(self, unit: range) -> None:
        """Run what succeeds or fails as a whole; again where others were in its way and that is harmless."""
        admission = Admission(self.step, self.watcher, self.settings, is_superuser=self._is_superuser)
        invalid_before = self._invalid_indexes()
        while True:
            self._set_limits(admission, unit)
            index = unit.start
            try:
                for index in unit:
                    self._run_statement(admission, index)
            except CommandFailed as failed:
                is_atomic = len(unit) > 1 or self._words(unit).isdisjoint(NOT_ATOMIC)
                if not is_atomic or not admission.may_try_again(failed):
                    raise self._failure(failed, unit, index, invalid_before, admission) from failed
                self.connection.rollback()
                self._drop_invalid(invalid_before)
                if self.may_give_way and self._has_waiters() and self._take_back(unit):
                    self._tell_giving_way()
                    raise GiveWay from failed
                if not admission.wait(self.connection, failed):
                    raise self._failure(failed, unit, index, invalid_before, admission) from failed
            except KeyboardInterrupt as interrupt:
                if self.connection.closed:
                    lost = psycopg.OperationalError("interrupted in the middle of a message")
                    raise StepFailed(lost, None, is_clean=False, effective=self._effective) from interrupt
                if self.connection.info.transaction_status != TransactionStatus.IDLE:
                    self.connection.rollback()
                    raise StepFailed(
                        psycopg.errors.QueryCanceled("stopped between two statements"),
                        index,
                        is_clean=self._take_back(unit),
                        effective=self._effective,
                        interrupted=True,
                    ) from interrupt
                self._interrupted = True  # the statement was done already
                return
            else:
                return

    def _run_statement(self, admission: Admission, index: int) -> None:
        """Run one statement in its own message; where there is a probe, it looks before and behind."""
        statement, number = self.script.statements[index], index + 1
        many = len(self.script.statements)
        self.watcher.pass_on(StatementStarted(self.step, number, many, statement.line, statement.text))
        text = self._prepare(index)
        send = partial(run_pipeline, self.connection, [Command(text.encode())])
        if self.probe is None:
            admission.attempt(send)
            return
        self.probe.before(self.connection, self.step, number, statement)
        try:
            admission.attempt(send)
        except CommandFailed as failed:
            self.probe.after(self.connection, self.step, number, failed.error)
            raise
        self.probe.after(self.connection, self.step, number, None)

    def _prepare(self, index: int) -> str:
        """Clear away what interrupted runs of such a statement left; the text to send."""
        text, found = self.script.statements[index].text, self._repeatable(index)
        if found is None or self.connection.info.transaction_status != TransactionStatus.IDLE:
            return text
        clear_leftovers(self.connection, found, lambda finding: self.watcher.pass_on(Noted(finding)))
        return text_to_run(self.connection, found, text)

    def _repeatable(self, index: int) -> Repeatable | None:
        return read_repeatable(self.script.statements[index])

    def _failure(
        self,
        failed: CommandFailed,
        unit: range,
        index: int,
        invalid_before: set[int],
        admission: Admission,
    ) -> StepFailed:
        """Clean up behind a failed statement as far as that is possible; what to tell of it."""
        self.connection.rollback()
        try:
            # Who pressed Ctrl-C does not want to wait for others; elsewhere patience leaves no trace.
            seconds = self.settings.stall_budget_seconds if failed.interrupted else 0
            self._set("lock_timeout", round(seconds * 1000))
            self._drop_invalid(invalid_before)
            is_clean = self._take_back(unit)
        except psycopg.Error as error:
            _log.debug("could not clean up behind a failed statement: %s", error)
            is_clean = False
        return StepFailed(
            failed.error,
            index,
            is_clean=is_clean,
            effective=self._effective,
            interrupted=failed.interrupted,
            blockers=admission.blockers if failed.error.sqlstate == "55P03" else (),
        )

    def _builds_concurrently(self) -> bool:
        return any(waits_concurrently(each) for each in self.script.statements)

    def _tell_giving_way(self) -> None:
        reason = "whoever waits for the lock in a statement goes first"
        self.watcher.pass_on(Retrying(self.step, reason, 0))

    def _has_waiters(self) -> bool:
        """Whether a session waits for our lock in a statement: its snapshot will not go away before we let go."""
        keys = lock_keys(self.plan.format, self.plan.history.table)
        return any(not each.granted for each in find_lock_holders(self.connection, keys))

    def _set_limits(self, admission: Admission, unit: range) -> None:
        # A concurrent build waits long for old transactions, and nobody for it meanwhile: the watcher sees to that.
        is_patient = waits_concurrently(self.script.statements[unit.start])
        for name, milliseconds in admission.settings:
            self._set(name, 0 if is_patient and name == "lock_timeout" else milliseconds)

    def _set(self, name: str, milliseconds: int) -> None:
        self.connection.execute(f"SET {name} = {milliseconds}".encode())

    def _words(self, unit: range) -> set[str]:
        """The first words of its first statement."""
        return set(self.script.statements[unit.start].words)

    @property
    def _is_superuser(self) -> bool:
        return self.connection.info.parameter_status("is_superuser") == "on"

    def _take_back(self, unit: range) -> bool:
        """Where nothing took effect, put the history back to where it was; False where something may have."""
        first = self.script.statements[unit.start]
        # Of a statement that an earlier run was at, nobody can say that it left nothing.
        if self.script.resume_at is not None or self._effective or not NOT_ATOMIC.isdisjoint(first.words[:1]):
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


def _resumed(step: Step, script: Script, done: int) -> Finding:
    version, many = step.migration.version, len(script.statements)
    return Finding(
        code="resumed",
        severity=Severity.INFO,
        message=f"{version} ({step.migration.name}) had stopped half-way: {done} of its {many} statements took effect,"
        " and it goes on behind them",
        where=Where(str(script.path), script.statements[min(done, many - 1)].line),
        why="The mark was ours, the file has not changed, and what is left may be run again.",
    )


def _units(statements: Sequence[Statement]) -> Iterator[range]:
    """What runs as a whole: a transaction that the file begins and commits, or else a single statement."""
    first: int | None = None
    for index, statement in enumerate(statements):
        features = statement.features
        if Feature.BEGIN in features and first is None:
            first = index
        if first is None:
            yield range(index, index + 1)
        elif Feature.COMMIT in features:
            yield range(first, index + 1)
            first = None
