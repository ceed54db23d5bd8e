"""Plans: pure, so the properties hold for any files and any history."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.errors import DirtyDatabase, HistoryMismatch, SourceError
from howdah.migrate import plan as planning
from howdah.migrate import standing
from howdah.migrate.formats.golang_migrate import GOLANG_MIGRATE
from howdah.migrate.history import Applied, History, HistoryTable, Record
from howdah.migrate.migration import Direction, Migration, Source, Step
from howdah.migrate.plan import Plan
from howdah.migrate.standing import State

TABLE = HistoryTable("app", "public", "schema_migrations")
VERSIONS = st.lists(st.integers(0, 2**63 - 1), unique=True, max_size=20).map(sorted)


def source_of(versions: list[int]) -> Source:
    return Source(
        Path("migrations"),
        tuple(Migration(str(v), f"m{v}", Path(f"{v}_m.up.sql"), Path(f"{v}_m.down.sql")) for v in versions),
    )


def at(version: int | None, *, dirty: bool = False, records: tuple[Record, ...] = ()) -> History:
    rows = () if version is None else (Applied(str(version), dirty),)
    return History(TABLE, True, rows, {record.version: record for record in records})


def applied(version: int, previous: int | None) -> Record:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    before = None if previous is None else str(previous)
    return Record(str(version), "apply", before, b"", b"", 1, 1, "app", now, now, 0.1)


def plan_up(source: Source, history: History, *, to: int | None = None) -> Plan:
    return planning.plan_up(GOLANG_MIGRATE, source, history, to=None if to is None else str(to))


def plan_down(source: Source, history: History, *, to: int | None = None) -> Plan:
    return planning.plan_down(GOLANG_MIGRATE, source, history, to=None if to is None else str(to))


def states(source: Source, history: History) -> dict[int, State]:
    return {
        int(version): state for version, state in standing.states(GOLANG_MIGRATE, source, history).items()
    }


def versions_of(steps: tuple[Step, ...]) -> list[int]:
    return [int(step.migration.version) for step in steps]


@given(VERSIONS, st.data())
def test_up_runs_every_later_version_once_in_order(versions: list[int], data: st.DataObject) -> None:
    current = data.draw(st.sampled_from([None, *versions]))
    to = data.draw(st.sampled_from([None, *(v for v in versions if current is None or v >= current)]))

    plan = plan_up(source_of(versions), at(current), to=to)

    expected = [v for v in versions if (current is None or v > current) and (to is None or v <= to)]
    assert versions_of(plan.steps) == expected
    assert all(step.direction is Direction.UP and step.after == step.migration.version for step in plan.steps)
    _assert_chained(plan.steps, current)


@given(VERSIONS.filter(bool), st.data())
def test_down_goes_through_every_version_to_the_target(versions: list[int], data: st.DataObject) -> None:
    current = data.draw(st.sampled_from(versions))
    to = data.draw(st.sampled_from([0, *(v for v in versions if v <= current)]))

    plan = plan_down(source_of(versions), at(current), to=to)

    gone = [v for v in reversed(versions) if v <= current and (v > to or (to == 0 and versions[0] != 0))]
    assert versions_of(plan.steps) == gone
    _assert_chained(plan.steps, current)


@given(VERSIONS.filter(bool), st.data())
def test_bare_down_is_one_step(versions: list[int], data: st.DataObject) -> None:
    current = data.draw(st.sampled_from(versions))

    plan = plan_down(source_of(versions), at(current))

    assert versions_of(plan.steps) == [current]


@given(VERSIONS.filter(bool), st.data())
def test_up_then_down_comes_back(versions: list[int], data: st.DataObject) -> None:
    current = data.draw(st.sampled_from([None, *versions]))
    source = source_of(versions)
    up = plan_up(source, at(current))
    if not up.steps:
        return
    down = plan_down(source, at(versions_of(up.steps)[-1]), to=0 if current is None else current)
    assert versions_of(down.steps) == versions_of(up.steps)[::-1] or (versions[0] == 0 and current is None)


def _assert_chained(steps: tuple[Step, ...], current: int | None) -> None:
    position = None if current is None else str(current)
    for step in steps:
        assert step.before == position
        position = step.after


def test_a_dirty_history_is_refused_both_ways() -> None:
    for make in (plan_up, plan_down):
        with pytest.raises(DirtyDatabase) as caught:
            make(source_of([1, 2]), at(1, dirty=True))
        assert caught.value.next == ("howdah migrate resolve 1",)


def test_a_current_version_without_a_file_is_refused_where_newer_files_wait() -> None:
    with pytest.raises(HistoryMismatch, match="version 5") as caught:
        plan_up(source_of([4, 6]), at(5))

    assert caught.value.code == "missing-migration"


def test_a_database_ahead_of_the_files_is_told_and_left_alone() -> None:
    plan = plan_up(source_of([1, 2]), at(7))

    assert plan.steps == ()
    assert [note.code for note in plan.notes] == ["database-ahead"]


def test_down_needs_the_file_of_the_current_version() -> None:
    with pytest.raises(HistoryMismatch):
        plan_down(source_of([1, 2]), at(7))


def test_targets_on_the_wrong_side_name_the_other_verb() -> None:
    with pytest.raises(HistoryMismatch) as caught:
        plan_up(source_of([1, 2, 3]), at(3), to=1)
    assert caught.value.next == ("howdah migrate down --to 1",)

    with pytest.raises(HistoryMismatch) as caught:
        plan_down(source_of([1, 2, 3]), at(1), to=3)
    assert caught.value.next == ("howdah migrate up --to 3",)


@pytest.mark.parametrize("make", [plan_up, plan_down])
def test_an_unknown_target_is_refused(make: object) -> None:
    with pytest.raises(SourceError) as caught:
        make(source_of([1, 3]), at(1 if make is plan_up else 3), to=2)  # type: ignore[operator]

    assert caught.value.code == "unknown-version"


def test_a_step_without_its_half_is_refused_before_anything_runs() -> None:
    no_up = Source(Path("m"), (Migration("1", "a", None, Path("1_a.down.sql")),))
    with pytest.raises(SourceError) as caught:
        plan_up(no_up, at(None))
    assert caught.value.code == "missing-up-file"

    no_down = Source(Path("m"), (Migration("1", "a", Path("1_a.up.sql"), None),))
    assert len(plan_up(no_down, at(None)).steps) == 1
    with pytest.raises(SourceError) as caught:
        plan_down(no_down, at(1))
    assert caught.value.code == "missing-down-file"


def test_a_file_added_behind_the_history_is_out_of_order_when_our_own_steps_passed_it() -> None:
    history = at(4, records=(applied(2, 1), applied(4, 2)))

    plan = plan_up(source_of([1, 2, 3, 4]), history)

    assert plan.steps == ()
    assert [note.code for note in plan.notes] == ["out-of-order-migration"]
    assert states(source_of([1, 2, 3, 4]), history)[3] is State.OUT_OF_ORDER


def test_a_version_another_tool_may_have_applied_counts_as_applied() -> None:
    # Ours ran 2; golang-migrate took it from there to 4.
    history = at(4, records=(applied(2, 1),))

    assert states(source_of([1, 2, 3, 4]), history) == dict.fromkeys([1, 2, 3, 4], State.APPLIED)


def test_an_applied_version_whose_file_is_gone_is_missing_as_far_as_it_is_known() -> None:
    history = at(4, records=(applied(2, 1), applied(3, 2), applied(4, 3)))

    assert states(source_of([1, 3, 4]), history) == {
        1: State.APPLIED,
        2: State.MISSING,
        3: State.APPLIED,
        4: State.APPLIED,
    }
    assert 4 not in states(source_of([1, 3]), at(3, records=(applied(4, 3),)))


def test_nothing_is_applied_in_an_empty_history() -> None:
    assert states(source_of([1, 2]), at(None)) == {1: State.PENDING, 2: State.PENDING}
    assert plan_down(source_of([1, 2]), at(None)).steps == ()
