"""goose's own parser and ours read the same random files: refused or accepted alike, with the same messages.

The oracle is goose with a database that only writes down what it is sent (tests/interop/programs/goose-parse).
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fix_server import tools_directory
from howdah.errors import SourceError
from howdah.migrate.formats.goose.files import GooseFiles
from howdah.migrate.formats.goose.sections import read_section
from howdah.migrate.formats.goose.substitution import substitute
from howdah.migrate.formats.interface import Transaction
from howdah.migrate.migration import Direction
from howdah.pg.lexer import Kind, read_tokens
from howdah.pg.statements import split_script

pytestmark = [
    pytest.mark.interop,
    pytest.mark.proves(
        "random files mean the same to its parser and to ours",
        peer="goose",
        tool="goose",
        format="goose",
    ),
]

T = TypeVar("T")

VARIABLES = {"A": "häuser", "EMPTY": "", "LONG_1": "one two"}
PATH = Path("1_file.sql")
# Refused here, and not by goose: it would run something else than what is written.
OURS = {"line-left-out", "split-apart", "bad-script"}

ANNOTATIONS = [
    *("-- +goose Up", "-- +goose Down", "-- +goose StatementBegin", "-- +goose StatementEnd"),
    *("-- +goose NO TRANSACTION", "-- +goose ENVSUB ON", "-- +goose ENVSUB OFF"),
]
ODD_ANNOTATIONS = [
    *("--+goose up", "--+goose  dOWN \t", " -- +goose Up", "-- +goose Upp", "-- +goose", "-- Up +goose"),
    *(
        "-- +goose Up -- +goose Down",
        "---+goose Up",
        "-- -- +goose up --",
        "\ufeff-- +goose Up",
        "\v-- +goose Up",
    ),
    *(
        "--+goose \u017ftatementbegin",
        "-- +goose ENVSUB  ON",
        "-- +goose Up;",
        "/* */ -- +goose Up",
        "-- +GOOSE Down",
    ),
]
BLANKS = ["", " ", "   ", "\t", "\r", "\u00a0", "\u2003", "\x1c", "\u200b", "\x85"]
SQL = [
    *(
        "SELECT 1;",
        "SELECT 1",
        "FROM t;",
        ";",
        "SELECT 1; -- x",
        "SELECT 1 -- x;",
        "SELECT 1--x;",
        "SELECT 1;--x",
    ),
    *(
        "SELECT 'a -- b';",
        "SELECT ';",
        "';",
        'AS "a;',
        '";',
        "SELECT $$a;",
        "b$$;",
        "$x$;",
        "/* a;",
        "b */",
        "*/;",
    ),
    *(
        "/* c; */ SELECT 2;",
        "SELECT 1; SELECT 2;",
        "DO (SELECT 1;",
        "SELECT 2);",
        "-- note",
        "  -- note;",
        "x --y; z;",
    ),
    *("CREATE RULE r AS ON INSERT TO t DO (SELECT 3;", "CREATE FUNCTION f() BEGIN ATOMIC", "END;", "E'\\';"),
    *(
        "SELECT $A;",
        "SELECT '${EMPTY:-x}';",
        "'${A:1:2}'",
        "${UNSET?no};",
        "\\$A;",
        "${A",
        "$LONG_1;",
        "$(x);",
        "$1;",
    ),
]


@st.composite
def files(draw: st.DrawFn) -> str:
    """A file of lines that matter, most of them with an Up to begin with."""
    pieces = st.one_of(
        st.sampled_from(ANNOTATIONS), st.sampled_from(SQL), st.sampled_from(BLANKS + ODD_ANNOTATIONS)
    )
    line = st.builds(str.__add__, pieces, st.sampled_from(["", "", "", "", *BLANKS]))
    lines = draw(st.lists(line, max_size=12))
    if draw(st.integers(0, 7)):
        lines.insert(0, "-- +goose Up")
    return draw(st.sampled_from(["\n", "\n", "\r\n"])).join(lines) + draw(st.sampled_from(["", "\n"]))


EXPANSIONS = st.lists(
    st.sampled_from(
        [*"$${}:-?\\()_ 012ä+\ufffd", "A", "EMPTY", "LONG_1", "UNSET", "${A:", "${EMPTY:-", "${UNSET-"]
    ),
    max_size=12,
).map("".join)


@dataclass
class Oracle:
    """The real goose, asked one question at a time."""

    process: subprocess.Popen[str]

    def ask(self, text: str, direction: Direction) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        question = {"text": text, "up": direction is Direction.UP, "variables": VARIABLES}
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    program = tools_directory() / "bin" / "goose-parse"
    if not program.exists():
        reason = "no goose-parse here; `make tools` builds it"
        if os.environ.get("CI") == "true" or os.environ.get("HOWDAH_REQUIRE_TOOLS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        yield Oracle(process)
        assert process.stdin
        process.stdin.close()


def attempt(call: Callable[[], T]) -> T | SourceError:
    """What a call returns or refuses with."""
    try:
        return call()
    except SourceError as error:
        return error


def tokens(statements: str) -> list[str]:
    """What PostgreSQL reads: neither comments nor blank space."""
    return [statements[begin:end] for kind, begin, end in read_tokens(statements) if kind is not Kind.COMMENT]


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files(), st.sampled_from(Direction))
@example("-- +goose Up\n-- +goose StatementBegin\n-- +goose StatementEnd\nSELECT 1;\n", Direction.UP)
@example("-- +goose Up\nSELECT 1;\u00a0\nSELECT 2;", Direction.UP)
@example("-- +goose Up\n  \n-- note\n-- +goose Down\n", Direction.UP)
@example("-- +goose Up\n" + "x" * (4 * 1024 * 1024 - 2) + ";\n", Direction.UP)
@example("-- +goose Up\n" + "x" * (4 * 1024 * 1024 - 1) + ";\n", Direction.UP)
@example("-- +goose Up\n" + "x" * (4 * 1024 * 1024 - 2) + ";\r\n", Direction.UP)
def test_a_file_means_the_same_to_goose_and_to_us(oracle: Oracle, text: str, direction: Direction) -> None:
    theirs = oracle.ask(text, direction)
    section = attempt(lambda: read_section(PATH, text, direction, VARIABLES))
    if isinstance(section, SourceError):
        assert theirs["error"] or section.code in OURS, section
        return
    messages = [each for each in theirs["messages"] if each]
    assert not theirs["error"]
    assert [each.text for each in section.messages] == messages
    assert section.is_transactional is theirs["transaction"]

    body = attempt(lambda: GooseFiles(VARIABLES).read_body(PATH, text, direction))
    if isinstance(body, SourceError):
        assert body.code in OURS or body.code == "bad-annotation"  # in the middle of a literal
        return
    assert (body.transaction is Transaction.ALWAYS) is theirs["transaction"]
    assert [tokens(each.text) for each in split_script(body.text)] == [
        tokens(each.text) for message in messages for each in split_script(message)
    ]


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EXPANSIONS)
@example("${LONG_1:-3:2}${LONG_1: -3:2}${LONG_1:9}${LONG_1:1:-1}")
@example("${UNSET:-${EMPTY-x}}}$")
def test_variables_are_put_in_as_goose_does(oracle: Oracle, expression: str) -> None:
    block = f"-- +goose StatementBegin\nx{expression}x;\n-- +goose StatementEnd"
    theirs = oracle.ask(f"-- +goose Up\n-- +goose ENVSUB ON\n{block}\n", Direction.UP)
    ours = attempt(lambda: substitute(f"x{expression}x;", VARIABLES))
    if isinstance(ours, SourceError):
        # Half of a letter is no text for a server, and nothing may be a mistake: goose sends both all the same.
        assert theirs["error"] or "not UTF-8" in ours.message or "not set" in ours.message
    else:
        assert theirs["messages"] == [ours]
