from __future__ import annotations

import pytest

from howdah.errors import ScriptError
from howdah.pg.normal_form import normal_form

SAME = {
    "blank space": ("SELECT a,b FROM t WHERE a=1;", "select a , b\n\tfrom t\nwhere a = 1"),
    "line ends": ("SELECT 1;\nSELECT 2;\n", "SELECT 1;\r\nSELECT 2;\r\n"),
    "byte order mark": ("SELECT 1", "\ufeffSELECT 1"),
    "comments": ("SELECT 1 + 2", "-- one; 'two\nSELECT 1 +/* three /* four */ */2 -- five"),
    "empty statements": ("SELECT 1; SELECT 2", ";;SELECT 1; /* x */ ; SELECT 2;;"),
    "case of words": ("create table T (A Int)", "CREATE TABLE t (a INT)"),
    "parts of a string": ("SELECT 'a'\n'b'", "SELECT 'a'  -- comment\r\n\n  'b'"),
    "signs": ("SELECT a=-1, b+-c", "SELECT a = - 1 , b + - c"),
    "ends of a routine's body": (
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END",
        "create function f ( ) returns int begin atomic\n  select 1 ;;\nend;",
    ),
}
DIFFERENT = {
    "a literal's content": ("SELECT 'a b'", "SELECT 'a  b'"),
    "a literal's line ends": ("SELECT 'a\nb'", "SELECT 'a\r\nb'"),
    "a literal's case": ("SELECT 'a'", "SELECT 'A'"),
    "a function's body": ("DO $$BEGIN END$$", "DO $$BEGIN  END$$"),
    "a quoted name's case": ('SELECT "a"', 'SELECT "A"'),
    "case of letters outside ASCII": ("SELECT é", "SELECT É"),
    "one operator or two": ("SELECT a ||-b", "SELECT a || -b"),
    "one number or two": ("SELECT 1.5", "SELECT 1 .5"),
    "one string or two": ("DO LANGUAGE 'plpgsql' 'x'", "DO LANGUAGE 'plpgsql'\n'x'"),
    "a doubled quote or two strings": ("SELECT 'a''b'", "SELECT 'a'\n'b'"),
    "the type of a national string": ("SELECT N'a'", "SELECT N 'a'"),
    "a hint of a semicolon": ("SELECT 1; SELECT 2", "SELECT 1 SELECT 2"),
    "junk behind a number": ("SELECT 1a", "SELECT 1 a"),
}


@pytest.mark.parametrize("what", SAME)
def test_it_does_not_see(what: str) -> None:
    one, two = SAME[what]
    assert normal_form(one) == normal_form(two)


@pytest.mark.parametrize("what", DIFFERENT)
def test_it_sees(what: str) -> None:
    one, two = DIFFERENT[what]
    assert normal_form(one) != normal_form(two)


def test_it_is_readable() -> None:
    assert normal_form("Create  TABLE T(\n a int -- x\n);") == "create table t ( a int )"


def test_a_script_of_nothing_is_empty() -> None:
    assert normal_form("\ufeff ; -- x\n;") == ""


def test_what_cannot_be_split_has_none() -> None:
    for script in ("SELECT 'x", "\\connect x", "SELECT '\0'"):
        with pytest.raises(ScriptError):
            normal_form(script)
