from __future__ import annotations

import pytest

from howdah.pg.lexer import Kind, leading_words, read_tokens
from unit.pg import oracle

TOKENS = {
    'SELECT é."b""", \'c\'': ["SELECT", "é", ".", '"b"""', ",", "'c'"],
    "a+-1 b=-1 c@-1": ["a", "+", "-", "1", "b", "=", "-", "1", "c", "@-", "1"],
    "a->>-1 b||-c d!=-e": ["a", "->>", "-", "1", "b", "||-", "c", "d", "!=-", "e"],
    "a=>b c:=d e::f": ["a", "=>", "b", "c", ":=", "d", "e", "::", "f"],
    "g:h[1..2]": ["g", ":", "h", "[", "1", "..", "2", "]"],
    "1.5 .5 1. 1e5 1.5E-3 x.5": ["1.5", ".5", "1.", "1e5", "1.5E-3", "x", ".5"],
    "0xFF 0b1 0o7 1_000 1_000.5": ["0xFF", "0b1", "0o7", "1_000", "1_000.5"],
    "$1 $1$a$;$a$ a$b$c": ["$1", "$1", "$a$;$a$", "a$b$c"],
    "B'1''0' X'1F' U&'x' u&\"y\" e'\\'' E 'x'": [
        "B'1'",
        "'0'",
        "X'1F'",
        "U&'x'",
        'u&"y"',
        "e'\\''",
        "E",
        "'x'",
    ],
    "'a'\n'b' 'c' $$d$$\n'e'": ["'a'\n'b'", "'c'", "$$d$$", "'e'"],
    "*/**/- --x\n+": ["*", "/**/", "-", "--x", "+"],
    "<=- <>+ */+ +*": ["<=", "-", "<>", "+", "*/", "+", "+*"],
    "$ $a": ["$", "$", "a"],
}


@pytest.mark.parametrize("script", TOKENS)
def test_a_script_has_the_tokens_that_postgresql_sees(script: str) -> None:
    assert [script[start:end] for _, start, end in read_tokens(script)] == TOKENS[script]
    if "$ " not in script:
        source = script.encode()
        seen = [source[start:end].decode() for start, end, _ in oracle.tokens_of(script)]
        assert seen == TOKENS[script]


def test_a_token_has_a_kind() -> None:
    script = "a \"b\" 'c' 1 $2 + , ( ) ; [ -- x"
    assert [kind for kind, _, _ in read_tokens(script)] == [
        Kind.WORD,
        Kind.QUOTED,
        Kind.STRING,
        Kind.NUMBER,
        Kind.NUMBER,
        Kind.OPERATOR,
        Kind.COMMA,
        Kind.OPEN,
        Kind.CLOSE,
        Kind.SEMICOLON,
        Kind.PUNCTUATION,
        Kind.COMMENT,
    ]


def test_leading_words_end_at_the_first_other_token() -> None:
    assert leading_words('/* x */ drop Table "t"', limit=9) == (8, ("DROP", "TABLE"))
    assert leading_words("a b c", limit=2) == (0, ("A", "B"))
    assert leading_words("-- nothing", limit=2) == (10, ())
