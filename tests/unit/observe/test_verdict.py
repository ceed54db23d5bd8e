"""The verdict on an effect, without a server."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.observe.effect import Change, ChangeKind, Effect, Lock, Work, WorkKind
from howdah.observe.verdict import Verdict, judge, worst
from howdah.pg.locks import LockMode

_ALTER = Lock("public.users", LockMode.ACCESS_EXCLUSIVE)
_WRITE = Lock("public.users", LockMode.ROW_EXCLUSIVE)
_SCAN = Work(WorkKind.SCAN, "public.users")
_ROWS = Work(WorkKind.ROWS, "public.users", rows=3)


@pytest.mark.parametrize(
    ("effect", "verdict"),
    [
        (Effect(), Verdict.SAFE),
        (Effect(taken=(_WRITE,), held=(_WRITE,), work=(_ROWS,)), Verdict.SAFE),
        (Effect(taken=(_ALTER,), held=(_ALTER,)), Verdict.BRIEF),
        (Effect(held=(_ALTER,)), Verdict.SAFE),
        (Effect(held=(_ALTER,), work=(_ROWS,)), Verdict.BRIEF),
        (Effect(held=(_ALTER,), work=(_SCAN,)), Verdict.UNSAFE),
        (Effect(work=(_SCAN,)), Verdict.LONG),
        (Effect(taken=(_ALTER,), held=(_ALTER,), work=(_SCAN,)), Verdict.UNSAFE),
        (Effect(taken=(_ALTER,), work=(Work(WorkKind.TRUNCATE, "public.users"),)), Verdict.DESTRUCTIVE),
        (Effect(error="no", sqlstate="42P01"), Verdict.FAILS),
    ],
)
def test_locks_held_and_work_by_size_make_the_verdict(effect: Effect, verdict: Verdict) -> None:
    assert judge(effect) is verdict


def test_a_brief_lock_on_another_table_is_held_through_the_work() -> None:
    orgs = Lock("public.orgs", LockMode.ACCESS_EXCLUSIVE, since=1)
    rewrite = Work(WorkKind.REWRITE, "public.copy_of_users")
    assert judge(Effect(held=(orgs,), work=(rewrite,))) is Verdict.UNSAFE


@pytest.mark.parametrize(
    ("kind", "mode", "verdict"),
    [
        ("view", LockMode.EXCLUSIVE, Verdict.SAFE),
        ("materialized view", LockMode.EXCLUSIVE, Verdict.SAFE),
        ("materialized view", LockMode.ACCESS_EXCLUSIVE, Verdict.BRIEF),
        ("sequence", LockMode.SHARE_ROW_EXCLUSIVE, Verdict.BRIEF),
        ("table", LockMode.SHARE_UPDATE_EXCLUSIVE, Verdict.SAFE),
    ],
)
def test_only_a_lock_that_a_program_meets_blocks(kind: str, mode: LockMode, verdict: Verdict) -> None:
    lock = Lock("public.x", mode, kind=kind)
    assert judge(Effect(taken=(lock,), held=(lock,))) is verdict


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (Change(ChangeKind.DROPPED, "table", "t", holds_data=True), Verdict.DESTRUCTIVE),
        (Change(ChangeKind.DROPPED, "column", "t.c", holds_data=True), Verdict.DESTRUCTIVE),
        (Change(ChangeKind.DROPPED, "view", "v"), Verdict.BREAKING),
        (Change(ChangeKind.REPLACED, "view", "v"), Verdict.SAFE),
        (Change(ChangeKind.DROPPED, "index", "i"), Verdict.SAFE),
        (Change(ChangeKind.DROPPED, "constraint", "t.c"), Verdict.SAFE),
        (Change(ChangeKind.RENAMED, "column", "t.c", to="t.d"), Verdict.BREAKING),
        (Change(ChangeKind.RENAMED, "enum value", "m.a", to="m.b"), Verdict.BREAKING),
        (Change(ChangeKind.RENAMED, "index", "i", to="j"), Verdict.SAFE),
        (Change(ChangeKind.RETYPED, "column", "t.c", to="bigint"), Verdict.SAFE),
        (Change(ChangeKind.REQUIRED, "column", "t.c"), Verdict.BREAKING),
    ],
)
def test_what_programs_miss_makes_the_verdict(change: Change, verdict: Verdict) -> None:
    assert judge(Effect(changes=(change,))) is verdict


def test_the_worst_of_nothing_is_safe() -> None:
    assert worst([]) is Verdict.SAFE
    assert worst([Verdict.LONG, Verdict.BRIEF]) is Verdict.BRIEF


_names = st.sampled_from(["public.a", "public.b"])
_locks = st.builds(
    Lock,
    _names,
    st.sampled_from(LockMode),
    since=st.integers(1, 3),
    kind=st.sampled_from(["table", "view", "sequence", "materialized view"]),
)
_works = st.builds(Work, st.sampled_from(WorkKind), _names, rows=st.integers(0, 9))
_changes = st.builds(
    Change,
    st.sampled_from(ChangeKind),
    st.sampled_from(["table", "column", "index", "view", "constraint"]),
    _names,
    holds_data=st.booleans(),
)
_effects = st.builds(
    Effect,
    taken=st.lists(_locks, max_size=2).map(tuple),
    held=st.lists(_locks, max_size=2).map(tuple),
    work=st.lists(_works, max_size=2).map(tuple),
    changes=st.lists(_changes, max_size=2).map(tuple),
)


@given(_effects, _locks, _works, _changes)
def test_more_effect_never_makes_it_better(effect: Effect, lock: Lock, work: Work, change: Change) -> None:
    before = judge(effect).rank
    assert judge(replace(effect, taken=(*effect.taken, lock), held=(*effect.held, lock))).rank >= before
    assert judge(replace(effect, held=(*effect.held, lock))).rank >= before
    assert judge(replace(effect, work=(*effect.work, work))).rank >= before
    assert judge(replace(effect, changes=(*effect.changes, change))).rank >= before
    assert judge(replace(effect, error="no")) is Verdict.FAILS
