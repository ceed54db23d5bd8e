"""Sizes weigh what was observed: tiny tables block for a moment, absent ones are not in use, big ones for long."""

from __future__ import annotations

import pytest

from howdah.observe.amounts import Range, say_bytes, say_count, say_seconds
from howdah.observe.effect import Change, ChangeKind, Effect, Lock, Work, WorkKind
from howdah.observe.estimate import follow, weigh, work_seconds
from howdah.observe.sizes import Stats, TableSize
from howdah.observe.verdict import Verdict, judge
from howdah.pg.locks import LockMode

MB = 1024 * 1024
USERS = TableSize(
    "public.users",
    rows=1_000_000,
    heap_bytes=150 * MB,
    index_bytes=30 * MB,
    reads=10_000_000,
    writes=1_000_000,
)
ORGS = TableSize("public.orgs", rows=100, heap_bytes=8192, index_bytes=16384)


def stats(*tables: TableSize, counted: float | None = 100_000.0) -> Stats:
    return Stats("17.2", 17, "2026-11-20T02:00:00Z", counted_seconds=counted, tables=tables)


def does(
    kind: WorkKind, relation: str = "public.users", mode: LockMode = LockMode.ACCESS_EXCLUSIVE
) -> Effect:
    lock = Lock(relation, mode)
    return Effect(taken=(lock,), held=(lock,), work=(Work(kind, relation),))


def weighed(effect: Effect, known: Stats) -> tuple[Verdict, Range | None]:
    found = weigh(effect, judge(effect), known)
    return found.verdict, found.seconds


def test_a_rewrite_of_a_large_table_stays_unsafe_and_has_a_range() -> None:
    found = weigh(does(WorkKind.REWRITE), Verdict.UNSAFE, stats(USERS))
    assert found.verdict is Verdict.UNSAFE
    assert found.seconds is not None
    assert found.seconds.low < 3 < found.seconds.high
    assert found.wal_bytes > USERS.bytes
    assert found.disk_bytes == USERS.bytes
    assert "public.users has about 1,000,000 rows and 180 MB in production." in found.why


def test_a_rewrite_of_a_tiny_table_is_brief() -> None:
    assert weighed(does(WorkKind.REWRITE, "public.orgs"), stats(ORGS))[0] is Verdict.BRIEF


def test_a_scan_of_a_tiny_table_that_nobody_waits_for_is_safe() -> None:
    effect = does(WorkKind.SCAN, "public.orgs", LockMode.SHARE_UPDATE_EXCLUSIVE)
    assert judge(effect) is Verdict.LONG
    assert weighed(effect, stats(ORGS))[0] is Verdict.SAFE


def test_a_tiny_table_locked_by_an_earlier_statement_is_brief() -> None:
    held = (Lock("public.orgs", LockMode.ACCESS_EXCLUSIVE, since=1),)
    effect = Effect(held=held, work=(Work(WorkKind.SCAN, "public.orgs"),))
    assert weighed(effect, stats(ORGS))[0] is Verdict.BRIEF


def test_a_large_table_makes_it_unsafe_that_a_tiny_one_is_locked_meanwhile() -> None:
    held = (Lock("public.orgs", LockMode.ACCESS_EXCLUSIVE), Lock("public.users", LockMode.SHARE))
    effect = Effect(held=held, work=(Work(WorkKind.INDEX_BUILD, "public.users", "users_x"),))
    assert weighed(effect, stats(ORGS, USERS))[0] is Verdict.UNSAFE


def test_what_is_not_there_yet_is_not_in_use() -> None:
    found = weigh(does(WorkKind.REWRITE), Verdict.UNSAFE, stats(ORGS))
    assert (found.verdict, found.seconds) == (Verdict.SAFE, None)
    assert found.why == "public.users is not in production yet: nothing uses it."


def test_a_dropped_column_of_a_tiny_table_is_destructive_still() -> None:
    drop = Change(ChangeKind.DROPPED, "column", "public.orgs.name", holds_data=True)
    lock = Lock("public.orgs", LockMode.ACCESS_EXCLUSIVE)
    effect = Effect(
        taken=(lock,), held=(lock,), work=(Work(WorkKind.REWRITE, "public.orgs"),), changes=(drop,)
    )
    assert judge(effect) is Verdict.UNSAFE
    assert weighed(effect, stats(ORGS))[0] is Verdict.DESTRUCTIVE


def test_a_column_of_a_table_that_is_not_there_yet_may_be_dropped() -> None:
    effect = Effect(changes=(Change(ChangeKind.DROPPED, "column", "public.new.name", holds_data=True),))
    assert weighed(effect, stats(ORGS))[0] is Verdict.SAFE


