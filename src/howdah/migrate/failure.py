"""Say exactly what failed, where in the file, what is applied and what is not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import takewhile

import psycopg

from howdah.connect.failures import server_said
from howdah.errors import MigrationFailed, Where
from howdah.migrate.events import Result
from howdah.migrate.formats.interface import Keeps
from howdah.migrate.history import NOTHING, History
from howdah.migrate.holders import Holder
from howdah.migrate.lock import LockHolder
from howdah.migrate.migration import Direction, Step, count_migrations
from howdah.migrate.plan import Plan
from howdah.migrate.resume import can_resume
from howdah.migrate.script import Execution, Script
from howdah.migrate.standing import stand
from howdah.pg.statements import shorten

# Lock timeout, deadlock, serialization: nothing is wrong with the migration, and its transaction is rolled back.
TRANSIENT = frozenset({"55P03", "40P01", "40001"})
_SHOWN = 200
# Something of this name is there already: a table, another object, a schema, a function.
_IS_THERE = {"42P07", "42710", "42P06", "42723"}


class StoodBack(psycopg.errors.LockNotAvailable):
    """We stopped a try that waited for a lock, before lock_timeout did."""


class BudgetSpent(psycopg.errors.QueryCanceled):
    """We stopped a try behind whose own work, not behind a wait of it, the application had waited long enough."""


class StepFailed(Exception):
    """A step failed: at statement `index` of its body, counted from 0; before it (-1), behind it, or None where the
    connection was lost. `is_clean`: nothing of it took effect, otherwise `effective` of its statements did.
    `interrupted`: by Ctrl-C. `blockers`: who was in the way to the last.
    """

    def __init__(
        self,
        error: psycopg.Error,
        index: int | None,
        *,
        is_clean: bool = True,
        effective: int = 0,
        interrupted: bool = False,
        blockers: Sequence[Holder] = (),
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.index = index
        self.is_clean = is_clean
        self.effective = effective
        self.interrupted = interrupted
        self.blockers = tuple(blockers)


def migration_failed(
    failure: StepFailed, step: Step, script: Script, plan: Plan, done: Sequence[Result]
) -> MigrationFailed:
    """The error for people and programs."""
    migration = step.migration
    failed = MigrationFailed(
        f"{step.direction.doing} {migration.version} ({migration.name}) failed: {_said(failure, script)}",
        code=_code(failure),
        where=_where(failure, script),
        why=_why(failure, script),
        fix=_outcome(failure, step, plan, done),
        next=_next(failure, step, script, plan),
    )
    failed.sqlstate = failure.error.sqlstate
    failed.is_partial = failure.index is None or not failure.is_clean
    failed.applied = tuple(result.step.migration.version for result in done)
    failed.failed = migration.version
    failed.pending = tuple(each.migration.version for each in plan.steps[len(done) + 1 :])
    return failed


def _said(failure: StepFailed, script: Script) -> str:
    is_behind = failure.index is not None and failure.index >= len(script.statements)
    # How a format's query says that it found another version (a trigger's own error would have a context).
    if is_behind and failure.error.sqlstate == "22012" and not failure.error.diag.context:
        return "the history is not where this run left it: the migration or somebody else changed it"
    return server_said(failure.error)


def _code(failure: StepFailed) -> str | None:
    if failure.interrupted:
        return "interrupted"
    if isinstance(failure.error, BudgetSpent):
        return "stall-budget-spent"
    return "connection-lost" if failure.index is None else None


def _where(failure: StepFailed, script: Script) -> Where:
    if failure.index is None or not 0 <= failure.index < len(script.statements):
        return Where(str(script.path))
    statement = script.statements[failure.index]
    position = failure.error.diag.statement_position
    inside = statement.text[: int(position) - 1].count("\n") if position else 0
    return Where(str(script.path), statement.line + inside)


def _why(failure: StepFailed, script: Script) -> str:
    diag = failure.error.diag
    parts = []
    if failure.index is None:
        parts.append("The connection was lost.")
    elif failure.index < 0:
        parts.append("It failed before the first statement.")
    elif failure.index >= len(script.statements):
        parts.append("The statements ran; recording or committing them failed.")
    else:
        shown = shorten(script.statements[failure.index].text, limit=_SHOWN)
        parts.append(f"Statement {failure.index + 1} of {len(script.statements)}: {shown}")
    parts += [f"Detail: {diag.message_detail}"] if diag.message_detail else []
    parts += [f"Hint: {diag.message_hint}"] if diag.message_hint else []
    parts += [f"Context: {diag.context.splitlines()[0]}"] if diag.context else []
    if _was_left_behind(failure, script):
        parts.append("Perhaps a tool was killed in the middle of it: PostgreSQL finishes what it was doing.")
    if failure.blockers:
        parts.append(f"In the way was {'; '.join(map(str, failure.blockers))}.")
    if isinstance(failure.error, BudgetSpent):
        parts.append(
            "It held up the application by its own work, not by a wait: another try would do the same."
        )
    return " ".join(parts)


def _was_left_behind(failure: StepFailed, script: Script) -> bool:
    """Whether what is there already may be this very step's work: outside a transaction it outlives its client."""
    is_outside = script.execution is Execution.OUTSIDE
    return failure.error.sqlstate in _IS_THERE and is_outside and failure.is_clean


