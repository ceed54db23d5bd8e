"""find_doubts: which versions nothing proves."""

from __future__ import annotations

from datetime import UTC, datetime

from howdah.migrate.history import Applied, History, HistoryTable, Record
from howdah.migrate.migration import Migration
from howdah.rehearse.proof import StepSeen, find_doubts, proved_by_history
from howdah.schema.compare import Difference

TABLE = HistoryTable("app", "public", "schema_migrations")


def step(version: str, *made: tuple[str, str], is_empty: bool = False) -> StepSeen:
    return StepSeen(Migration(version, f"m{version}"), frozenset(made), is_empty)


def lacking(kind: str, name: str) -> Difference:
    return Difference(kind, name, "", None)


def doubted(*steps: StepSeen, drift: tuple[Difference, ...] = (), proved: tuple[str, ...] = ()) -> list[str]:
    return [each.migration.version for each in find_doubts(steps, drift, proved=proved)]


def test_what_is_there_is_proved() -> None:
    assert doubted(step("1", ("table", "public.a"))) == []


def test_what_changes_no_structure_is_not_proved_by_it() -> None:
    assert doubted(step("1")) == ["1"]
    assert doubted(step("1"), proved=("1",)) == []
    assert doubted(step("1", is_empty=True)) == []


def test_what_is_lacking_casts_doubt_unless_something_else_is_there() -> None:
    drift = (lacking("table", "public.a"),)
    assert doubted(step("1", ("table", "public.a")), drift=drift) == ["1"]
    assert doubted(step("1", ("table", "public.a"), ("table", "public.b")), drift=drift) == []


def test_a_doubt_says_what_is_lacking() -> None:
    doubts = find_doubts([step("1", ("table", "public.a"))], [lacking("table", "public.a")], proved=())
    assert str(doubts[0]) == "1 (m1): the database lacks what it makes: - table public.a"


def record(version: str, action: str, *, is_finished: bool = True) -> Record:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    return Record(version, action, None, None, None, 1, 1, "me", now, now if is_finished else None, 0.0)


def test_the_side_history_proves_what_howdah_or_a_person_applied_and_the_number_the_newest() -> None:
    records = (
        record("1", "apply"),
        record("2", "baseline"),
        record("3", "resolve-applied"),
        record("4", "apply", is_finished=False),
        record("5", "revert"),
    )
    history = History(TABLE, True, (Applied("9"),), {each.version: each for each in records}, True)
    assert proved_by_history(history) == {"1", "3", "9"}
