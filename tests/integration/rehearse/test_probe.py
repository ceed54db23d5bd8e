"""What a run's steps are observed to do, through the applier itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_db import connect
from howdah.config.database import DatabaseConfig
from howdah.errors import MigrationFailed
from howdah.migrate.migrator import Migrator
from howdah.observe.effect import ChangeKind, WorkKind
from howdah.observe.observer import Observer
from howdah.observe.verdict import Verdict, judge, worst
from howdah.rehearse.observed import ObservedStep
from howdah.rehearse.probe import ObservingProbe

_USERS = "CREATE TABLE users (id bigint PRIMARY KEY, name text, org bigint);"
_FAILS_AT_COMMIT = (
    "CREATE TABLE t (id int UNIQUE DEFERRABLE INITIALLY DEFERRED);\n"
    "INSERT INTO t SELECT 1 FROM generate_series(1, 2);"
)
_HEADS = {
    "golang-migrate": ("001_{}.up.sql", "", ""),
    "goose": ("00001_{}.sql", "-- +goose Up\n", "-- +goose NO TRANSACTION\n-- +goose Up\n"),
    "sqlx": ("1_{}.sql", "", "-- no-transaction\n"),
}


@pytest.fixture
def probe() -> Iterator[ObservingProbe]:
    """A probe whose observer is closed behind the test."""
    with Observer() as observer:
        yield ObservingProbe(observer)


@pytest.fixture
def users(database: DatabaseConfig) -> DatabaseConfig:
    """A database with a table in it."""
    with connect(database) as session:
        session.execute(_USERS.encode())
    return database


def _up(database: DatabaseConfig, directory: Path, format: str, probe: ObservingProbe) -> None:
    Migrator(database=database, directory=directory, format=format, is_throwaway=True, probe=probe).up()


def _verdict(step: ObservedStep) -> Verdict:
    return worst(judge(each.effect) for each in step.statements)


@pytest.mark.parametrize("format", _HEADS)
def test_a_step_in_a_transaction_is_observed(
    users: DatabaseConfig, tmp_path: Path, probe: ObservingProbe, format: str
) -> None:
    name, head, _ = _HEADS[format]
    body = "ALTER TABLE users ADD COLUMN a int;\n\nUPDATE users SET a = 1;\n"
    (tmp_path / name.format("a")).write_text(head + body)
    _up(users, tmp_path, format, probe)
    (step,) = probe.steps
    assert step.transactional
    assert step.failure is None
    assert [each.number for each in step.statements] == [1, 2]
    assert [each.line for each in step.statements] == [head.count("\n") + 1, head.count("\n") + 3]
    assert [judge(each.effect) for each in step.statements] == [Verdict.BRIEF, Verdict.UNSAFE]
    assert step.touched


@pytest.mark.parametrize("format", _HEADS)
def test_a_step_outside_a_transaction_is_observed(
    users: DatabaseConfig, tmp_path: Path, probe: ObservingProbe, format: str
) -> None:
    name, _, head = _HEADS[format]
    body = "CREATE INDEX CONCURRENTLY by_name ON users (name);\n"
    if format != "golang-migrate":  # there several statements are a transaction
        body += "ALTER TABLE users ADD CONSTRAINT c CHECK (id > 0) NOT VALID;\n"
        body += "ALTER TABLE users VALIDATE CONSTRAINT c;\n"
    (tmp_path / name.format("a")).write_text(head + body)
    _up(users, tmp_path, format, probe)
    (step,) = probe.steps
    assert not step.transactional
    assert step.touched is None
    verdicts = [judge(each.effect) for each in step.statements]
    assert verdicts == [Verdict.LONG, Verdict.BRIEF, Verdict.LONG][: len(verdicts)]
    (build,) = step.statements[0].effect.work
    assert (build.kind, build.relation, build.index) == (
        WorkKind.INDEX_BUILD,
        "public.users",
        "public.by_name",
    )
    with connect(users) as session:
        found = session.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_name'::regclass")
        assert found.fetchone() == (True,)


def test_a_statement_that_the_server_wants_outside_is_observed_outside(
    users: DatabaseConfig, tmp_path: Path, probe: ObservingProbe
) -> None:
    body = "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;"
    (tmp_path / "001_a.up.sql").write_text(body)
    (tmp_path / "002_b.up.sql").write_text("CALL p();")
    _up(users, tmp_path, "golang-migrate", probe)
    assert [each.transactional for each in probe.steps] == [True, False]
    assert [len(each.statements) for each in probe.steps] == [1, 1]


def test_a_step_that_fails_says_which_statement_did(
    users: DatabaseConfig, tmp_path: Path, probe: ObservingProbe
) -> None:
    (tmp_path / "001_a.up.sql").write_text("CREATE TABLE t (id int);\nALTER TABLE nope ADD COLUMN a int;")
    with pytest.raises(MigrationFailed) as failed:
        _up(users, tmp_path, "golang-migrate", probe)
    probe.fail(failed.value)
    (step,) = probe.steps
    assert step.failure is failed.value
    assert [each.effect.sqlstate for each in step.statements] == ["", "42P01"]
    assert _verdict(step) is Verdict.FAILS


def test_a_step_whose_commit_fails_is_told_as_failed(
    users: DatabaseConfig, tmp_path: Path, probe: ObservingProbe
) -> None:
    (tmp_path / "001_a.up.sql").write_text(_FAILS_AT_COMMIT)
    with pytest.raises(MigrationFailed) as failed:
        _up(users, tmp_path, "golang-migrate", probe)
    probe.fail(failed.value)
    (step,) = probe.steps
    assert step.failure is failed.value
    assert len(step.statements) == 2


def test_a_commit_that_fails_outside_a_transaction_is_the_statements_failure(
    users: DatabaseConfig, tmp_path: Path, probe: ObservingProbe
) -> None:
    (tmp_path / "00001_a.sql").write_text(_HEADS["goose"][2] + _FAILS_AT_COMMIT)
    with pytest.raises(MigrationFailed) as failed:
        _up(users, tmp_path, "goose", probe)
    probe.fail(failed.value)
    (step,) = probe.steps
    assert [each.effect.sqlstate for each in step.statements] == ["", "23505"]


def test_the_runs_own_locks_and_rows_are_not_the_migrations(
    users: DatabaseConfig, tmp_path: Path, probe: ObservingProbe
) -> None:
    (tmp_path / "001_a.up.sql").write_text("SELECT 1;")
    (tmp_path / "002_b.up.sql").write_text("SELECT 2;")
    _up(users, tmp_path, "golang-migrate", probe)
    for step in probe.steps:
        (statement,) = step.statements
        assert statement.effect.held == ()
        assert statement.effect.work == ()


def test_what_new_migrations_make_is_not_in_use_with_a_base(
    users: DatabaseConfig, tmp_path: Path, probe: ObservingProbe
) -> None:
    (tmp_path / "001_a.up.sql").write_text("CREATE TABLE t (id int); ALTER TABLE users ADD COLUMN a int;")
    (tmp_path / "002_b.up.sql").write_text("DROP TABLE t; ALTER TABLE users DROP COLUMN a;")
    with connect(users) as session:
        probe.observer.mark_in_use(session)
    _up(users, tmp_path, "golang-migrate", probe)
    assert [_verdict(each) for each in probe.steps] == [Verdict.BRIEF, Verdict.BRIEF]


def test_a_view_that_is_dropped_and_made_again_is_replaced(
    users: DatabaseConfig, tmp_path: Path, probe: ObservingProbe
) -> None:
    with connect(users) as session:
        session.execute("CREATE VIEW v AS SELECT id, name FROM users")
        session.execute("CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'")
    again = (
        "DROP VIEW v;\nDROP FUNCTION f(int);\n{};\n"
        "CREATE FUNCTION f(int) RETURNS text LANGUAGE sql AS $$SELECT ''$$;"
    )
    (tmp_path / "001_a.up.sql").write_text(again.format("CREATE VIEW v AS SELECT id, name, org FROM users"))
    (tmp_path / "002_b.up.sql").write_text("DROP VIEW v; CREATE VIEW v AS SELECT id FROM users;")
    _up(users, tmp_path, "golang-migrate", probe)
    kinds = [[each.kind for s in step.statements for each in s.effect.changes] for step in probe.steps]
    assert kinds == [[ChangeKind.REPLACED, ChangeKind.REPLACED], [ChangeKind.DROPPED]]
    assert [_verdict(each) for each in probe.steps] == [Verdict.BRIEF, Verdict.BREAKING]


def test_modes_of_the_transaction_can_still_be_set(
    users: DatabaseConfig, tmp_path: Path, probe: ObservingProbe
) -> None:
    body = (
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nSET TRANSACTION DEFERRABLE;\n"
        "SET LOCAL role = pg_monitor;\nSELECT current_role;\nRESET ROLE;\n"
        "ALTER TABLE users ADD COLUMN b text DEFAULT E'a\\\\b';\n"
        "SET LOCAL search_path = pg_catalog;\nALTER TABLE public.users ADD COLUMN c text;\nDEALLOCATE ALL;\nSELECT 1;"
    )
    (tmp_path / "001_a.up.sql").write_text(body)
    _up(users, tmp_path, "golang-migrate", probe)
    assert _verdict(probe.steps[0]) is Verdict.BRIEF
