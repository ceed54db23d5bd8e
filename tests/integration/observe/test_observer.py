"""What statements of a transaction are observed to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from fix_db import connect
from howdah.config.database import DatabaseConfig
from howdah.errors import RefusedError
from howdah.observe.effect import ChangeKind, Effect, WorkKind
from howdah.observe.observer import Observer
from howdah.observe.verdict import Verdict, judge
from howdah.pg.locks import LockMode
from howdah.pg.statements import split_script

_SEED = """
CREATE TABLE orgs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
CREATE TABLE users (id int PRIMARY KEY, org_id bigint, email text, name varchar(50), made timestamp);
CREATE INDEX users_org ON users (org_id);
CREATE TABLE fixed (a int, b int);
CREATE TABLE "Tränen & ""Söhne"" GmbH" (id int PRIMARY KEY, "a b" text);
CREATE VIEW names AS SELECT id, name FROM orgs;
CREATE MATERIALIZED VIEW counts AS SELECT count(*) AS n FROM fixed;
CREATE UNIQUE INDEX counts_n ON counts (n);
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE SEQUENCE numbers;
CREATE SCHEMA other;
CREATE TABLE days (day int, n int) PARTITION BY LIST (day);
CREATE TABLE day_1 PARTITION OF days FOR VALUES IN (1);
CREATE TABLE day_2 (day int, n int);
"""

Observe = Callable[..., list[Effect]]


@pytest.fixture
def session(database: DatabaseConfig) -> Iterator[psycopg.Connection]:
    """A session in a database with a bit of everything."""
    with connect(database) as session:
        session.execute(_SEED.encode())
        yield session


@pytest.fixture
def observer() -> Iterator[Observer]:
    with Observer() as observer:
        yield observer


@pytest.fixture
def observe(session: psycopg.Connection, observer: Observer) -> Observe:
    """Run a script in a transaction, which is rolled back unless told otherwise; the effects of its statements."""

    def run(script: str, *, commit: bool = False) -> list[Effect]:
        session.execute("BEGIN", prepare=False)
        observer.begin(session, transactional=True)
        effects = []
        for statement in split_script(script):
            observer.before(session, statement)
            error = None
            try:
                session.execute(statement.text.encode(), prepare=False)
            except psycopg.Error as raised:
                error = raised
            effects.append(observer.after(session, error))
            if error:
                break
        else:
            effects = list(observer.end(session))
        session.execute("COMMIT" if commit else "ROLLBACK", prepare=False)
        return effects

    return run


def _work(effect: Effect) -> set[tuple[WorkKind, str, str]]:
    return {(each.kind, each.relation, each.index) for each in effect.work}


def _locks(effect: Effect) -> dict[str, LockMode]:
    return {each.index or each.relation: each.mode for each in effect.taken}


def _changes(effect: Effect) -> set[tuple[ChangeKind, str, str, str]]:
    return {(each.kind, each.object, each.name, each.to) for each in effect.changes}


def test_a_lock_is_told_with_the_statement_that_took_it(observe: Observe) -> None:
    first, second = observe(
        "ALTER TABLE orgs ADD COLUMN a int; ALTER TABLE users ALTER COLUMN id TYPE bigint"
    )
    assert _locks(first) == {"public.orgs": LockMode.ACCESS_EXCLUSIVE}
    assert _locks(second) == {"public.users": LockMode.ACCESS_EXCLUSIVE}
    assert [(each.relation, each.since) for each in second.held] == [("public.orgs", 1), ("public.users", 2)]
    assert (WorkKind.REWRITE, "public.users", "") in _work(second)


def test_a_table_made_in_the_transaction_is_not_in_use(observe: Observe) -> None:
    effects = observe(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE INDEX ON t (id);"
        "ALTER TABLE t ALTER COLUMN id TYPE bigint; TRUNCATE t; DROP TABLE t"
    )
    assert {judge(each) for each in effects} == {Verdict.SAFE}
    assert all(not each.held for each in effects)


def test_a_reference_locks_the_table_it_points_to(observe: Observe) -> None:
    (effect,) = observe("CREATE TABLE t (id int, u int REFERENCES users)")
    assert _locks(effect) == {"public.users": LockMode.SHARE_ROW_EXCLUSIVE}
    assert judge(effect) is Verdict.BRIEF


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("TRUNCATE {}", WorkKind.TRUNCATE),
        ("TRUNCATE {} RESTART IDENTITY CASCADE", WorkKind.TRUNCATE),
        ("DO $$ BEGIN TRUNCATE {}; END $$", WorkKind.TRUNCATE),
        ("ALTER TABLE {} SET UNLOGGED", WorkKind.REWRITE),
        ("DO $$ BEGIN ALTER TABLE {} SET UNLOGGED; END $$", WorkKind.REWRITE),
    ],
)
@pytest.mark.parametrize("table", ["users", "fixed", "orgs"])
@pytest.mark.parametrize("rows", [0, 5])
def test_a_truncate_is_no_rewrite(
    observe: Observe, session: psycopg.Connection, statement: str, kind: WorkKind, table: str, rows: int
) -> None:
    session.execute(f"INSERT INTO fixed SELECT g FROM generate_series(1, {rows}) g".encode())
    session.execute(f"INSERT INTO users SELECT g FROM generate_series(1, {rows}) g".encode())
    (effect,) = observe(statement.format(table))
    assert kind in {each.kind for each in effect.work}
    assert {WorkKind.TRUNCATE, WorkKind.REWRITE} - {kind} - {each.kind for each in effect.work}


def test_cluster_is_a_rewrite(observe: Observe) -> None:
    (effect,) = observe("CLUSTER users USING users_pkey")
    assert (WorkKind.REWRITE, "public.users", "") in _work(effect)
    assert judge(effect) is Verdict.UNSAFE


def test_an_index_is_built_rebuilt_or_only_registered_anew(observe: Observe) -> None:
    (built,) = observe("CREATE INDEX users_made ON users (made)")
    (rebuilt,) = observe("REINDEX INDEX users_org")
    widened, retimed = observe(
        ["CREATE INDEX users_name ON users (name)", " users_made ON users (made);"][0]
        + "; ALTER TABLE users ALTER COLUMN name TYPE varchar(80)"
    )
    assert _work(built) == {(WorkKind.INDEX_BUILD, "public.users", "public.users_made")}
    assert _work(rebuilt) == {(WorkKind.INDEX_REBUILD, "public.users", "public.users_org")}
    assert _locks(rebuilt) == {
        "public.users": LockMode.SHARE,
        "public.users_org": LockMode.ACCESS_EXCLUSIVE,
    }
    assert _work(widened) == {(WorkKind.INDEX_BUILD, "public.users", "public.users_name")}
    assert _work(retimed) == set()


def test_a_check_of_an_empty_table_is_a_full_scan(observe: Observe) -> None:
    first, second = observe(
        "ALTER TABLE users ADD CONSTRAINT c CHECK (id > 0) NOT VALID; ALTER TABLE users VALIDATE CONSTRAINT c"
    )
    assert judge(first) is Verdict.BRIEF
    assert _work(second) == {(WorkKind.SCAN, "public.users", "")}
    assert judge(second) is Verdict.UNSAFE


def test_a_foreign_key_reads_the_table_it_is_added_to(observe: Observe, session: psycopg.Connection) -> None:
    add = "ALTER TABLE users ADD FOREIGN KEY (org_id) REFERENCES orgs"
    session.execute("INSERT INTO orgs (name) SELECT 'a' FROM generate_series(1, 2000)")
    session.execute("INSERT INTO users SELECT g, 1 + g % 2000 FROM generate_series(1, 2000) g")
    session.execute("ANALYZE")
    for script in (add, f"DO $$ BEGIN EXECUTE '{add}'; END $$"):
        (effect,) = observe(script)
        assert judge(effect) is Verdict.UNSAFE
        assert any(each.relation == "public.users" for each in effect.work)


def test_rows_written_by_key_are_no_scan(observe: Observe, session: psycopg.Connection) -> None:
    session.execute("INSERT INTO users SELECT g FROM generate_series(1, 50) g")
    insert, update, delete = observe(
        "INSERT INTO users VALUES (70), (71); UPDATE users SET email = '' WHERE id = 7; DELETE FROM users WHERE id = 8"
    )
    assert [(each.kind, each.rows) for each in insert.work] == [(WorkKind.ROWS, 2)]
    assert [(each.kind, each.rows) for each in update.work] == [(WorkKind.ROWS, 1)]
    assert [(each.kind, each.rows) for each in delete.work] == [(WorkKind.ROWS, 1)]


def test_counts_of_an_earlier_transaction_are_not_of_this_one(observe: Observe) -> None:
    observe("UPDATE users SET email = ''; INSERT INTO fixed VALUES (1, 1)", commit=True)
    (effect,) = observe("ALTER TABLE users ADD COLUMN a int")
    assert effect.work == ()
    (effect,) = observe("ALTER TABLE fixed ADD COLUMN a int")
    assert effect.work == ()


def test_counts_of_the_transaction_that_made_a_table_are_not_of_the_next(observe: Observe) -> None:
    observe("CREATE TABLE made (id int PRIMARY KEY)", commit=True)
    (effect,) = observe("CREATE TABLE other (id int REFERENCES made)")
    assert effect.work == ()


def test_counts_of_a_statement_that_failed_are_not_of_the_next(observe: Observe) -> None:
    failed = observe("SELECT 1 / 0 FROM (SELECT count(*) FROM users) AS found")
    assert failed[-1].error
    (effect,) = observe("ALTER TABLE users ADD COLUMN a int")
    assert effect.work == ()


@pytest.mark.parametrize(
    ("script", "change"),
    [
        ("DROP TABLE users", (ChangeKind.DROPPED, "table", "public.users", "")),
        ("ALTER TABLE users DROP COLUMN email", (ChangeKind.DROPPED, "column", "public.users.email", "")),
        (
            "ALTER TABLE users RENAME email TO mail",
            (ChangeKind.RENAMED, "column", "public.users.email", "public.users.mail"),
        ),
        (
            "ALTER TABLE users RENAME TO people",
            (ChangeKind.RENAMED, "table", "public.users", "public.people"),
        ),
        ("ALTER TABLE users SET SCHEMA other", (ChangeKind.RENAMED, "table", "public.users", "other.users")),
        (
            "ALTER TABLE users ALTER COLUMN id TYPE bigint",
            (ChangeKind.RETYPED, "column", "public.users.id", "bigint"),
        ),
        (
            "ALTER TABLE users ADD COLUMN a int NOT NULL",
            (ChangeKind.REQUIRED, "column", "public.users.a", ""),
        ),
        ("DROP INDEX users_org", (ChangeKind.DROPPED, "index", "public.users_org", "")),
        ("DROP VIEW names", (ChangeKind.DROPPED, "view", "public.names", "")),
        ("ALTER VIEW names RENAME TO n", (ChangeKind.RENAMED, "view", "public.names", "public.n")),
        ("DROP MATERIALIZED VIEW counts", (ChangeKind.DROPPED, "materialized view", "public.counts", "")),
        ("DROP SEQUENCE numbers", (ChangeKind.DROPPED, "sequence", "public.numbers", "")),
        ("DROP FUNCTION f(int)", (ChangeKind.DROPPED, "function", "public.f(integer)", "")),
        (
            "ALTER FUNCTION f(int) RENAME TO g",
            (ChangeKind.RENAMED, "function", "public.f(integer)", "public.g(integer)"),
        ),
        ("DROP TYPE mood", (ChangeKind.DROPPED, "type", "public.mood", "")),
        ("ALTER TYPE mood RENAME TO m", (ChangeKind.RENAMED, "type", "public.mood", "public.m")),
        (
            "ALTER TYPE mood RENAME VALUE 'sad' TO 'low'",
            (ChangeKind.RENAMED, "enum value", "public.mood.sad", "public.mood.low"),
        ),
        ("ALTER SCHEMA other RENAME TO another", (ChangeKind.RENAMED, "schema", "other", "another")),
        ("DROP SCHEMA other", (ChangeKind.DROPPED, "schema", "other", "")),
        (
            "ALTER TABLE orgs DROP CONSTRAINT orgs_pkey",
            (ChangeKind.DROPPED, "constraint", "public.orgs.orgs_pkey", ""),
        ),
        (
            "ALTER TABLE orgs RENAME CONSTRAINT orgs_pkey TO p",
            (ChangeKind.RENAMED, "constraint", "public.orgs.orgs_pkey", "public.orgs.p"),
        ),
        (
            'ALTER TABLE "Tränen & ""Söhne"" GmbH" DROP COLUMN "a b"',
            (ChangeKind.DROPPED, "column", 'public."Tränen & ""Söhne"" GmbH"."a b"', ""),
        ),
    ],
)
@pytest.mark.parametrize("wrapper", ["{}", "DO $x$ BEGIN EXECUTE $y${}$y$; END $x$"])
def test_what_is_gone_or_other_is_told(
    observe: Observe, script: str, change: tuple[ChangeKind, str, str, str], wrapper: str
) -> None:
    (effect,) = observe(wrapper.format(script))
    assert change in _changes(effect)
    relations = {"table", "column", "view", "materialized view", "function", "type", "schema", "enum value"}
    if change[1] in relations or change[0] is ChangeKind.REQUIRED:
        assert (
            judge(effect).rank >= (Verdict.SAFE if change[0] is ChangeKind.RETYPED else Verdict.BREAKING).rank
        )


def test_what_goes_with_a_table_is_not_told_beside_it(observe: Observe) -> None:
    (effect,) = observe("DROP TABLE orgs CASCADE")
    assert _changes(effect) == {
        (ChangeKind.DROPPED, "table", "public.orgs", ""),
        (ChangeKind.DROPPED, "view", "public.names", ""),
    }


def test_a_column_becomes_required_when_its_default_goes(observe: Observe) -> None:
    first, second = observe(
        "ALTER TABLE users ADD COLUMN a int NOT NULL DEFAULT 0; ALTER TABLE users ALTER COLUMN a DROP DEFAULT"
    )
    assert first.changes == ()
    assert _changes(second) == {(ChangeKind.REQUIRED, "column", "public.users.a", "")}
    (proved,) = observe("ALTER TABLE users ALTER COLUMN email SET NOT NULL")
    assert proved.changes == ()


def test_a_table_made_again_under_its_name_is_another(observe: Observe) -> None:
    drop, _, alter = observe("DROP TABLE fixed CASCADE; CREATE TABLE fixed (a int); DROP TABLE fixed")
    assert judge(drop) is Verdict.DESTRUCTIVE
    assert alter.changes == ()
    assert {"public.fixed"} <= {each.relation for each in alter.held}


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TYPE new AS ENUM ('good'); ALTER TYPE mood RENAME TO old; ALTER TYPE new RENAME TO mood; DROP TYPE old",
        "ALTER TABLE fixed RENAME TO old; CREATE VIEW fixed AS SELECT * FROM old",
        "ALTER TABLE fixed RENAME TO old; CREATE TABLE fixed (LIKE old)",
    ],
)
def test_what_gives_its_name_to_another_is_replaced(observe: Observe, text: str) -> None:
    changes = [each for effect in observe(text) for each in effect.changes]
    assert {each.kind for each in changes} == {ChangeKind.REPLACED}


def test_a_table_that_gives_its_name_to_one_with_less_is_renamed(observe: Observe) -> None:
    rename, _ = observe("ALTER TABLE users RENAME TO old; CREATE VIEW users AS SELECT id FROM old")
    assert _changes(rename) == {(ChangeKind.RENAMED, "table", "public.users", "public.old")}


def test_a_renamed_table_is_called_as_the_lock_knew_it(observe: Observe) -> None:
    _, second = observe("ALTER TABLE users RENAME TO people; ALTER TABLE people ALTER COLUMN id TYPE bigint")
    assert [each.relation for each in second.held] == ["public.users"]
    assert (WorkKind.REWRITE, "public.people", "") in _work(second)


def test_a_savepoint_takes_its_effects_back(observe: Observe) -> None:
    effects = observe(
        "SAVEPOINT a; ALTER TABLE users DROP COLUMN email; DROP FUNCTION f(int); ROLLBACK TO a;"
        "ALTER TABLE users DROP COLUMN email; DROP FUNCTION f(int)"
    )
    assert effects[3].held == ()
    assert effects[4].changes == effects[1].changes
    assert effects[5].changes == effects[2].changes


def test_a_failed_statement_gives_the_servers_words(observe: Observe) -> None:
    effects = observe("ALTER TABLE users ADD COLUMN a int; ALTER TABLE nope ADD COLUMN a int; SELECT 1")
    assert len(effects) == 2
    assert (effects[1].sqlstate, effects[1].error) == ("42P01", 'relation "nope" does not exist')
    assert judge(effects[1]) is Verdict.FAILS


def test_the_session_is_left_as_it_was(observe: Observe, session: psycopg.Connection) -> None:
    session.execute("CREATE ROLE nobody_at_all")
    try:
        effects = observe(
            "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SET TRANSACTION READ ONLY; SET TRANSACTION DEFERRABLE;"
            "SET LOCAL search_path = other, pg_catalog; SET LOCAL row_security = off; SET LOCAL enable_seqscan = off;"
            "SELECT count(*) FROM public.users; SET LOCAL ROLE nobody_at_all; SELECT 1; DEALLOCATE ALL; SELECT 2;"
            "SELECT pg_catalog.set_config('a.transaction', pg_catalog.current_setting('transaction_isolation'), false)"
        )
        assert all(not each.error for each in effects), effects
    finally:
        session.execute("DROP ROLE nobody_at_all")


def test_no_lock_is_left_that_the_statement_did_not_take(
    session: psycopg.Connection, observer: Observer
) -> None:
    (statement,) = split_script("SELECT 1 FROM fixed")
    held = (
        "SELECT array_agg(DISTINCT relation::regclass::text) FROM pg_locks"
        " WHERE pid = pg_backend_pid() AND locktype = 'relation' AND relation >= 16384"
    )
    with session.transaction():
        observer.begin(session, transactional=True)
        for _ in range(2):
            observer.before(session, statement)
            session.execute(statement.text.encode())
            observer.after(session, None)
        observer.end(session)
        assert session.execute(held).fetchone() == (["fixed"],)
        settings = session.execute("SELECT count(*) FROM pg_settings WHERE source = 'session'").fetchone()
    assert settings == session.execute("SELECT count(*) FROM pg_settings WHERE source = 'session'").fetchone()


def test_locks_on_views_partitions_and_sequences_are_told(observe: Observe) -> None:
    (view,) = observe("CREATE OR REPLACE VIEW names AS SELECT id, name, 1 AS one FROM orgs")
    (attach,) = observe("ALTER TABLE days ATTACH PARTITION day_2 FOR VALUES IN (2)")
    (sequence,) = observe("ALTER SEQUENCE numbers RESTART")
    assert _locks(view)["public.names"] is LockMode.ACCESS_EXCLUSIVE
    assert _locks(attach)["public.day_2"] is LockMode.ACCESS_EXCLUSIVE
    assert (WorkKind.SCAN, "public.day_2", "") in _work(attach)
    assert judge(attach) is Verdict.UNSAFE
    assert _locks(sequence) == {"public.numbers": LockMode.SHARE_ROW_EXCLUSIVE}


def test_a_materialized_view_filled_beside_its_readers_blocks_nobody(observe: Observe) -> None:
    (plain,) = observe("REFRESH MATERIALIZED VIEW counts")
    (beside,) = observe("REFRESH MATERIALIZED VIEW CONCURRENTLY counts")
    (emptied,) = observe("REFRESH MATERIALIZED VIEW counts WITH NO DATA")
    assert [judge(each) for each in (plain, beside, emptied)] == [
        Verdict.UNSAFE,
        Verdict.LONG,
        Verdict.DESTRUCTIVE,
    ]


def test_temporary_tables_are_nobody_elses(observe: Observe, session: psycopg.Connection) -> None:
    session.execute("CREATE TEMP TABLE mine (id int)")
    effects = observe("ALTER TABLE mine ALTER COLUMN id TYPE bigint; DROP TABLE mine")
    assert all(each.held == () and each.work == () and each.changes == () for each in effects)


def test_reading_into_a_new_table_takes_as_long_as_the_old_one(observe: Observe) -> None:
    copied, selected, copy = observe(
        "CREATE TABLE a AS SELECT * FROM users; SELECT * INTO b FROM users; COPY (SELECT * FROM users) TO '/dev/null'"
    )
    assert {judge(each) for each in (copied, selected, copy)} == {Verdict.LONG}


def test_touched_are_the_relations_that_it_locked_made_or_dropped(
    observe: Observe, observer: Observer, session: psycopg.Connection
) -> None:
    row = session.execute("SELECT 'users'::regclass::oid::int, 'fixed'::regclass::oid::int").fetchone()
    assert row is not None
    observe(
        "ALTER TABLE users ADD COLUMN a int; CREATE TABLE t (id int); DROP TABLE fixed CASCADE", commit=True
    )
    made = session.execute("SELECT 't'::regclass::oid::int").fetchone()
    assert made is not None
    assert observer.touched is not None
    assert {*row, *made} <= observer.touched
    observe("ALTER SCHEMA other RENAME TO another")
    assert observer.touched is None


def test_with_a_mark_only_what_was_there_then_is_in_use(
    observe: Observe, observer: Observer, session: psycopg.Connection
) -> None:
    observer.mark_in_use(session)
    observe("CREATE TABLE later (id int); ALTER TABLE users ADD COLUMN later int", commit=True)
    on_new, on_old = observe("ALTER TABLE later ADD COLUMN a int; ALTER TABLE users DROP COLUMN later")
    assert judge(on_new) is Verdict.SAFE
    assert judge(on_old) is Verdict.BRIEF
    observer.mark_in_use(session)
    (effect,) = observe("ALTER TABLE users DROP COLUMN later")
    assert judge(effect) is Verdict.DESTRUCTIVE


def test_a_transaction_that_locks_the_catalogue_is_not_waited_for(observe: Observe) -> None:
    with pytest.raises(RefusedError) as refused:
        observe("LOCK TABLE pg_class; ALTER TABLE fixed ADD c int")

    assert refused.value.code == "catalogue-locked"


def test_what_still_needs_an_object_is_told(session: psycopg.Connection, observer: Observer) -> None:
    session.execute("BEGIN", prepare=False)
    observer.begin(session, transactional=True)
    (statement,) = split_script("DROP TABLE orgs")
    observer.before(session, statement)
    with pytest.raises(psycopg.errors.DependentObjectsStillExist) as refused:
        session.execute(b"DROP TABLE orgs", prepare=False)
    assert observer.after(session, refused.value).error.endswith(": view names depends on table orgs")
