"""Run a plan under the lock: each step with its history in one transaction, where PostgreSQL allows one."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from uuid import uuid4

import psycopg
from psycopg.pq import ExecStatus

from howdah.errors import SourceError
from howdah.migrate.admission import Admission
from howdah.migrate.events import Event, Noted, Result, StatementStarted, StepStarted
from howdah.migrate.failure import StepFailed, migration_failed
from howdah.migrate.formats.interface import Phase, Query
from howdah.migrate.migration import Step, count_migrations
from howdah.migrate.outside import OWN_ROLE, GiveWay, OutsideRun
from howdah.migrate.pipeline import Command, CommandFailed, run_pipeline
from howdah.migrate.plan import Plan
from howdah.migrate.post_state import clear_leftovers
from howdah.migrate.probe import Probe
from howdah.migrate.repeat import makes_index
from howdah.migrate.script import Execution, Script
from howdah.migrate.scripts import Scripts
from howdah.migrate.settings import RunSettings
from howdah.migrate.side_history import record_step
from howdah.migrate.sql import fetch, query
from howdah.migrate.watch import Watcher

_log = logging.getLogger(__name__)

# Commits of a run are made durable together, at least this often (docs/decisions/0004-durable-together.md).
_FLUSH_SECONDS = 0.3
# "cannot run inside a transaction block", "invalid transaction termination": only the server knows for sure.
_NO_TRANSACTION = {"25001", "2D000"}
# From how many steps on the bookkeeping is prepared: that is half of its cost.
_PREPARE_FROM = 20
# From how many statements on the server is asked to tell of each as it ends.
_LIVE_EVERY = 64
_MAKES_INDEX = {("CREATE", "INDEX"), ("CREATE", "UNIQUE")}


@dataclass
class Run:
    """One run of a plan of SQL, holding the lock already. `run()` may be called once; `done` is what took effect."""

    connection: psycopg.Connection
    plan: Plan
    scripts: Scripts
    settings: RunSettings
    watcher: Watcher
    may_give_way: bool = False
    probe: Probe | None = None
    done: list[Result] = field(default_factory=list, init=False)
    _reported: int = field(default=0, init=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False)
    _prepared: dict[str, bytes] = field(
        default_factory=dict, init=False
    )  # statement -> its name on the server
    _has_invalid: bool | None = field(default=None, init=False)  # INVALID indexes, left by whomever
    _flushed_at: float = field(default_factory=time.monotonic, init=False)

    def run(self) -> list[Result]:
        """Run the steps in order; the results, each durable before it is told of.

        Raises:
            MigrationFailed: a step failed, or the run was interrupted; says what is applied and what is not.
        """
        total = len(self.plan.steps)
        for number, step in enumerate(self.plan.steps, 1):
            script = self._take(step)
            self._tell(StepStarted(step, number, total, len(script.statements)))
            started = time.monotonic()
            is_durable = number == total or started - self._flushed_at > _FLUSH_SECONDS
            try:
                transactional = self._run_step(step, script, is_durable=is_durable)
            except StepFailed as failure:
                self.make_durable(self.connection)
                # What was not made durable before the connection was lost may be lost with it.
                done = self.done[: self._reported]
                raise migration_failed(failure, step, script, self.plan, done) from failure.error
            except GiveWay as way:
                self.make_durable(self.connection)
                way.done = self.done
                raise
            except KeyboardInterrupt:
                self.make_durable(self.connection)
                raise
            seconds = time.monotonic() - started
            self.done.append(Result(step, step.file, len(script.statements), seconds, transactional))
            if is_durable or not transactional:
                self._report(len(self.done))
        return self.done

    def _take(self, step: Step) -> Script:
        try:
            return self.scripts.take(step)
        except SourceError as error:
            self.make_durable(self.connection)
            error.fix = (
                f"{count_migrations(self._reported)} before it in this run took effect. {error.fix or ''}"
            )
            raise

    def _run_step(self, step: Step, script: Script, *, is_durable: bool) -> bool:
        """Run one step; True where one transaction held all of it."""
        if script.execution is Execution.TRANSACTION:
            self._clear_leftovers(script)
            try:
                self._run_in_transaction(step, script, is_durable=is_durable)
            except StepFailed as failure:
                # Rolled back, so nothing happened: the server has told that it must run outside.
                if failure.error.sqlstate not in _NO_TRANSACTION or not script.may_leave:
                    raise
            else:
                return True
        self.make_durable(self.connection)
        OutsideRun(
            self.connection,
            step,
            script,
            self.plan,
            self.settings,
            self.watcher,
            may_give_way=self.may_give_way,
            probe=self.probe,
        ).run()
        self._prepared.clear()  # DISCARD ALL runs outside a transaction, too
        return False

    def _clear_leftovers(self, script: Script) -> None:
        """Drop INVALID indexes by the names of those that the script makes; whether there are any is asked once."""
        made = [each for each in script.statements if each.words[:2] in _MAKES_INDEX]
        if not made or self._has_invalid is False:
            return
        if self._has_invalid is None:
            self._has_invalid = bool(fetch(self.connection, "invalid_indexes"))
        for statement in made if self._has_invalid else ():
            if index := makes_index(statement):
                clear_leftovers(self.connection, index, lambda finding: self._tell(Noted(finding)))

    def _run_in_transaction(self, step: Step, script: Script, *, is_durable: bool) -> None:
        """Body and history in one transaction and one round trip; again while others are in its way."""
        admission = Admission(step, self.watcher, self.settings, is_superuser=self._is_superuser)
        moves = self.plan.format.table.record(
            self.plan.history.table, step, script.checksum, start=Phase.BEFORE, end=Phase.AFTER
        )
        self._prepare(script, moves)
        while True:
            head = self._head(script, admission, is_durable=is_durable)
            tail = self._tail(step, script, moves, is_durable=is_durable)
            send = partial(self._send, step, script, head, tail)
            if script.statements:
                self._tell_start(step, script, 1)
            try:
                admission.attempt(send)
            except CommandFailed as failed:
                behind = failed.index - len(head) - len(script.statements)
                if behind == len(tail) - 1:
                    # The COMMIT was through: what came too late hit the RESET ALL.
                    self.connection.execute("RESET ALL")
                    if failed.interrupted:
                        raise KeyboardInterrupt from failed
                    return
                self.connection.rollback()
                if not admission.may_try_again(failed) or not self._wait(admission, failed):
                    raise StepFailed(
                        failed.error,
                        failed.index - len(head),
                        interrupted=failed.interrupted,
                        blockers=admission.blockers if failed.error.sqlstate == "55P03" else (),
                    ) from failed
            except psycopg.OperationalError as error:
                raise StepFailed(error, None) from error
            else:
                return

    def _wait(self, admission: Admission, failed: CommandFailed) -> bool:
        """Until there is a point in another try; False where there is none any more."""
        self.make_durable(self.connection)
        try:
            return admission.wait(self.connection, failed)
        except psycopg.OperationalError as error:
            raise StepFailed(error, None) from error

    def _send(self, step: Step, script: Script, head: Sequence[Command], tail: Sequence[Command]) -> None:
        """Send a step whole; where there is a probe, in parts, between which it looks."""
        if self.probe is not None:
            self._send_probed(self.probe, step, script, head, tail)
            return
        run_pipeline(
            self.connection,
            chain(head, _body(script), tail),
            on_done=self._tell_next(step, script, len(head)),
        )

    def _send_probed(
        self, probe: Probe, step: Step, script: Script, head: Sequence[Command], tail: Sequence[Command]
    ) -> None:
        tell = self._tell_next(step, script, len(head))
        run_pipeline(self.connection, head)
        probe.before_step(self.connection, step, transactional=True)
        body = zip(script.statements, _body(script), strict=True)
        for number, (statement, command) in enumerate(body, 1):
            index = len(head) + number - 1
            probe.before(self.connection, step, number, statement)
            try:
                run_pipeline(self.connection, [command])
            except CommandFailed as failed:
                probe.after(self.connection, step, number, failed.error)
                raise CommandFailed(index, failed.error, interrupted=failed.interrupted) from failed
            probe.after(self.connection, step, number, None)
            tell(index)
        probe.after_step(self.connection, step)
        try:
            run_pipeline(self.connection, tail)
        except CommandFailed as failed:
            index = len(head) + len(script.statements) + failed.index
            raise CommandFailed(index, failed.error, interrupted=failed.interrupted) from failed

    def _head(self, script: Script, admission: Admission, *, is_durable: bool) -> list[Command]:
        # Utility statements: a SELECT would take a snapshot, after which the body could not SET TRANSACTION.
        head = [
            script.begin.encode(),
            *(f"SET LOCAL {name} = {value}".encode() for name, value in admission.settings),
        ]
        if not is_durable:
            head.append(b"SET LOCAL synchronous_commit = off")
        # Who may only add rows may not lock: the queries of the history still see what others did before them.
        if self.plan.format.table.fence and self.plan.history.may_fence:
            head.append(f"LOCK TABLE {self.plan.history.table.sql} IN SHARE ROW EXCLUSIVE MODE".encode())
        return [Command(each) for each in head]

    def _tail(self, step: Step, script: Script, moves: Sequence[Query], *, is_durable: bool) -> list[Command]:
        """What follows the body: the history, COMMIT and, as the very last, RESET ALL."""
        tail: list[Command] = []
        if script.changes_role:
            # The history belongs to the role that runs migrations, not to the one that this body worked as.
            tail += (Command(each) for each in OWN_ROLE)
        tail += map(self._as_command, moves)
        if self.plan.history.has_side_history:
            tail.append(self._as_command(record_step(self.plan.history.table, step, script)))
        if is_durable:
            tail.append(Command(query("durably").encode()))
        # What a body SET must not leak into the next one, as it does in golang-migrate.
        return [*tail, Command(b"COMMIT"), Command(b"RESET ALL")]

    @property
    def _is_superuser(self) -> bool:
        return self.connection.info.parameter_status("is_superuser") == "on"

    def _tell(self, event: Event) -> None:
        self.watcher.pass_on(event)

    def _prepare(self, script: Script, moves: Sequence[Query]) -> None:
        """Have the bookkeeping planned by the server: the same few statements for every step of a long run."""
        if len(self.plan.steps) < _PREPARE_FROM or script.forgets_prepared:
            self._prepared.clear()
            return
        side = [query("add_record")] if self.plan.history.has_side_history else []
        for text in [*(move.sql for move in moves), *side]:
            if text not in self._prepared:
                name = f"howdah_{uuid4().hex}".encode()
                if self.connection.pgconn.prepare(name, text.encode()).status == ExecStatus.COMMAND_OK:
                    self._prepared[text] = name

    def _as_command(self, query: Query) -> Command:
        """A query as bytes on the wire, by its name where it has been prepared."""
        name = self._prepared.get(query.sql)
        parameters = tuple(None if value is None else value.encode() for value in query.parameters)
        return Command(name or query.sql.encode(), parameters, is_prepared=name is not None)

    def _tell_next(self, step: Step, script: Script, first: int) -> Callable[[int], None]:
        many = len(script.statements)

        def tell(index: int) -> None:
            number = index - first + 2  # what ended is command `index`; what begins is the statement after it
            if 1 < number <= many:
                self._tell_start(step, script, number)

        return tell

    def _tell_start(self, step: Step, script: Script, number: int) -> None:
        statement = script.statements[number - 1]
        self._tell(StatementStarted(step, number, len(script.statements), statement.line, statement.text))

    def make_durable(self, connection: psycopg.Connection) -> None:
        """Bring the commits so far to the server's disk, by any session of the server, and tell of them.

        On a lost connection nothing is certain, and nothing is told.
        """
        count = len(self.done)
        if self._reported == count or connection.closed:
            return
        try:
            connection.execute(query("flush"))
        except psycopg.OperationalError as error:
            _log.debug("could not make %s steps durable: %s", count - self._reported, error)
        else:
            self._report(count)

    def _report(self, count: int) -> None:
        """Tell of the first `count` results, each once, whichever thread comes first."""
        with self._turn:
            self._flushed_at = time.monotonic()
            for result in self.done[self._reported : count]:
                self._tell(result)
            self._reported = max(count, self._reported)


def _body(script: Script) -> Iterator[Command]:
    many = len(script.statements)
    for number, statement in enumerate(script.statements, 1):
        live = many > 1 and (many <= _LIVE_EVERY or number % _LIVE_EVERY == 0)
        yield Command(statement.text.encode(), live=live, starts=number == many)
