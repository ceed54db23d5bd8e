"""Plans for histories that keep a row for each version: any files, any rows, any policy."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.errors import DirtyDatabase, HistoryMismatch
from howdah.migrate.formats import find_format
from howdah.migrate.formats.interface import OutOfOrder
from howdah.migrate.history import Applied, History, HistoryTable
from howdah.migrate.migration import Direction, Migration, Source
from howdah.migrate.plan import plan_down, plan_up
from howdah.migrate.standing import State, stand, states

GOOSE, SQLX = find_format("goose"), find_format("sqlx")
TABLE = HistoryTable("app", "public", "goose_db_version")
NUMBERS = st.lists(st.integers(1, 40), unique=True, max_size=12)


def source_of(numbers: list[int]) -> Source:
    paths = {number: Path(f"{number}_m.sql") for number in sorted(numbers)}
    return Source(Path("m"), tuple(Migration(str(n), f"m{n}", path, path) for n, path in paths.items()))


def history_of(numbers: list[int], *, dirty: int | None = None) -> History:
    rows = [Applied(str(number), is_dirty=number == dirty) for number in numbers]
    return History(TABLE, exists=True, applied=tuple(rows))


@given(NUMBERS, NUMBERS)
def test_every_file_and_every_row_is_counted_once(files: list[int], rows: list[int]) -> None:
    standing = stand(GOOSE, source_of(files), history_of(rows))

    todo = [int(each.version) for each in (*standing.pending, *standing.out_of_order)]
    assert sorted(todo) == sorted(set(files) - set(rows))
    assert list(map(int, standing.applied)) == rows
    assert {*map(int, standing.missing), *map(int, standing.ahead)} == set(rows) - set(files)
    newest = max(rows, default=0)
    assert all(int(each.version) > newest for each in standing.pending)
    assert all(int(each.version) < newest for each in standing.out_of_order)
    assert all(int(version) > max(files, default=0) for version in standing.ahead)
    assert set(states(GOOSE, source_of(files), history_of(rows))) == set(map(str, {*files, *rows}))


@given(NUMBERS, NUMBERS, st.sampled_from(OutOfOrder))
def test_up_follows_the_policy_and_then_nothing_is_left_but_what_it_leaves_out(
    files: list[int], rows: list[int], policy: OutOfOrder
) -> None:
    source, history = source_of(files), history_of(rows)
    late = sorted(number for number in set(files) - set(rows) if number < max(rows, default=0))
    if policy is OutOfOrder.REFUSE and late:
        with pytest.raises(HistoryMismatch) as caught:
            plan_up(GOOSE, source, history, out_of_order=policy)
        assert all(str(number) in caught.value.message for number in late)
        return

    plan = plan_up(GOOSE, source, history, out_of_order=policy)

    ran = [int(step.migration.version) for step in plan.steps]
    left = late if policy is OutOfOrder.SKIP else []
    assert ran == sorted(set(files) - set(rows) - set(left))
    assert sum(note.code == "out-of-order-migration" for note in plan.notes) == len(late)
    again = plan_up(GOOSE, source, history_of([*rows, *ran]), out_of_order=OutOfOrder.SKIP)
    assert again.steps == ()
    assert [
        int(each.version) for each in stand(GOOSE, source, history_of([*rows, *ran])).out_of_order
    ] == left


@given(NUMBERS.filter(bool), st.data())
def test_down_goes_back_in_the_order_in_which_they_were_applied(
    files: list[int], data: st.DataObject
) -> None:
    rows = data.draw(st.permutations(files))
    source, history = source_of(files), history_of(rows)

    (step,) = plan_down(GOOSE, source, history).steps
    assert (int(step.migration.version), step.direction) == (rows[-1], Direction.DOWN)

    everything = plan_down(GOOSE, source, history, to="0").steps
    assert [int(each.migration.version) for each in everything] == rows[::-1]
    assert everything[-1].after is None

    to = data.draw(st.sampled_from(rows))
    gone = [int(each.migration.version) for each in plan_down(GOOSE, source, history, to=str(to)).steps]
    assert gone == [number for number in rows[::-1] if number > to]


@given(NUMBERS.filter(bool), st.data())
def test_a_dirty_row_stops_both_ways(rows: list[int], data: st.DataObject) -> None:
    dirty = data.draw(st.sampled_from(rows))
    for make in (plan_up, plan_down):
        with pytest.raises(DirtyDatabase) as caught:
            make(GOOSE, source_of(rows), history_of(rows, dirty=dirty))
        assert caught.value.next == (f"howdah migrate resolve {dirty}",)
    assert states(GOOSE, source_of(rows), history_of(rows, dirty=dirty))[str(dirty)] is State.DIRTY


def test_a_missing_file_stops_only_where_it_stops_the_tool() -> None:
    files, rows = source_of([1, 3, 4]), history_of([1, 2, 3])

    plan = plan_up(GOOSE, files, rows)
    assert [step.migration.version for step in plan.steps] == ["4"]
    assert [note.code for note in plan.notes] == ["missing-migration"]

    with pytest.raises(HistoryMismatch, match="migration 2") as caught:
        plan_up(SQLX, files, rows)
    assert caught.value.code == "missing-migration"


def test_a_database_ahead_of_the_code_is_told_and_stops_no_rollback_deploy() -> None:
    for each in (GOOSE, SQLX):
        plan = plan_up(each, source_of([1, 2]), history_of([1, 2, 3]))

        assert plan.steps == ()
        assert [note.code for note in plan.notes] == ["database-ahead"]


def test_a_baseline_row_covers_what_is_lower() -> None:
    history = History(TABLE, exists=True, applied=(Applied("3", covers_lower=True),))

    standing = stand(GOOSE, source_of([1, 2, 3, 4]), history)

    assert set(standing.applied) == {"1", "2", "3"}
    assert [each.version for each in standing.pending] == ["4"]
