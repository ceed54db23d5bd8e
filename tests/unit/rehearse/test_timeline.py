"""What a step did to a table: for how long it was locked, who waited, and which statement they waited for."""

from __future__ import annotations

from howdah.migrate.migration import Direction, Migration, Step
from howdah.observe.canaries import Stall
from howdah.observe.effect import Effect, Lock
from howdah.pg.locks import LockMode
from howdah.rehearse.measured import LiveTable
from howdah.rehearse.observed import ObservedStatement, ObservedStep
from howdah.rehearse.timeline import StatementTime, StepTime, tables_of

STEP = Step(Migration("1", "first"), Direction.UP, None, "1")
ORGS = Lock("public.orgs", LockMode.ACCESS_EXCLUSIVE, since=1)
USERS = Lock("public.users", LockMode.SHARE, since=2)


def tables(
    *effects: Effect, transactional: bool = True, stalls: tuple[Stall, ...] = ()
) -> dict[str, LiveTable]:
    """Statements at 10, 11, 12, ... seconds; the step ends a second after the last."""
    began = [StatementTime(number, number * 5, 9.0 + number) for number in range(1, len(effects) + 1)]
    times = StepTime(STEP, 9.5, 10.0 + len(effects), tuple(began))
    statements = tuple(
        ObservedStatement(each, each * 5, "", effect) for each, effect in enumerate(effects, 1)
    )
    observed = ObservedStep(STEP, transactional, statements, None, 1.0)
    found = tables_of(times, observed, stalls, watched=frozenset({"public.orgs", "public.users"}))
    return {each.relation: each for each in found}


def test_a_lock_is_held_to_the_end_of_its_transaction() -> None:
    found = tables(Effect(taken=(ORGS,), held=(ORGS,)), Effect(taken=(USERS,), held=(ORGS, USERS)))
    assert (found["public.orgs"].held_seconds, found["public.users"].held_seconds) == (2.0, 1.0)


def test_outside_a_transaction_it_is_held_for_its_statement() -> None:
    found = tables(Effect(taken=(ORGS,), held=(ORGS,)), Effect(taken=(USERS,)), transactional=False)
    assert (found["public.orgs"].held_seconds, found["public.users"].held_seconds) == (1.0, 1.0)


def test_a_lock_that_shuts_nobody_out_is_not_held_against_anybody() -> None:
    lock = Lock("public.users", LockMode.SHARE_UPDATE_EXCLUSIVE)
    assert tables(Effect(taken=(lock,), held=(lock,)))["public.users"].held_seconds == 0.0


def test_a_stall_is_put_down_to_the_statement_that_ran_for_most_of_it() -> None:
    stalls = (
        Stall("public.orgs", is_writer=False, began=10.1, ended=12.0),
        Stall("public.orgs", is_writer=True, began=10.9, ended=12.0),
        Stall("public.users", is_writer=True, began=11.5, ended=12.0),
    )
    effects = (Effect(taken=(ORGS,), held=(ORGS,)), Effect(taken=(USERS,), held=(ORGS, USERS)))
    found = tables(*effects, stalls=stalls)
    orgs = found["public.orgs"]
    assert (round(orgs.reader_seconds or 0, 3), round(orgs.writer_seconds or 0, 3)) == (1.9, 1.1)
    assert (orgs.statement, orgs.line) == (2, 10)
    assert (found["public.users"].reader_seconds, found["public.users"].writer_seconds) == (0.0, 0.5)
    assert list(found) == ["public.orgs", "public.users"]


def test_a_stall_of_another_step_is_not_counted() -> None:
    stalls = (Stall("public.orgs", is_writer=False, began=2.0, ended=9.9),)
    found = tables(Effect(taken=(ORGS,), held=(ORGS,)), stalls=stalls)
    assert found["public.orgs"].reader_seconds == 0.0


def test_a_table_without_canaries_is_not_said_to_be_free_of_stalls() -> None:
    lock = Lock("public.other", LockMode.ACCESS_EXCLUSIVE)
    assert tables(Effect(taken=(lock,), held=(lock,)))["public.other"].reader_seconds is None
