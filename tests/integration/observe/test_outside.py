"""What statements outside a transaction are observed to do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest

from fix_db import connect
from howdah.config.database import DatabaseConfig
from howdah.observe.effect import ChangeKind, Effect, WorkKind
from howdah.observe.observer import Observer
from howdah.observe.verdict import Verdict, judge
from howdah.pg.locks import LockMode
from howdah.pg.statements import split_script

_SEED = """
CREATE TABLE users (id int PRIMARY KEY, email text, made timestamp);
CREATE INDEX users_email ON users (email);
CREATE TABLE orgs (id int PRIMARY KEY);
CREATE TABLE days (day int, n int) PARTITION BY LIST (day);
CREATE TABLE day_1 PARTITION OF days FOR VALUES IN (1);
CREATE INDEX days_n ON days (n);
CREATE TYPE mood AS ENUM ('sad');
CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$
BEGIN UPDATE users SET email = ''; COMMIT; ALTER TABLE orgs ADD COLUMN a int; COMMIT; END $$;
"""

Observe = Callable[..., Effect]


@pytest.fixture
def session(database: DatabaseConfig) -> Iterator[psycopg.Connection]:
    """A session in a database with empty tables."""
    with connect(database) as session:
        session.execute(_SEED.encode())
        yield session


@pytest.fixture
def observe(session: psycopg.Connection) -> Iterator[Observe]:
    """Run a script outside a transaction, a message for each statement; the last one's effect."""
    with Observer() as observer:

        def run(script: str) -> Effect:
            observer.begin(session, transactional=False)
            effects = []
            for statement in split_script(script):
                observer.before(session, statement)
                error = None
                try:
                    session.execute(statement.text.encode(), prepare=False)
                except psycopg.Error as raised:
                    error = raised
                effects.append(observer.after(session, error))
            observer.end(session)
            return effects[-1]

        yield run


def _locks(effect: Effect) -> dict[str, LockMode]:
    return {each.index or each.relation: each.mode for each in effect.taken}


def _work(effect: Effect) -> set[tuple[WorkKind, str, str]]:
    return {(each.kind, each.relation, each.index) for each in effect.work}


def test_a_concurrent_build_on_an_empty_table_blocks_nobody_however_often_it_is_looked_at(
    observe: Observe,
) -> None:
    for number in range(50):
        effect = observe(f"CREATE INDEX CONCURRENTLY i{number} ON users (made)")
        assert _locks(effect) == {"public.users": LockMode.SHARE_UPDATE_EXCLUSIVE}
        assert _work(effect) == {(WorkKind.INDEX_BUILD, "public.users", f"public.i{number}")}
        assert judge(effect) is Verdict.LONG
        assert observe(f"DROP INDEX i{number}").changes[0].name == f"public.i{number}"


@pytest.mark.parametrize(
    ("statement", "locks", "verdict"),
    [
        ("REINDEX INDEX CONCURRENTLY users_email", {"users": "SHARE UPDATE EXCLUSIVE"}, Verdict.LONG),
        ("REINDEX TABLE CONCURRENTLY users", {"users": "SHARE UPDATE EXCLUSIVE"}, Verdict.LONG),
        ("DROP INDEX CONCURRENTLY users_email", {"users": "SHARE UPDATE EXCLUSIVE"}, Verdict.SAFE),
        ("VACUUM users", {"users": "SHARE UPDATE EXCLUSIVE"}, Verdict.LONG),
        ("VACUUM (ANALYZE) users", {"users": "SHARE UPDATE EXCLUSIVE"}, Verdict.LONG),
        ("VACUUM FULL users", {"users": "ACCESS EXCLUSIVE"}, Verdict.UNSAFE),
        ("CLUSTER users USING users_pkey", {"users": "ACCESS EXCLUSIVE"}, Verdict.UNSAFE),
        ("ANALYZE users", {"users": "SHARE UPDATE EXCLUSIVE"}, Verdict.SAFE),
        (
            "ALTER TABLE days DETACH PARTITION day_1 CONCURRENTLY",
            {"days": "SHARE UPDATE EXCLUSIVE", "day_1": "ACCESS EXCLUSIVE"},
            Verdict.BRIEF,
        ),
        ("CREATE INDEX ON users (made)", {"users": "SHARE"}, Verdict.UNSAFE),
        ("ALTER TABLE users ADD COLUMN a int", {"users": "ACCESS EXCLUSIVE"}, Verdict.BRIEF),
        ("ALTER TABLE users DROP COLUMN made", {"users": "ACCESS EXCLUSIVE"}, Verdict.DESTRUCTIVE),
        ("TRUNCATE users", {"users": "ACCESS EXCLUSIVE"}, Verdict.DESTRUCTIVE),
        ("ALTER TYPE mood ADD VALUE 'glad'", {}, Verdict.SAFE),
        (
            "DO $$ BEGIN ALTER TABLE users ADD COLUMN a int; END $$",
            {"users": "ACCESS EXCLUSIVE"},
            Verdict.BRIEF,
        ),
        (
            "DO $$ BEGIN ALTER TABLE users ALTER COLUMN id TYPE bigint; COMMIT; END $$",
            {"users": "ACCESS EXCLUSIVE"},
            Verdict.UNSAFE,
        ),
        ("SELECT 1", {}, Verdict.SAFE),
        ("SET lock_timeout = '1s'", {}, Verdict.SAFE),
    ],
)
def test_locks_are_seen_that_are_gone_when_the_statement_ends(
    observe: Observe, statement: str, locks: dict[str, str], verdict: Verdict
) -> None:
    runs_once = any(word in statement for word in ("DROP", "DETACH", "ADD", "TYPE"))
    for _ in range(1 if runs_once else 3):
        effect = observe(statement)
        found = {
            each.relation.removeprefix("public."): each.mode.value for each in effect.held if not each.index
        }
        assert found == locks
        assert judge(effect) is verdict


