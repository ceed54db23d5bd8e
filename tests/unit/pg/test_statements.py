from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest

from howdah.errors import HowdahError, ScriptError
from howdah.pg.features import Feature
from howdah.pg.statements import Statement, split_script
from unit.pg import oracle

CASES = sorted((Path(__file__).parents[2] / "cases" / "split").iterdir())
# What psql would do with it, no server's parser can judge.
NOT_FOR_THE_ORACLE = {"copy-rows"}


def read(path: Path) -> str:
    return path.read_bytes().decode()


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_a_script_is_split_into_the_statements_of_its_case(case: Path) -> None:
    wanted = [read(path).removesuffix("\n") for path in sorted(case.glob("[0-9][0-9].sql"))]
    script = read(case / "input.sql")
    assert [statement.text for statement in split_script(script)] == wanted
    if case.name not in NOT_FOR_THE_ORACLE:
        assert oracle.statements_of(script) == wanted


def test_a_statement_knows_its_place_and_its_first_words() -> None:
    script = "\n-- head\n  create /* x */ unique\nINDEX concurrently i on t (a);\n\nSELECT 'x'"
    assert split_script(script) == [
        Statement(
            "create /* x */ unique\nINDEX concurrently i on t (a)",
            offset=11,
            line=3,
            words=("CREATE", "UNIQUE", "INDEX", "CONCURRENTLY", "I", "ON"),
        ),
        Statement("SELECT 'x'", offset=script.index("SELECT"), line=6, words=("SELECT",)),
    ]


def test_a_statement_says_what_keeps_it_from_a_transaction() -> None:
    (statement,) = split_script("VACUUM t;")
    assert statement.features == {Feature.NO_TRANSACTION}


def test_a_byte_order_mark_at_the_start_is_blank_and_elsewhere_a_letter() -> None:
    first, second = split_script("\ufeffSELECT 1; \ufeffSELECT 2")
    assert (first.text, first.offset) == ("SELECT 1", 1)
    assert (second.text, second.words) == ("\ufeffSELECT 2", ("\ufeffSELECT",))


def test_a_script_of_blank_space_and_comments_has_no_statements() -> None:
    for script in ("", " \n", "\ufeff", "-- x", "/* ; */ ;", "--\r\n"):
        assert split_script(script) == []


@pytest.mark.parametrize(
    ("script", "message", "line"),
    [
        ("SELECT 1;\nSELECT 'it''s", "string is not closed", 2),
        ("SELECT E'it\\'", "string is not closed", 1),
        ("SELECT 'a'\n'b", "string is not closed", 2),
        ("SELECT x'1f", "string is not closed", 1),
        ("\n\nSELECT N'x", "string is not closed", 3),
        ("SELECT U&'x", "string is not closed", 1),
        ('SELECT "a""', "quoted identifier is not closed", 1),
        ("\nDO $x$ BEGIN $$ $y$", "dollar-quoted string $x$ is not closed", 2),
        ("SELECT 1; /* a /* b */", "comment /* is not closed", 1),
        ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 'x; END", "string is not closed", 1),
        ("SELECT 1;\n\\connect other\nSELECT 2", "psql command \\connect", 2),
        ("\\restrict abc\n", "psql command \\restrict", 1),
        ("SELECT 1 \\gset\n", "psql command \\gset", 1),
        ("SELECT 1;\n\\.\n", "psql command \\.", 2),
        ("SELECT \0", "NUL byte", 1),
        ("SELECT '\n\0'", "NUL byte", 2),
    ],
)
def test_what_cannot_be_split_is_refused_with_its_line(script: str, message: str, line: int) -> None:
    with pytest.raises(ScriptError) as caught:
        split_script(script)
    assert (caught.value.message, caught.value.line) == (message, line)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, HowdahError)


def test_rows_for_copy_end_at_their_mark_only() -> None:
    rows = "COPY t FROM STDIN;\n'\n\\N\t\\.\n\\.x\n\\.\r\nSELECT 2"
    assert [statement.text for statement in split_script(rows)] == ["COPY t FROM STDIN", "SELECT 2"]


def test_copy_of_a_file_has_no_rows_in_the_script() -> None:
    with pytest.raises(ScriptError, match=r"psql command"):
        split_script("COPY t FROM '/stdin';\nSELECT 1;\n\\.\n")


def test_unbalanced_parentheses_do_not_hide_the_statements_before_them() -> None:
    first, rest = split_script("SELECT 1); SELECT (2; SELECT 3")
    assert (first.text, rest.text) == ("SELECT 1)", "SELECT (2; SELECT 3")


@pytest.mark.parametrize(
    "script",
    [
        "SELECT " + "(" * 100_000 + ")" * 100_000,
        "/*" * 100_000 + "*/" * 100_000 + "SELECT 1",
        "SELECT '" + "''" * 100_000 + "'",
        "SELECT 'a'" + "\n'b'" * 50_000,
        "SELECT " + "+-" * 50_000 + "1",
        "SELECT " + "$a" * 100_000 + " $",
        "SELECT 1" + " " * 500_000 + "; ",
        "SELECT 1" + " /**/" * 100_000 + "; ",
        "SELECT E'" + "\\'" * 100_000 + "'",
    ],
    ids=lambda script: script[:14],
)
def test_hostile_scripts_take_no_longer_than_their_length(script: str) -> None:
    began = time.process_time()
    assert len(split_script(script)) == 1
    assert time.process_time() - began < 3


def test_a_large_script_takes_little_more_memory_than_its_statements() -> None:
    row = (
        "INSERT INTO people (id, name, note) VALUES (4711, 'Ada ''the'' first; of all', E'line\\n', now());\n"
    )
    script = row * 20_000
    tracemalloc.start()
    statements = split_script(script)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(statements) == 20_000
    assert peak < 5 * len(script)


@pytest.mark.parametrize("pieces", [*range(490, 510), *range(990, 1010), 5000])
def test_a_statement_of_very_many_pieces_ends_at_its_semicolon(pieces: int) -> None:
    texts = [statement.text for statement in split_script("SELECT " + "a " * pieces + "( ; ) ; SELECT 2")]
    assert [texts[0][-5:], *texts[1:]] == ["( ; )", "SELECT 2"]