def test_a_verdict_of_somebody_else_stays() -> None:
    found = weigh(does(WorkKind.REWRITE, "public.orgs"), Verdict.FAILS, stats(ORGS))
    assert found.verdict is Verdict.FAILS


def test_the_indexes_of_a_rewritten_table_are_counted_once() -> None:
    alone = does(WorkKind.REWRITE)
    both = Effect(
        taken=alone.taken,
        held=alone.held,
        work=(*alone.work, Work(WorkKind.INDEX_REBUILD, "public.users", "users_pkey")),
    )
    assert weighed(both, stats(USERS)) == weighed(alone, stats(USERS))


def test_readers_and_writers_wait_by_what_the_lock_shuts_out() -> None:
    both = weigh(does(WorkKind.SCAN), Verdict.UNSAFE, stats(USERS))
    writers = weigh(does(WorkKind.SCAN, mode=LockMode.SHARE), Verdict.UNSAFE, stats(USERS))
    assert both.seconds is not None
    assert both.waiting == pytest.approx(110 * both.seconds.high)
    assert writers.waiting == pytest.approx(10 * both.seconds.high)
    assert "statements of the application would wait meanwhile" in both.why


@pytest.mark.parametrize("counted", [None, 60.0])
def test_who_waits_is_not_told_where_nobody_counted_for_long(counted: float | None) -> None:
    assert weigh(does(WorkKind.SCAN), Verdict.UNSAFE, stats(USERS, counted=counted)).waiting is None


def test_twice_the_size_takes_twice_the_time() -> None:
    double = TableSize("public.users", rows=2 * USERS.rows, heap_bytes=2 * USERS.heap_bytes)
    for kind in (WorkKind.SCAN, WorkKind.INDEX_SCAN, WorkKind.INDEX_BUILD, WorkKind.INDEX_REBUILD):
        once, twice = work_seconds(kind, USERS), work_seconds(kind, double)
        assert (twice.low, twice.high) == pytest.approx((2 * once.low, 2 * once.high))


def test_a_parent_says_that_its_partitions_were_not_seen() -> None:
    parent = TableSize("public.events", "partitioned table", partitions=24, heap_bytes=900 * MB)
    lock = Lock("public.events", LockMode.ACCESS_EXCLUSIVE)
    found = weigh(Effect(taken=(lock,), held=(lock,)), Verdict.BRIEF, stats(parent))
    assert found.verdict is Verdict.BRIEF
    assert "24 partitions with 900 MB in production" in found.why


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (Change(ChangeKind.RENAMED, "table", "public.users", "accounts"), "public.accounts"),
        (Change(ChangeKind.RENAMED, "table", "public.users", "auth.users"), "auth.users"),
        (Change(ChangeKind.RENAMED, "table", "public.users", '"a.b"'), 'public."a.b"'),
        (Change(ChangeKind.RENAMED, "schema", "public", "old"), "old.users"),
    ],
)
def test_a_renamed_table_keeps_its_size(change: Change, name: str) -> None:
    after = follow(stats(USERS), Effect(changes=(change,)))
    assert [each.name for each in after.tables] == [name]
    assert after.tables[0].rows == USERS.rows


def test_a_dropped_table_is_new_when_it_comes_again() -> None:
    drop = Change(ChangeKind.DROPPED, "table", "public.users", holds_data=True)
    assert follow(stats(USERS, ORGS), Effect(changes=(drop,))).tables == (ORGS,)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0002, "under 1 ms"),
        (0.0034, "3 ms"),
        (0.0014, "1.4 ms"),
        (0.47, "470 ms"),
        (2.94, "2.9 s"),
        (41.2, "41 s"),
        (99.9, "100 s"),
        (187, "3 min"),
        (12_000, "3 h"),
        (400_000, "5 days"),
    ],
)
def test_durations_are_no_more_precise_than_they_are_known(seconds: float, said: str) -> None:
    assert say_seconds(seconds) == said


def test_sizes_counts_and_ranges_as_people_say_them() -> None:
    assert [say_bytes(each) for each in (0, 2048, 184 * MB, 1.5 * 1024 * MB)] == [
        "0 bytes",
        "2.0 kB",
        "184 MB",
        "1.5 GB",
    ]
    assert [say_count(each) for each in (0, 7, 1234, 1_950_000)] == ["0", "7", "1,200", "2,000,000"]
    assert [str(Range(40, 187)), str(Range(1, 1))] == ["40 s to 3 min", "1 s"]
