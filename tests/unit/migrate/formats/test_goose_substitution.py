"""The variables of ENVSUB ON, as mfridman/interpolate puts them in."""

from __future__ import annotations

import pytest

from howdah.errors import SourceError
from howdah.migrate.formats.goose.substitution import substitute

VARIABLES = {"A": "value", "EMPTY": "", "Ümlaut1": "ü", "LONG_1": "häuser"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("nothing", "nothing"),
        ("$A", "value"),
        ("${A}b", "valueb"),
        ("$A$A-$A", "valuevalue-value"),
        ("$EMPTY.", "."),
        ("$Ümlaut1!", "ü!"),
        ("${EMPTY:-b}|${UNSET:-b}|${A:-b}", "b|b|value"),
        ("${EMPTY-b}|${UNSET-b}|${A-b}", "|b|value"),
        ("${UNSET:-${EMPTY:-$A}}", "value"),
        ("${UNSET:-}", ""),
        ("${A?no}|${EMPTY?no}", "value|"),
        ("${A:-${UNSET?no}}", "value"),
        ("${A:1}|${A:1:2}|${A:-1:2}|${A: -1}|${A:0:-1}|${A:9}|${A:-9}", "alue|al|value|e|valu||value"),
        ("${LONG_1:0:3}|${LONG_1: 3 : 2 }", "hä|us"),
        ("${A:+1}", "alue"),
        ("$$A|\\$A|$${A}", "$A|$A|${A}"),
        ("\\\\$A", "\\\\value"),
        ("\\n", "\\n"),
        ("$(date)", "$(date)"),
        ("costs 5$", "costs 5$"),
        ("AS $$ SELECT 1 $$;", "AS $ SELECT 1 $;"),
        ("${UNSET:-a}b}", "ab}"),
        ("{A} }", "{A} }"),
        ("a\ufffdb $A", "a\ufffdb value"),
    ],
)
def test_a_line_is_expanded(line: str, expected: str) -> None:
    assert substitute(line, VARIABLES) == expected


@pytest.mark.parametrize(
    "line",
    [
        "$UNSET.",
        "${UNSET}",
        "${UNSET:1}",
        "$1",
        "$ x",
        "$_A",
        "${}",
        "${A",
        "${A:}",
        "${A:x}",
        "${A:1:}",
        "${A:1:2:3}",
        "${A:?no}",
        "${A+b}",
        "${A%b}",
        "${UNSET?}",
        "${UNSET?why}",
        "${EMPTY:-${UNSET?why}}",
        "${A:99999999999999999999}",
        "${LONG_1:0:2}",  # half of a letter
        "$tag$ body $tag$",
        "${A-",
    ],
)
def test_what_cannot_be_expanded_is_refused(line: str) -> None:
    with pytest.raises(SourceError) as caught:
        substitute(line, VARIABLES)

    assert caught.value.code == "substitution-failed"


@pytest.mark.parametrize("value", ["a\nb", "\udcff"])
def test_a_value_that_would_move_lines_or_is_no_text_is_refused(value: str) -> None:
    with pytest.raises(SourceError):
        substitute("$A", {"A": value})
