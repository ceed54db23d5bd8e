from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.config.dotenv import parse_env, read_env_file
from howdah.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\nB=2", {"A": "1", "B": "2"}),
        ("  export A = 1  \n", {"A": "1"}),
        ("\n# comment\n  # another\nA=1 # why\n", {"A": "1"}),
        ("A=#1\nB=a#b\nC= # nothing\nD=", {"A": "", "B": "a#b", "C": "", "D": ""}),
        ("A='a # b'\nB=\"a # b\" # why", {"A": "a # b", "B": "a # b"}),
        ("A='it\\'s \\n ${B} $C'", {"A": "it's \\n ${B} $C"}),
        ('A="a\\nb\\t\\"\\\\ \\$ \\x"', {"A": 'a\nb\t"\\ $ \\x'}),
        ("A=\"one\ntwo\"\nB='one\n# two'\nC=3", {"A": "one\ntwo", "B": "one\n# two", "C": "3"}),
        ("A=1\r\nB='2'\r\n", {"A": "1", "B": "2"}),
        ("\ufeffA=1", {"A": "1"}),
        ("A=x\nB=${A}y\nC=${NO:-z}\nD=${NO}", {"A": "x", "B": "xy", "C": "z", "D": ""}),
        ('A=x\nB="${A} \\${A}"', {"A": "x", "B": "x ${A}"}),
        ("A=pa$word\nB=$(id)\nC=`id`", {"A": "pa$word", "B": "$(id)", "C": "`id`"}),
        ("A=1\nA=2", {"A": "2"}),
        ("A\nB=1", {"B": "1"}),
        ("A=p=q==", {"A": "p=q=="}),
        ("A=it's", {"A": "it's"}),
        ("A=é ü", {"A": "é ü"}),
        ("", {}),
    ],
)
def test_a_file_is_read(text: str, expected: dict[str, str]) -> None:
    assert parse_env(text, environ={}) == expected


def test_the_environment_comes_first_in_references() -> None:
    assert parse_env("A=file\nB=${A}", environ={"A": "real"}) == {"A": "file", "B": "real"}


@pytest.mark.parametrize(
    ("text", "line"),
    [("A=1\nB='hunter2", 2), ('A="hunter2" x', 1), ("A=1\n\nB-C D=hunter2", 3), ("=hunter2", 1)],
)
def test_a_wrong_line_is_named_and_not_shown(text: str, line: int) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_env(text, environ={}, file="deploy.env")
    assert str(caught.value.where) == f"deploy.env:{line}"
    assert "hunter2" not in f"{caught.value} {caught.value.why} {caught.value.fix}"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\\'")))
def test_any_text_in_single_quotes_stands_for_itself(value: str) -> None:
    assert parse_env(f"A='{value}'\nB=1", environ={}) == {"A": value, "B": "1"}


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_file_is_read_or_refused_with_a_line(text: str) -> None:
    try:
        variables = parse_env(text, environ={})
    except ConfigError as error:
        where = error.where
    else:
        where = None
        assert all(name in text for name in variables)
    assert where is None or (where.line or 0) >= 1


def test_a_missing_file_has_no_variables(tmp_path: Path) -> None:
    assert read_env_file(tmp_path / ".env", environ={}) == {}


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_env_file(tmp_path / ".env", environ={})
