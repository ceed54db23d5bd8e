"""What runs in a transaction, what outside, and what is refused before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from howdah.errors import SourceError
from howdah.migrate.formats.golang_migrate import GOLANG_MIGRATE
from howdah.migrate.migration import Direction, Migration, Step
from howdah.migrate.script import Execution, Script, load_script


def load(path: Path) -> Script:
    return load_script(GOLANG_MIGRATE, Step(Migration("1", "x", path), Direction.UP, None, "1"))


def script_of(tmp_path: Path, body: str | bytes) -> Path:
    path = tmp_path / "1_x.up.sql"
    path.write_bytes(body if isinstance(body, bytes) else body.encode())
    return path


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("", 0),
        ("-- nothing\n", 0),
        ("CREATE TABLE a (id int);", 1),
        ("CREATE TABLE a (id int);\r\nCREATE TABLE b (id int);\r\n", 2),
        ("DO $$ BEGIN PERFORM 1; PERFORM 2; END $$;", 1),
        ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 3", 2),
        ("SAVEPOINT a; SELECT 1; ROLLBACK TO a; RELEASE a;", 4),
        ("SET search_path = app; CREATE TABLE a (id int);", 2),
        ("SET client_encoding = 'UTF8'; SET standard_conforming_strings = on;", 2),
    ],
)
def test_ordinary_files_run_in_one_transaction(tmp_path: Path, body: str, count: int) -> None:
    script = load(script_of(tmp_path, body))

    assert (script.execution, len(script.statements), script.begin) == (Execution.TRANSACTION, count, "BEGIN")


@pytest.mark.parametrize(
    "begin", ["BEGIN", "begin work", "START TRANSACTION", "BEGIN ISOLATION LEVEL SERIALIZABLE"]
)
def test_a_file_wrapped_in_its_own_transaction_runs_in_ours_with_its_modes(
    tmp_path: Path, begin: str
) -> None:
    script = load(script_of(tmp_path, f"-- head\n{begin};\nCREATE TABLE a (id int);\nCOMMIT;\n"))

    assert script.execution is Execution.TRANSACTION
    assert script.begin == begin
    assert [each.text for each in script.statements] == ["CREATE TABLE a (id int)"]


@pytest.mark.parametrize(
    "body",
    [
        "CREATE INDEX CONCURRENTLY i ON a (id);",
        "VACUUM a",
        "CREATE TABLE a (id int); CREATE INDEX CONCURRENTLY i ON a (id); CREATE INDEX CONCURRENTLY j ON a (id);",
        "BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2; COMMIT;",
        "SELECT 1; COMMIT; SELECT 2;",
        "ALTER SYSTEM SET work_mem = '8MB'",
    ],
)
def test_what_a_transaction_cannot_hold_runs_outside_with_a_reason(tmp_path: Path, body: str) -> None:
    script = load(script_of(tmp_path, body))

    assert script.execution is Execution.OUTSIDE
    assert script.reason


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        ("\ufeffSELECT 1;", "byte-order-mark", 1),
        (b"SELECT 1;\n\xff", "not-utf8", 2),
        ("SELECT 1;\nCOPY a FROM stdin;\n1\n\\.\n", "copy-needs-psql", 2),
        ("COPY a TO STDOUT;", "copy-needs-psql", 1),
        ("SELECT 1;\n\\connect other\n", "bad-script", 2),
        ("SELECT 1;\n\nBEGIN;\nSELECT 2;", "unfinished-transaction", 3),
        ("BEGIN; SELECT 1;\nROLLBACK;", "rolls-back", 2),
        ("BEGIN; SELECT 1; COMMIT AND CHAIN;", "unfinished-transaction", 1),
        ("PREPARE TRANSACTION 'x';", "prepared-transaction", 1),
        ("BEGIN;\nCREATE INDEX CONCURRENTLY i ON a (id);\nCOMMIT;", "forbidden-in-transaction", 2),
        ("SELECT 'never closed;\n", "bad-script", 1),
        ("SELECT 1;\0", "bad-script", 1),
        ("SELECT 1;\nSET standard_conforming_strings = off;", "text-settings", 2),
        ("SET client_encoding = 'LATIN1';", "text-settings", 1),
        ("SET NAMES 'latin1';", "text-settings", 1),
        ("SELECT set_config('client_encoding', 'SQL_ASCII', false);", "text-settings", 1),
    ],
)
def test_what_could_only_fail_is_refused_with_its_line(
    tmp_path: Path, body: str | bytes, code: str, line: int
) -> None:
    with pytest.raises(SourceError) as caught:
        load(script_of(tmp_path, body))

    assert (caught.value.code, caught.value.where and caught.value.where.line) == (code, line)
    assert str(caught.value.where).startswith(str(tmp_path))


def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        load(tmp_path / "gone.up.sql")

    assert caught.value.code == "unreadable-migration"


def test_comments_and_layout_do_not_change_the_normal_checksum(tmp_path: Path) -> None:
    one = load(script_of(tmp_path, "CREATE TABLE a (id int);\n"))
    two = load(script_of(tmp_path, "-- why\r\nCREATE  TABLE a\r\n(id int);"))
    three = load(script_of(tmp_path, "CREATE TABLE a (id bigint);\n"))

    assert one.content.checksum != two.content.checksum
    assert one.content.normal_checksum == two.content.normal_checksum
    assert one.content.normal_checksum != three.content.normal_checksum
