"""Hand steps that are no SQL to what can run them, and see in the history that they were run.

The migration lock stays held meanwhile, except for the keys of the tool itself, which it takes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from howdah.config.database import DatabaseConfig
from howdah.config.project import ForeignSettings
from howdah.connect.patience import Patience
from howdah.errors import ForeignStep, MigrationFailed, Where
from howdah.findings import Finding, Severity
from howdah.migrate.checksums import read_content
from howdah.migrate.database import look, read_history
from howdah.migrate.events import Event, Noted, ProgramSaid, Result, Retrying, StepStarted
from howdah.migrate.failure import TRANSIENT
from howdah.migrate.lease import RunLease
from howdah.migrate.lock import without_lock
from howdah.migrate.migration import Direction, Step, count_migrations
from howdah.migrate.plan import Plan
from howdah.migrate.program import run_program
from howdah.migrate.settings import RunSettings
from howdah.migrate.side_history import record_foreign
from howdah.migrate.sql import run_queries
from howdah.migrate.standing import stand
from howdah.migrate.variables import database_variables


@dataclass
class ForeignRun:
    """One run of steps of one direction that only their tool can run. `run()` may be called once.

    Attributes:
        lease: that of the tool, held until now.
        first: how many steps of the plan come before these.
        also: versions that the tool took along beyond these steps, known once `run()` has returned.
    """

    connection: psycopg.Connection
    plan: Plan
    steps: Sequence[Step]
    database: DatabaseConfig
    command: ForeignSettings
    settings: RunSettings
    on_event: Callable[[Event], None]
    lease: RunLease | None = None
    first: int = 0
    also: set[str] = field(default_factory=set, init=False)
    _done: list[Result] = field(default_factory=list, init=False)
    _left: list[Step] = field(default_factory=list, init=False)
    _since: float = field(default=0.0, init=False)

    def run(self) -> list[Result]:
        """Run the steps, and see each of them in the history; what took effect, in order.

        Raises:
            ForeignStep: nothing here can run them.
            MigrationFailed: the tool failed, or ended well and did not record a step.
        """
        self._left = list(self.steps)
        try:
            self._run()
        except MigrationFailed as failed:
            self._complete(failed)
            raise
        return self._done

    def _run(self) -> None:
        if self.plan.format.host is None and not self._arguments:
            raise self._no_command()
        before = self._applied()
        self._tell_start()
        keys = self.plan.format.table.lock_keys(self.plan.history.table)
        with without_lock(
            self.connection,
            keys,
            lease=self.lease,
            limit_seconds=self.settings.lock_limit_seconds,
            on_wait=self.on_event,
        ):
            if self.plan.format.host is not None:
                self._run_by_host()
            else:
                self._run_by_command()
        self._look_for_more(before)

    @property
    def _arguments(self) -> tuple[str, ...]:
        return self.command.up if self.steps[0].direction is Direction.UP else self.command.down

    def _run_by_host(self) -> None:
        """In this process; again while locks are not to be had."""
        patience = Patience(self.settings.retry_limit_seconds)
        while self._left:
            try:
                self._call_host()
            except MigrationFailed as failed:
                if failed.sqlstate not in TRANSIENT or failed.is_partial or patience.is_over:
                    raise
                self.on_event(Retrying(self._left[0], failed.message, patience.waited_seconds))
                patience.pause()
                # Somebody else may have run them meanwhile.
                self._settle()

    def _call_host(self) -> None:
        host = self.plan.format.host
        assert host is not None
        todo = tuple(self._left)
        self._since = time.monotonic()
        host.run(
            todo,
            directory=self.plan.source.directory,
            database=self.database,
            connection=self.connection,
            table=self.plan.history.table,
            stall_seconds=self.settings.stall_budget_seconds,
            on_done=self._note_done,
        )
        applied = self._applied()
        lost = [step for step in todo if not _is_there(step, applied)]
        if lost:
            raise self._unrecorded(lost[0], f"{self.plan.format.name} ended well")

    def _run_by_command(self) -> None:
        """By the project's command, as often as it takes: one call may do one step, or all that there are."""
        while self._left:
            first = self._left[0]
            self._since = time.monotonic()
            try:
                ended = run_program(
                    [_filled(each, first) for each in self._arguments],
                    directory=self.command.directory or Path.cwd(),
                    environment=database_variables(os.environ, self.database),
                    on_line=lambda line, step=first: self.on_event(ProgramSaid(step, line)),  # type: ignore[misc]
                )
            finally:
                self._settle()
            said = f"`{ended.program}` {ended.told}"
            if ended.status != 0:
                raise self._failed(said, ended.last_lines)
            if first in self._left:
                raise self._unrecorded(first, said, ended.last_lines)

    def _settle(self) -> None:
        """Ask the history which steps are done by now."""
        applied = self._applied()
        for step in [each for each in self._left if _is_there(each, applied)]:
            self._note_done(step)

    def _note_done(self, step: Step) -> None:
        self._left.remove(step)
        seconds = time.monotonic() - self._since
        if self.plan.history.has_side_history:
            content = read_content(self.plan.format.files, step.file)
            record = record_foreign(self.plan.history.table, step, content, seconds=seconds)
            run_queries(self.connection, [record])
        result = Result(step, step.file, 0, seconds, transactional=False)
        self._done.append(result)
        self._since = time.monotonic()
        self.on_event(result)
        self._tell_start()

    def _tell_start(self) -> None:
        if self._left:
            number = self.plan.steps.index(self._left[0]) + 1
            self.on_event(StepStarted(self._left[0], number, len(self.plan.steps), 0))

    def _complete(self, failed: MigrationFailed) -> None:
        """Say what is applied and what is not."""
        failed.applied = tuple(result.step.migration.version for result in self._done)
        rest = self.plan.steps[self.first + len(self._done) + 1 :]
        failed.pending = tuple(step.migration.version for step in rest)
        before = self.first + len(self._done)
        told = [failed.fix or ""]
        if before:
            told.append(
                f"{count_migrations(before)} before it in this run took effect"
                f" and {'is' if before == 1 else 'are'} recorded."
            )
        if rest:
            told.append(f"{count_migrations(len(rest))} after it did not run.")
        failed.fix = " ".join(filter(None, told))

    def _applied(self) -> set[str]:
        table, known = self.plan.history.table, self.plan.format
        try:
            at = look(self.connection, known, schema=table.schema, table=table.table)
            history = read_history(self.connection, known, at)
        except psycopg.OperationalError as error:
            raise self._lost(error) from error
        return set(stand(known, self.plan.source, history).applied)

    def _look_for_more(self, before: set[str]) -> None:
        wanted = {step.migration.version for step in self.steps}
        self.also = (before ^ self._applied()) - wanted
        if self.also:
            self.on_event(Noted(_took_along(self.steps[0], self.also)))

    def _no_command(self) -> ForeignStep:
        step, way = self.steps[0], self.steps[0].direction.value
        migration, tool = step.migration, self.plan.format.name
        stopped = ForeignStep(
            f"{migration.version} ({migration.name}) is {migration.foreign}: only {tool} can run it",
            where=Where(str(step.file)),
            why="howdah runs SQL, and howdah.toml names no command for the rest. It stopped before it.",
            fix=f"Run it with {tool} and then howdah again; or write the command into howdah.toml, below"
            f' [database.NAME.foreign]: {way} = ["PROGRAM", "ARGUMENT", ...].',
            next=(f"howdah migrate {way}",),
        )
        stopped.failed = migration.version
        return stopped

    def _failed(self, said: str, lines: Sequence[str]) -> MigrationFailed:
        step = self._left[0] if self._left else self.steps[-1]
        migration = step.migration
        failed = MigrationFailed(
            f"{step.direction.doing} {migration.version} ({migration.name}) failed: {said}",
            code="foreign-step-failed",
            where=Where(str(step.file)),
            why="\n".join(("Its last lines:", *lines)) if lines else "It wrote nothing.",
            fix=f"The history says that it {'did not take' if self._left else 'took'} effect.",
        )
        failed.failed = migration.version
        return failed

    def _unrecorded(self, step: Step, said: str, lines: Sequence[str] = ()) -> MigrationFailed:
        migration, done = step.migration, step.direction.done
        table = self.plan.history.table
        failed = MigrationFailed(
            f"{said}, and {migration.version} ({migration.name}) is not recorded as {done} in {table.sql}",
            code="foreign-step-unrecorded",
            where=Where(str(step.file)),
            why="\n".join(("Its last lines:", *lines)) if lines else None,
            fix="See that it works on this database (it finds it in DATABASE_URL and PG*), on this history table,"
            " and that it does this step.",
        )
        failed.failed = migration.version
        return failed

    def _lost(self, error: psycopg.Error) -> MigrationFailed:
        step = self._left[0] if self._left else self.steps[-1]
        lost = MigrationFailed(
            f"{step.direction.doing} {step.migration.version} ({step.migration.name}): {error}",
            code="connection-lost",
            where=Where(str(step.file)),
            why="The connection was lost.",
            next=("howdah doctor", "howdah migrate status"),
        )
        lost.failed = step.migration.version
        return lost


def _is_there(step: Step, applied: set[str]) -> bool:
    """Whether the history shows the step as done."""
    return (step.migration.version in applied) == (step.direction is Direction.UP)


def _filled(argument: str, step: Step) -> str:
    return argument.replace("{version}", step.migration.version).replace("{name}", step.migration.name)


def _took_along(step: Step, also: set[str]) -> Finding:
    return Finding(
        code="foreign-step-more",
        severity=Severity.WARNING,
        message=f"the command {step.direction.done} more than it was asked to: {', '.join(sorted(also))}",
        why="It does all that there is to do, or more than one step at a time.",
        fix="Where its tool can stop at one, say so with {version} in the command.",
    )
