"""What is told after a lost connection, from what the server says then."""

from __future__ import annotations

from pathlib import Path

import pytest

from howdah.errors import MigrationFailed
from howdah.migrate.failure import tell_outcome
from howdah.migrate.formats import find_format
from howdah.migrate.history import Applied, History, HistoryTable
from howdah.migrate.migration import Migration, Source
from howdah.migrate.plan import Plan, plan_down, plan_up

TABLE = HistoryTable("app", "public", "history")
GOLANG_MIGRATE, GOOSE = find_format("golang-migrate"), find_format("goose")
SOURCE = Source(Path("m"), tuple(Migration(str(n), f"m{n}", Path(f"{n}"), Path(f"{n}")) for n in range(1, 5)))


def history(*rows: Applied) -> History:
    return History(TABLE, exists=True, applied=rows)


def told(plan: Plan, now: History) -> MigrationFailed:
    failed = MigrationFailed("lost")
    tell_outcome(failed, plan, now, [])
    return failed


@pytest.mark.parametrize(
    ("now", "applied", "resolve"),
    [
        (history(), (), None),
        (history(Applied("2")), ("1", "2"), None),
        (history(Applied("3", is_dirty=True)), ("1", "2"), "3"),
        (history(Applied("4")), ("1", "2", "3", "4"), None),
        # All of ours are done, and another run stopped half-way behind them.
        (history(Applied("5", is_dirty=True)), ("1", "2", "3", "4"), "5"),
    ],
)
def test_of_one_number_it_is_told_how_far_a_run_came(
    now: History, applied: tuple[str, ...], resolve: str | None
) -> None:
    failed = told(plan_up(GOLANG_MIGRATE, SOURCE, history()), now)

    assert failed.applied == applied
    assert failed.next == ((f"howdah migrate resolve {resolve}",) if resolve else ())


def test_of_rows_it_is_told_how_far_a_run_back_came() -> None:
    rows = [Applied(str(n)) for n in range(1, 5)]
    plan = plan_down(GOOSE, SOURCE, history(*rows), to="0")

    assert told(plan, history(*rows[:2])).applied == ("4", "3")
    assert told(plan, history()).applied == ("4", "3", "2", "1")
    failed = told(plan, history(rows[0], Applied("2", is_dirty=True)))
    assert (failed.applied, failed.next) == (("4", "3"), ("howdah migrate resolve 2",))
