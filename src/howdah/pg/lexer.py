"""PostgreSQL's tokens: where each begins and ends, as the server's own lexer (scan.l) sees them.

Everything that reads SQL without a server stands on this module: splitting, classifying, checksums. It knows
lexical rules only, those of servers 14 and newer with `standard_conforming_strings` on, the default.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple, NoReturn

from howdah.errors import ScriptError

BYTE_ORDER_MARK = "\ufeff"

# Every byte above 127 is a letter to PostgreSQL, so every character above 127 is one here.
SPACE = r"[ \t\n\r\f\v]"
WORD = r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*+"
TAG = r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*+"
DOLLAR_TAG = rf"\$(?:{TAG})?+\$"
LINE_COMMENT = r"--[^\n\r]*+"
# Parts of one string constant are parted by blank space with a newline in it, and no block comment.
CONTINUATION = rf"(?:[ \t\f\v]|{LINE_COMMENT})*+[\n\r](?:{SPACE}|{LINE_COMMENT}[\n\r])*+"
PLAIN_PART = r"'(?:[^']++|'')*+'"
ESCAPE_PART = r"'(?:[^'\\]++|''|\\.)*+'"
_BIT_PART = r"'[^']*+'"  # the only one in which '' does not mean a quote


def _string(prefix: str, part: str) -> str:
    return rf"{prefix}{part}(?:{CONTINUATION}{part})*+"


ESCAPE_STRING = _string("[eE]", ESCAPE_PART)
_PLAIN_STRING = _string("(?:[uU]&|[nN])?+", PLAIN_PART)
_BIT_STRING = _string("[bBxX]", _BIT_PART)

# scan.l, rule {operator}: cut where a comment starts; trailing signs are tokens of their own unless one of
# the special characters occurs. Over 63 characters is an error, so 64 keeps the match exact and linear.
_SIGN = r"(?:\+|-(?!-))"
_COMPARING = r"(?:[<>=*]|/(?!\*))"
_SPECIAL = r"[~!@#^&|`?%]"
_OPERATOR = (
    rf"(?:{_SIGN}|{_COMPARING}){{0,64}}+{_SPECIAL}(?:{_SIGN}|{_COMPARING}|{_SPECIAL})*+"
    rf"|(?:{_SIGN}{{0,64}}+{_COMPARING})++"
    rf"|{_SIGN}"
)
_DIGITS = r"[0-9](?:_?[0-9])*+"
_NUMBER = (
    r"(?:0[xX](?:_?[0-9A-Fa-f])++|0[oO](?:_?[0-7])++|0[bB](?:_?[01])++"
    rf"|(?:{_DIGITS}(?:\.(?!\.)(?:{_DIGITS})?+)?+|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?+)"
)

_TOKEN = re.compile(
    rf"{SPACE}*+(?:"
    rf"(?P<STRING>{ESCAPE_STRING}|{_PLAIN_STRING}|{_BIT_STRING})"
    r'|(?P<QUOTED>(?:[uU]&)?+"(?:[^"]++|"")*+")'
    rf"|(?P<WORD>(?![eEbBxXnN]'){WORD})"
    r"|(?P<COMMA>,)"
    # Junk behind a number is an error of servers since 15; it must not look like a word of its own.
    rf"|(?P<NUMBER>(?:{_NUMBER}|\$[0-9]++)(?:{WORD})?+)"
    r"|(?P<OPEN>\()|(?P<CLOSE>\))|(?P<SEMICOLON>;)"
    r"|(?P<PUNCTUATION>\[|\]|::|:=|:|\.\.|\.)"
    rf"|(?P<COMMENT>{LINE_COMMENT})"
    rf"|(?P<OPERATOR>{_OPERATOR})"
    rf"|(?P<DOLLAR>{DOLLAR_TAG})"
    r"|(?P<BLOCK_COMMENT>/\*)"
    r"|(?P<END>\Z)"
    r"|(?P<OTHER>.))",
    re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


class Kind(Enum):
    """What a token is."""

    STRING = "string"  # with its prefix: N'x' is a constant of type nchar, where N 'x' is one of type n
    QUOTED = "quoted identifier"
    WORD = "word"  # a keyword or an unquoted identifier
    NUMBER = "number"  # or a parameter, as $1
    OPERATOR = "operator"
    COMMA = ","
    OPEN = "("
    CLOSE = ")"
    SEMICOLON = ";"
    PUNCTUATION = "punctuation"  # [ ] : . :: := ..
    COMMENT = "comment"
    OTHER = "other"  # PostgreSQL has no use for it, as for a lone $


# By the number of the group: names are slower to look up, and a script has millions of tokens.
_KINDS = [None, *(Kind.__members__.get(name) for name in _TOKEN.groupindex)]
_DOLLAR, _BLOCK_COMMENT = _TOKEN.groupindex["DOLLAR"], _TOKEN.groupindex["BLOCK_COMMENT"]


class Token(NamedTuple):
    """A token's kind and its place, `script[start:end]`."""

    kind: Kind
    start: int
    end: int


def read_tokens(script: str, start: int = 0) -> Iterator[Token]:
    """The tokens of the script from `start` on, comments included, blank space left out.

    Raises ScriptError where a string, quoted identifier or comment is not closed, and at a backslash: outside
    literals it starts a command of psql, which no server understands.
    """
    match, position = _TOKEN.match, start
    while found := match(script, position):
        group = found.lastindex or 0
        kind = _KINDS[group]
        begin, position = found.span(group)
        if kind is None:  # the end, or more than the expression can match
            if group == _DOLLAR:
                kind, position = Kind.STRING, dollar_quote_end(script, begin, position)
            elif group == _BLOCK_COMMENT:
                kind, position = Kind.COMMENT, block_comment_end(script, begin)
            else:
                return
        elif kind is Kind.OTHER:
            check_other(script, begin)
        yield Token(kind, begin, position)


def dollar_quote_end(script: str, start: int, body: int) -> int:
    """Where the dollar-quoted string ends whose opening tag is `script[start:body]`."""
    tag = script[start:body]
    end = script.find(tag, body)
    if end < 0:
        fail(script, start, f"dollar-quoted string {tag} is not closed")
    return end + len(tag)


def block_comment_end(script: str, start: int) -> int:
    """Where the block comment ends that starts at `start`; comments nest."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(script, start):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return fail(script, start, "comment /* is not closed")


def check_other(script: str, position: int) -> None:
    """Raise where the character at `position`, which begins no token, makes what follows unreadable."""
    character = script[position]
    if character in "'eEbBxXnN":  # a letter comes here only as the prefix of a string without an end
        fail(script, position, "string is not closed")
    if character == '"':
        fail(script, position, "quoted identifier is not closed")
    if character == "\0":
        fail(script, position, "NUL byte", why="PostgreSQL's text cannot hold it.")
    if character == "\\":
        command = re.compile(r"\\[!?.;]|\\\S*").match(script, position)
        assert command
        fail(
            script,
            position,
            f"psql command {command.group()}",
            why="Commands that start with a backslash are run by psql, never by a server.",
            fix="Remove the line; a dump made for psql is restored with psql.",
        )


def fail(script: str, offset: int, message: str, **details: str) -> NoReturn:
    """Raise ScriptError for the place at `offset`."""
    raise ScriptError(message, line=line_at(script, offset), offset=offset, **details)


def line_at(script: str, offset: int) -> int:
    """The line, counted from 1, on which the character at `offset` stands."""
    return 1 + script.count("\n", 0, offset)