def _outcome(failure: StepFailed, step: Step, plan: Plan, done: Sequence[Result]) -> str:
    """What is applied and what is not, in sentences."""
    if failure.index is None:
        told = (
            f"{count_migrations(len(done))} before it took effect for certain"
            if done
            else "Nothing is certain"
        )
        return f"{told}; the rest must be read from the server."
    this = "Nothing of it took effect."
    if not failure.is_clean:
        this = f"It ran outside a transaction: {failure.effective} of its statements took effect; the history is dirty."
    before = "Nothing else ran."
    if done:
        verb = "is" if len(done) == 1 else "are"
        before = f"{count_migrations(len(done))} before it in this run took effect and {verb} recorded."
    left = len(plan.steps) - len(done) - 1
    after = f"{count_migrations(left)} after it did not run." if left else ""
    at = f"The database is at version {_number(step.before)}." if failure.is_clean else ""
    return " ".join(sentence for sentence in (this, before, after, at) if sentence)


def tell_outcome(
    failed: MigrationFailed, plan: Plan, history: History, holders: Sequence[LockHolder]
) -> None:
    """After a lost connection: put into the error what the server says now."""
    if holders:
        failed.fix = f"The server is still working on it, in {holders[0]}: wait until it has ended."
        return
    took = _count_done(plan, history)
    mark = ", dirty" if history.dirty else ""
    failed.applied = tuple(step.migration.version for step in plan.steps[:took])
    if history.dirty:
        # Where all of ours are done, it was somebody else's run that stopped half-way behind them.
        left = plan.steps[took].migration.version if took < len(plan.steps) else history.dirty.version
        failed.next = (f"howdah migrate resolve {left}",)
    failed.fix = (
        f"The server has been asked again: the database is at version {_number(history.version)}{mark};"
        f" {count_migrations(took)} of this run took effect, {len(plan.steps) - took} did not."
    )


def _count_done(plan: Plan, history: History) -> int:
    """How many steps, from the first on, the history says are done."""
    applied = frozenset(stand(plan.format, plan.source, history).applied)
    return sum(1 for _ in takewhile(partial(_is_done, plan, history, applied), plan.steps))


def is_done(plan: Plan, history: History, step: Step) -> bool:
    """Whether the history says that a step of the plan is done."""
    return _is_done(plan, history, frozenset(stand(plan.format, plan.source, history).applied), step)


def _is_done(plan: Plan, history: History, applied: frozenset[str], step: Step) -> bool:
    # The mark stands for a step that is not done; one number names the version that was moved to.
    is_number = plan.format.table.keeps is Keeps.NUMBER
    marked = (step.after or NOTHING) if is_number else step.migration.version
    if history.dirty and history.dirty.version == marked:
        return False
    return (step.migration.version in applied) is (step.direction is Direction.UP)


def _number(version: str | None) -> str:
    return "none" if version is None else str(version)


def _next(failure: StepFailed, step: Step, script: Script, plan: Plan) -> tuple[str, ...]:
    if failure.index is None:
        return ("howdah doctor", "howdah migrate status")
    if not failure.is_clean:
        resolve = f"howdah migrate resolve {step.migration.version}"
        is_up = step.direction is Direction.UP and plan.history.has_side_history
        # Another run goes on behind what took effect, once the cause is gone.
        goes_on = is_up and can_resume(script.statements, failure.effective)
        return ("howdah migrate up", resolve) if goes_on else (resolve,)
    again = (f"howdah migrate {step.direction.value}",)
    if isinstance(failure.error, BudgetSpent):
        return ("howdah check", *again)
    if failure.error.sqlstate in _IS_THERE and not plan.history.applied and step.direction is Direction.UP:
        # Most likely somebody set this database up without a history.
        return (f"howdah migrate baseline {plan.steps[-1].migration.version}", *again)
    if _was_left_behind(failure, script):
        return (f"howdah migrate resolve {step.migration.version} --applied", *again)
    return again
