"""Which statements may be run again, and what each is about."""

from __future__ import annotations

import pytest

from howdah.migrate.repeat import Repeat, Repeatable, makes_index, read_repeatable, waits_concurrently
from howdah.migrate.resume import can_resume
from howdah.pg.statements import split_script


def read(text: str) -> Repeatable | None:
    (statement,) = split_script(text)
    return read_repeatable(statement)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "A b" ON ONLY s."T" USING gin (c) WHERE d',
            Repeatable(
                Repeat.CREATE_INDEX,
                '"A b"',
                's."T"',
                if_exists=True,
                is_unique=True,
                rest="USING gin (c) WHERE d",
            ),
        ),
        (
            "create /* quick */ index concurrently i on t(a)",
            Repeatable(Repeat.CREATE_INDEX, "i", "t", rest="(a)"),
        ),
        ("DROP INDEX CONCURRENTLY IF EXISTS s.i", Repeatable(Repeat.DROP_INDEX, "s.i", if_exists=True)),
        ("REINDEX INDEX CONCURRENTLY i", Repeatable(Repeat.REINDEX, "i")),
        ("REINDEX (VERBOSE, CONCURRENTLY) TABLE t", Repeatable(Repeat.REINDEX, table="t")),
        ("REINDEX SCHEMA CONCURRENTLY s", Repeatable(Repeat.REINDEX)),
        ("ALTER TABLE p DETACH PARTITION s.c CONCURRENTLY", Repeatable(Repeat.DETACH, "s.c", "p")),
        ("ALTER TABLE ONLY t VALIDATE CONSTRAINT c", Repeatable(Repeat.HARMLESS)),
        ("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'meh'", Repeatable(Repeat.HARMLESS)),
        ("VACUUM (ANALYZE) t", Repeatable(Repeat.HARMLESS)),
        ("ANALYZE", Repeatable(Repeat.HARMLESS)),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", Repeatable(Repeat.HARMLESS)),
        ("SET statement_timeout = 0", Repeatable(Repeat.SESSION)),
        ("RESET ROLE", Repeatable(Repeat.SESSION)),
    ],
)
def test_what_may_be_run_again(text: str, expected: Repeatable) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "CREATE INDEX i ON t (a)",
        "CREATE INDEX CONCURRENTLY ON t (a)",
        "DROP INDEX i",
        "REINDEX TABLE t",
        "ALTER TABLE p DETACH PARTITION c",
        "ALTER TABLE t VALIDATE CONSTRAINT c, ADD COLUMN d int",
        "ALTER TYPE mood ADD VALUE 'meh'",
        "SET LOCAL lock_timeout = 1",
        "SET TRANSACTION READ ONLY",
        "INSERT INTO t VALUES (1)",
        "UPDATE t SET a = 1",
        "CALL p()",
        "DO $$ BEGIN END $$",
        "CREATE TABLE IF NOT EXISTS t ()",
        "BEGIN",
    ],
)
def test_what_may_not(text: str) -> None:
    assert read(text) is None


def test_an_index_that_is_made_in_a_transaction_has_a_name_too() -> None:
    (statement,) = split_script("CREATE INDEX IF NOT EXISTS i ON t (a)")
    made = makes_index(statement)
    assert made is not None
    assert (made.name, made.table, made.if_exists) == ("i", "t", True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ALTER TABLE p DETACH PARTITION c CONCURRENTLY", True),
        ("REINDEX (CONCURRENTLY) TABLE t", True),
        ("VACUUM t", False),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", False),
    ],
)
def test_what_waits_for_others_while_nobody_waits_for_it(text: str, expected: bool) -> None:
    (statement,) = split_script(text)
    assert waits_concurrently(statement) is expected


@pytest.mark.parametrize(
    ("script", "done", "expected"),
    [
        ("INSERT INTO t VALUES (1); VACUUM t;", 1, True),
        ("INSERT INTO t VALUES (1); VACUUM t;", 0, False),
        ("SET ROLE r; VACUUM t;", 1, True),
        ("DISCARD ALL; VACUUM t;", 1, False),
        ("VACUUM t;", 1, True),
    ],
)
def test_a_script_goes_on_only_with_what_may_be_run_again(script: str, done: int, expected: bool) -> None:
    assert can_resume(split_script(script), done) is expected
