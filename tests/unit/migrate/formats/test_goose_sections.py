"""goose's annotations and its splitting by lines; tests/interop/test_goose_parser.py asks goose itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from howdah.errors import SourceError
from howdah.migrate.formats.goose.files import GooseFiles
from howdah.migrate.formats.interface import Body, Transaction
from howdah.migrate.migration import Direction
from howdah.pg.statements import split_script

PATH = Path("1_a.sql")
FILES = GooseFiles()


def read(text: str, direction: Direction = Direction.UP) -> Body:
    return FILES.read_body(PATH, text, direction)


def statements(body: Body) -> list[tuple[int, str]]:
    """Each statement with its line in the file."""
    return [(each.line + body.first_line - 1, each.text) for each in split_script(body.text)]


def refusal(text: str, direction: Direction = Direction.UP) -> tuple[str, int | None]:
    with pytest.raises(SourceError) as caught:
        read(text, direction)
    assert caught.value.where
    assert caught.value.where.file == str(PATH)
    return caught.value.code, caught.value.where.line


TWO_WAYS = """\
-- about this file

-- +goose Up
CREATE TABLE t (
  id int -- its key

);
SELECT 1; -- why not
-- +goose Down
DROP TABLE t;
"""


def test_each_direction_runs_its_section_and_knows_its_lines() -> None:
    up, down = read(TWO_WAYS), read(TWO_WAYS, Direction.DOWN)

    assert statements(up) == [(4, "CREATE TABLE t (\n  id int -- its key\n\n)"), (8, "SELECT 1")]
    assert statements(down) == [(10, "DROP TABLE t")]
    assert up.transaction is down.transaction is Transaction.ALWAYS
    assert up.directive == "-- +goose NO TRANSACTION"
    assert not up.is_missing
    assert not down.is_missing


def test_what_stands_in_the_other_section_does_not_change_a_body() -> None:
    assert read(TWO_WAYS).text == read(TWO_WAYS.replace("DROP TABLE t;", "DROP TABLE t CASCADE;")).text
    shifted = read("-- more\n" + TWO_WAYS)
    assert (shifted.text, shifted.first_line) == (read(TWO_WAYS).text, 5)


def test_a_file_without_down_says_nothing_of_the_way_back() -> None:
    text = "-- +goose Up\nSELECT 1;\n"

    assert read(text, Direction.DOWN).is_missing
    assert not read(text).is_missing
    assert not read(text + "-- +goose Down\n", Direction.DOWN).is_missing


@pytest.mark.parametrize(
    "text", ["-- +goose Up", "-- +goose Up\n-- nothing\n\n", "-- +goose Up\n;\n", "\n\n-- +goose Up\n   "]
)
def test_an_up_with_nothing_in_it_is_fine(text: str) -> None:
    assert statements(read(text)) == []


@pytest.mark.parametrize(
    "line",
    [
        "-- +goose Up",
        "--+goose up",
        "-- +GOOSE UP".replace("GOOSE", "goose"),
        "--  +goose  Up  ",
        "-- Up +goose",
        "---- +goose Up --",
    ],
)
def test_annotations_are_written_in_many_ways(line: str) -> None:
    assert statements(read(f"{line}\nSELECT 1;")) == [(2, "SELECT 1")]


def test_annotations_fold_as_in_go() -> None:
    assert statements(
        read("-- +goose Up\n-- +goose \u017ftatementBegin\nSELECT 1\n-- +goose StatementEnd\n")
    ) == [(3, "SELECT 1")]
    assert refusal("-- +goose Up\n-- +goose \ufb05atementBegin\n") == ("bad-annotation", 2)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("\n\n", 2),
        ("-- a comment\n", 1),
        ("SELECT 1;\n-- +goose Up\n", 1),
        ("-- x\nSELECT 1;", 2),
        ("-- +goose Down\n-- +goose Up\n", 1),
        ("-- +goose Up\n-- +goose Up\n", 2),
        ("-- +goose Up\n-- +goose Down\n-- +goose Up\n", 3),
        ("-- +goose Up\n-- +goose Down\n-- +goose Down\n", 3),
        ("-- +goose Up\n -- +goose Down\n", 2),
        ("-- +goose Up\n\t-- +goose Down\n", 2),
        ("-- +goose\n", 1),
        ("-- +goose Upp\n", 1),
        ("-- +goose Up;\n", 1),
        ("-- +goose Up -- +goose Down\n", 1),
        ("-- +goose UP DOWN\n", 1),
        ("-- +goose Up\n-- as +goose wants it\n", 2),
        ("---+goose Up\n", 1),
        ("-- +goose StatementBegin\n", 1),
        ("-- +goose Up\n-- +goose StatementEnd\n", 2),
        ("-- +goose Up\n-- +goose StatementBegin\n-- +goose StatementBegin\n", 3),
        ("-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n-- +goose Down\n", 4),
        ("-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n", 3),
        (
            "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n-- +goose StatementEnd\n-- +goose StatementEnd\n",
            5,
        ),
    ],
)
def test_what_goose_refuses_is_refused_with_its_line(text: str, line: int) -> None:
    assert refusal(text) == ("bad-annotation", line)


def test_a_byte_order_mark_is_refused() -> None:
    assert refusal("\ufeff-- +goose Up\nSELECT 1;\n") == ("byte-order-mark", 1)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("-- +goose Up\nSELECT 1\n", 2),
        ("-- +goose Up\nSELECT 1;\nSELECT 2\n-- +goose Down\n", 3),
        ("-- +goose Up\nSELECT 'a -- b';\n", 2),  # goose takes the rest for a comment
        ("-- +goose Up\nSELECT 1; SELECT 2\n", 2),
        ("-- +goose Up\nSELECT 1; /* all */\n", 2),
        ("-- +goose Up\nSELECT 1;\x1c\n", 2),  # blank space to Python, not to Go
        ("-- +goose Up\n   \n-- a comment behind a line that only looks empty\n", 3),
    ],
)
def test_a_statement_that_does_not_end_for_goose_is_refused(text: str, line: int) -> None:
    assert refusal(text) == ("unfinished-message", line)


def test_only_the_section_that_runs_must_end() -> None:
    text = "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 'a -- b';\n"

    assert statements(read(text)) == [(2, "SELECT 1")]
    assert refusal(text, Direction.DOWN) == ("unfinished-message", 4)


@pytest.mark.parametrize("space", ["", " ", "\t", "\u00a0", "\u3000", " -- so", "\r"])
def test_blank_space_and_comments_may_follow_a_semicolon(space: str) -> None:
    assert statements(read(f"-- +goose Up\nSELECT 1;{space}\nSELECT 2;")) == [
        (2, "SELECT 1"),
        (3, "SELECT 2"),
    ]


FUNCTION = "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1;\nEND\n$$"


def test_a_function_in_a_block_is_one_statement() -> None:
    text = f"-- +goose Up\n-- +goose StatementBegin\n{FUNCTION}\n-- +goose StatementEnd\nSELECT f();\n"

    assert statements(read(text)) == [(3, FUNCTION), (9, "SELECT f()")]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (f"{FUNCTION};\n", 2),
        ("SELECT 1;\nSELECT 'a;\nb';\n", 3),
        ("SELECT $x$;\n$x$;\n", 2),
        ('SELECT 1 AS "a;\nb";\n', 2),
        ("SELECT 1; /* a;\nb; */ SELECT 2;\n", 2),
        ("SELECT 1 /* a;\nb */;\n", 2),
        ("CREATE RULE r AS ON INSERT TO t DO (SELECT 1;\nSELECT 2);\n", 2),
        ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC\nSELECT 1;\nEND;\n", 2),
        ("SELECT 1--x;\n+ 2;\n", 2),
        ("SELECT 1--x;\nSELECT 2;\n", 2),
    ],
)
def test_what_goose_would_send_in_pieces_is_refused(body: str, line: int) -> None:
    assert refusal(f"-- +goose Up\n{body}") == ("split-apart", line)


@pytest.mark.parametrize(
    "body",
    [
        "SELECT $$a$$;",
        "SELECT 1 -- x;\n;",
        "/* a\nb */ SELECT 1;",
        "SELECT 1;\n/* a; b */\nSELECT 2;",
        "SELECT 'a;b';",
        "CREATE FUNCTION f() RETURNS int LANGUAGE SQL AS $$ SELECT 1; $$;",
        "CREATE FUNCTION f() RETURNS int LANGUAGE SQL AS $$\n  SELECT 1 -- one\n$$;",
        "SELECT 1--x;",
    ],
)
def test_what_goose_sends_whole_runs_without_a_block(body: str) -> None:
    assert statements(read(f"-- +goose Up\n{body}\n"))


def test_text_that_never_ends_is_refused_as_such() -> None:
    assert refusal("-- +goose Up\nSELECT 'a;\n") == ("bad-script", 2)


def test_an_empty_block_takes_the_next_line_away() -> None:
    empty = "-- +goose Up\n-- +goose StatementBegin\n-- nothing\n-- +goose StatementEnd\n"

    assert refusal(f"{empty}\n-- so\nCREATE TABLE t ();\n") == ("line-left-out", 7)
    assert statements(read(f"{empty}  \nSELECT 1;")) == [(6, "SELECT 1")]
    assert statements(read(f"{empty}-- +goose Down\nSELECT 1;")) == []
    assert statements(read(f"{empty}-- +goose Down\nSELECT 1;", Direction.DOWN)) == [(6, "SELECT 1")]
    both = f"{empty}-- +goose StatementBegin\nSELECT 1\n-- +goose StatementEnd"
    assert statements(read(both)) == [(6, "SELECT 1")]


def test_no_transaction_holds_for_both_directions_wherever_it_stands() -> None:
    text = "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n"

    for place in (0, 13, 23, 38, len(text)):
        body = text[:place] + "-- +goose no transaction\n" + text[place:]
        assert read(body).transaction is read(body, Direction.DOWN).transaction is Transaction.NEVER


def test_several_statements_of_one_message_are_a_block() -> None:
    body = read(
        "-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\nSELECT 2; SELECT 3;\n"
        "-- +goose StatementBegin\nSELECT 4;\nSELECT 5;\n\n-- +goose StatementEnd\nSELECT\n6;\n"
        "-- +goose StatementBegin\nSELECT 7;\n-- +goose StatementEnd"
    )

    assert body.blocks == ((4, 4), (6, 7))
    assert [line for line, _ in statements(body)] == [3, 4, 4, 6, 7, 10, 13]


def test_lines_that_end_with_crlf_reach_the_server_without_cr_as_goose_sends_them() -> None:
    body = read("-- +goose Up\r\nCREATE TABLE t (\r\n  id text DEFAULT 'a\r\nb'\r\n);\r\n-- +goose Down\r\n")

    assert statements(body) == [(2, "CREATE TABLE t (\n  id text DEFAULT 'a\nb'\n)")]


def test_an_annotation_may_stand_in_a_statement_but_in_no_literal() -> None:
    inside = (
        "-- +goose Up\n-- +goose StatementBegin\nSELECT {}\n-- +goose NO TRANSACTION\n{};\n"
        "-- +goose StatementEnd\n"
    )

    assert statements(read(inside.format("1", "+ 2"))) == [(3, "SELECT 1\n\n+ 2")]
    assert refusal(inside.format("'a", "b'")) == ("bad-annotation", 4)
    assert refusal(inside.format("$$", "$$")) == ("bad-annotation", 4)


def test_a_line_of_four_mebibytes_is_too_long_for_goose() -> None:
    def text(size: int) -> str:
        return "-- +goose Up\nSELECT '" + "x" * (size - 10) + "';\n"

    longest = 4 * 1024 * 1024 - 1
    assert statements(read(text(longest)))
    assert refusal(text(longest + 1)) == ("line-too-long", 2)
    assert refusal(f"-- +goose Up\n--{'ä' * (longest // 2)}\n") == ("line-too-long", 2)


def test_variables_of_the_environment_are_refused_unless_allowed() -> None:
    text = "-- +goose Up\n-- +goose ENVSUB ON\nSELECT '${A}', $$1;\n-- +goose ENVSUB OFF\nSELECT '$A';\n"

    assert refusal(text) == ("substitution-not-allowed", 2)
    body = GooseFiles(variables={"A": "x"}).read_body(PATH, text, Direction.UP)
    assert statements(body) == [(3, "SELECT 'x', $1"), (5, "SELECT '$A'")]


def test_a_variable_that_is_missing_is_told_with_its_line() -> None:
    with pytest.raises(SourceError, match="nobody: who") as caught:
        GooseFiles(variables={}).read_body(
            PATH, "-- +goose Up\n-- +goose ENVSUB ON\nSELECT '${nobody?who}';\n", Direction.UP
        )

    assert caught.value.code == "substitution-failed"
    assert str(caught.value.where) == "1_a.sql:3"
