"""What is told of a session that is in the way, and whether it is to be outlasted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from howdah.migrate.holders import Holder, Kind, Wait

SESSION = Holder(
    pid=7,
    transaction="3/9",
    modes=("AccessShareLock",),
    application="shop",
    role="app",
    client="10.0.0.1",
    backend_type="client backend",
    state="idle in transaction",
    seconds=12.0,
    state_seconds=3.0,
    query="SELECT 1",
)
AUTOVACUUM = replace(
    SESSION,
    application="",
    role="",
    client="",
    backend_type="autovacuum worker",
    state="active",
    query="autovacuum: VACUUM public.t",
)


def test_a_session_is_told_with_what_it_does_and_for_how_long() -> None:
    assert str(SESSION) == (
        "process 7 (shop), role app, from 10.0.0.1, idle in transaction for 3 s, its transaction for 12 s,"
        " holds ACCESS SHARE: SELECT 1"
    )


def test_of_a_session_that_may_not_be_seen_the_process_is_told() -> None:
    hidden = replace(
        SESSION, backend_type="", state="", seconds=None, state_seconds=None, query="", client=""
    )
    assert str(hidden) == (
        "process 7 (shop), role app, state not visible to this role, holds ACCESS SHARE: (no query shown)"
    )


@pytest.mark.parametrize(
    ("holder", "kind", "shown"),
    [
        (SESSION, Kind.SESSION, "process 7 (shop), role"),
        (AUTOVACUUM, Kind.AUTOVACUUM, "process 7 (autovacuum), active"),
        (
            replace(AUTOVACUUM, query="autovacuum: VACUUM public.t (to prevent wraparound)"),
            Kind.WRAPAROUND,
            "process 7 (autovacuum to prevent wraparound)",
        ),
        (replace(SESSION, application="pg_dump"), Kind.DUMP, "process 7 (pg_dump), a dump, role"),
        (replace(SESSION, application="howdah backup 7"), Kind.DUMP, "(howdah backup 7), a dump"),
        (
            replace(SESSION, state="active", query="create unique index concurrently i on t (a)"),
            Kind.BUILD,
            "process 7 (shop), a concurrent index build",
        ),
        (
            replace(SESSION, backend_type="logical replication apply worker"),
            Kind.REPLICATION,
            "process 7 (shop), replication",
        ),
        (
            replace(SESSION, pid=0, prepared="gid"),
            Kind.PREPARED,
            "the prepared transaction 'gid', role app, 12 s old",
        ),
    ],
)
def test_what_a_holder_is(holder: Holder, kind: Kind, shown: str) -> None:
    assert holder.kind is kind
    assert shown in str(holder)


def test_a_transaction_older_than_the_budget_is_not_expected_to_end_within_it() -> None:
    assert SESSION.outlasts(2)
    assert not SESSION.outlasts(20)
    assert not replace(SESSION, seconds=None).outlasts(2)
    assert not AUTOVACUUM.outlasts(2)
    assert replace(AUTOVACUUM, query="autovacuum: VACUUM t (to prevent wraparound)").outlasts(20)
    assert replace(SESSION, application="pg_dump", seconds=0.1).outlasts(20)


def test_the_modes_in_the_way_are_those_that_conflict() -> None:
    wait = Wait("relation", "ShareLock", 1, "t", 0.1)
    assert wait.conflicting_modes == [
        "RowExclusiveLock",
        "ShareUpdateExclusiveLock",
        "ShareRowExclusiveLock",
        "ExclusiveLock",
        "AccessExclusiveLock",
    ]
    assert wait.stalls_the_application
    assert not replace(wait, mode="ShareUpdateExclusiveLock").stalls_the_application
    assert not Wait("transactionid", "ShareLock", 0, "", 0.1).stalls_the_application