def test_a_reindex_of_partitions_is_seen_though_it_wants_no_transaction(observe: Observe) -> None:
    effect = observe("REINDEX TABLE days")
    assert not effect.error
    assert (WorkKind.INDEX_REBUILD, "public.day_1", "public.day_1_n_idx") in _work(effect)
    assert judge(effect) is Verdict.UNSAFE


def test_a_validation_in_a_file_without_a_transaction_blocks_nobody(observe: Observe) -> None:
    assert judge(observe("ALTER TABLE users ADD CONSTRAINT c CHECK (id > 0) NOT VALID")) is Verdict.BRIEF
    effect = observe("ALTER TABLE users VALIDATE CONSTRAINT c")
    assert _locks(effect) == {"public.users": LockMode.SHARE_UPDATE_EXCLUSIVE}
    assert judge(effect) is Verdict.LONG


def test_a_transaction_that_the_body_begins_is_one(observe: Observe) -> None:
    effect = observe("BEGIN; ALTER TABLE users ADD COLUMN a int; UPDATE orgs SET id = 1")
    assert [(each.relation, each.since) for each in effect.held] == [("public.orgs", 2), ("public.users", 1)]
    assert judge(effect) is Verdict.UNSAFE
    assert judge(observe("COMMIT")) is Verdict.SAFE


def test_what_a_procedure_reads_and_writes_between_its_commits_is_counted(
    observe: Observe, session: psycopg.Connection
) -> None:
    session.execute("INSERT INTO users SELECT g FROM generate_series(1, 100) g")
    effect = observe("CALL fill()")
    assert {(each.kind, each.relation, each.rows) for each in effect.work} == {
        (WorkKind.SCAN, "public.users", 100),
        (WorkKind.ROWS, "public.users", 100),
    }
    assert _locks(effect) == {"public.orgs": LockMode.ACCESS_EXCLUSIVE}


def test_a_statement_that_fails_outside_gives_the_servers_words(
    observe: Observe, session: psycopg.Connection
) -> None:
    effect = observe("CREATE INDEX CONCURRENTLY i ON nope (id)")
    assert (effect.sqlstate, judge(effect)) == ("42P01", Verdict.FAILS)
    session.execute("INSERT INTO orgs VALUES (1)")
    assert observe("INSERT INTO orgs VALUES (1)").sqlstate == "23505"
    assert judge(observe("CREATE UNIQUE INDEX CONCURRENTLY j ON users (id)")) is Verdict.LONG


def test_an_invalid_index_that_is_left_behind_does_not_stop_the_next_statement(
    observe: Observe, session: psycopg.Connection
) -> None:
    session.execute("INSERT INTO users VALUES (1, 'a'), (2, 'a')")
    assert observe("CREATE UNIQUE INDEX CONCURRENTLY u ON users (email)").sqlstate == "23505"
    dropped = observe("DROP INDEX CONCURRENTLY u")
    assert [(each.kind, each.name) for each in dropped.changes] == [(ChangeKind.DROPPED, "public.u")]


def test_a_statement_with_a_short_lock_timeout_is_not_stopped(
    observe: Observe, session: psycopg.Connection
) -> None:
    session.execute("SET lock_timeout = '500ms'")
    for _ in range(5):
        assert not observe("VACUUM FULL users").error


def test_who_holds_a_catalogue_meanwhile_does_not_hang_it(
    observe: Observe, session: psycopg.Connection, database: DatabaseConfig
) -> None:
    with connect(database) as other:
        other.execute("BEGIN")
        other.execute("LOCK TABLE pg_class IN ROW EXCLUSIVE MODE")
        let_go = threading.Timer(0.4, other.execute, ["COMMIT"])
        let_go.start()
        effect = observe("CREATE INDEX CONCURRENTLY i ON users (made)")
        let_go.join()
    assert not effect.error
    assert _work(effect) == {(WorkKind.INDEX_BUILD, "public.users", "public.i")}


def test_a_role_that_may_not_close_the_gate_is_observed_as_far_as_it_goes(
    session: psycopg.Connection, database: DatabaseConfig
) -> None:
    session.execute("CREATE ROLE plain_owner LOGIN PASSWORD 'x'; ALTER TABLE users OWNER TO plain_owner")
    try:
        session.execute("GRANT CREATE ON SCHEMA public TO plain_owner")
        address = database.conninfo() | {"user": "plain_owner", "password": "x"}
        with psycopg.connect(**address, autocommit=True) as own, Observer() as observer:  # type: ignore[arg-type]
            (statement,) = split_script("CREATE INDEX CONCURRENTLY i ON users (made)")
            observer.begin(own, transactional=False)
            observer.before(own, statement)
            own.execute(statement.text.encode())
            effect = observer.after(own, None)
        assert not effect.error
    finally:
        session.execute("DROP OWNED BY plain_owner CASCADE; DROP ROLE plain_owner")
