"""PostgreSQL's tokens: where each begins and ends, as the server's own lexer (scan.l) sees them.

Everything that reads SQL without a server stands on this module: splitting, classifying, checksums. It knows
lexical rules only, those of servers 14 and newer with `standard_conforming_strings` on, the default.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NoReturn

from howdah.errors import ScriptError

BYTE_ORDER_MARK = "\ufeff"

# Every byte above 127 is a letter to PostgreSQL, so every character above 127 is one here. The classes name what
# they leave out: a class with characters up to U+10FFFF in it takes a millisecond to compile.
_LETTER = r"[^\x00-@\[-^`{-\x7f]"
_LETTER_DIGIT = r"[^\x00-/:-@\[-^`{-\x7f]"
_LETTER_DIGIT_DOLLAR = r"[^\x00-#%-/:-@\[-^`{-\x7f]"
SPACE = r"[ \t\n\r\f\v]"
WORD = rf"{_LETTER}{_LETTER_DIGIT_DOLLAR}*+"
DOLLAR_TAG = rf"\$(?:{_LETTER}{_LETTER_DIGIT}*+)?+\$"
LINE_COMMENT = r"--[^\n\r]*+"
PLAIN_PART = r"'(?:[^']++|'')*+'"
ESCAPE_PART = r"'(?:[^'\\]++|''|\\.)*+'"
BIT_PART = r"'[^']*+'"  # the only one in which '' does not mean a quote
# Parts of one string constant are parted by blank space with a newline in it, and no block comment.
CONTINUATION = rf"(?:[ \t\f\v]|{LINE_COMMENT})*+[\n\r](?:{SPACE}|{LINE_COMMENT}[\n\r])*+(?=')"

# scan.l, rule {operator}: cut where a comment starts; trailing signs are tokens of their own unless one of
# the special characters occurs. Over 63 characters is an error, so 64 keeps the match exact and linear.
_SIGN = r"(?:\+|-(?!-))"
_COMPARING = r"(?:[<>=*]|/(?!\*))"
_SPECIAL = r"[~!@#^&|`?%]"
# No possessive group has a look-ahead or anything else in it that fails after a first character: up to Python 3.11.4
# such a group ends at a wrong place (CPython's gh-106052). Where one would be right, an ordinary one does as well.
_OPERATOR = (
    rf"(?:{_SIGN}|{_COMPARING}){{0,64}}{_SPECIAL}(?:{_SIGN}|{_COMPARING}|{_SPECIAL})*"
    rf"|(?:{_SIGN}{{0,64}}{_COMPARING})+"
    rf"|{_SIGN}"
)
_DIGITS = r"[0-9](?:_?[0-9])*"
_NUMBER = (
    r"(?:0[xX](?:_?[0-9A-Fa-f])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+"
    rf"|(?:{_DIGITS}(?:\.(?!\.)(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?)"
)

_TOKEN = re.compile(
    rf"{SPACE}*+(?:"
    rf"(?P<STRING>(?:[uU]&|[nN])?+{PLAIN_PART}|[eE]{ESCAPE_PART}|[bBxX]{BIT_PART})"
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
_CONTINUATION = re.compile(CONTINUATION)
_PARTS = {
    **dict.fromkeys("eE", re.compile(ESCAPE_PART, re.DOTALL)),
    **dict.fromkeys("bBxX", re.compile(BIT_PART)),
}
_PLAIN_PART = re.compile(PLAIN_PART)
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
_GROUPS = _TOKEN.groupindex
_KINDS = [Kind.__members__.get(name) for name in ("", *_GROUPS)]
_KINDS[_GROUPS["DOLLAR"]] = Kind.STRING
_KINDS[_GROUPS["BLOCK_COMMENT"]] = Kind.COMMENT
_BEGINNINGS = {_GROUPS[name] for name in ("STRING", "DOLLAR", "BLOCK_COMMENT", "OTHER")}


def read_tokens(script: str, start: int = 0) -> Iterator[tuple[Kind, int, int]]:
    """The tokens from `start` on, comments included: what each is, where it begins, where it ends.

    Raises ScriptError where a string, quoted identifier or comment is not closed, and at a backslash: outside
    literals it starts a command of psql, which no server understands.
    """
    matches = _TOKEN.finditer(script, start)
    while found := next(matches, None):
        group = found.lastindex or 0
        kind = _KINDS[group]
        begin, end = found.span(group)
        if kind is None:  # the end of the script
            return
        if group in _BEGINNINGS and (whole := _whole_end(script, group, begin, end)) != end:
            end = whole
            matches = _TOKEN.finditer(script, end)
        yield kind, begin, end


def _whole_end(script: str, group: int, begin: int, end: int) -> int:
    """Where the token ends of which the expression found the beginning."""
    if group == _GROUPS["STRING"]:
        return _string_end(script, begin, end)
    if group == _GROUPS["DOLLAR"]:
        return _dollar_quote_end(script, begin, end)
    if group == _GROUPS["BLOCK_COMMENT"]:
        return _block_comment_end(script, begin)
    _check_other(script, begin)
    return end


def refuse_nul(script: str) -> None:
    """Raise ScriptError where the script has a NUL byte, which ends it for the server, in a literal too."""
    if (place := script.find("\0")) >= 0:
        _fail(script, place, "NUL byte", why="PostgreSQL's text cannot hold it.")


def leading_words(script: str, start: int = 0, *, limit: int) -> tuple[int, tuple[str, ...]]:
    """Where the first token from `start` on begins that is no comment (else the script's end), and the words there.

    The words are unquoted, in upper case, at most `limit` of them; any other token ends them.
    """
    first = len(script)
    words: list[str] = []
    for kind, begin, end in read_tokens(script, start):
        if kind is Kind.COMMENT:
            continue
        first = min(first, begin)
        if kind is not Kind.WORD:
            break
        words.append(script[begin:end].upper())
        if len(words) == limit:
            break
    return first, tuple(words)


def _string_end(script: str, start: int, end: int) -> int:
    """Where the string constant ends that begins at `start`, prefix included, and whose first part ends at `end`."""
    while gap := _CONTINUATION.match(script, end):
        part = _PARTS.get(script[start], _PLAIN_PART).match(script, gap.end())
        if not part:
            _fail(script, gap.end(), "string is not closed")
        end = part.end()
    return end


def _dollar_quote_end(script: str, start: int, body: int) -> int:
    """Where the dollar-quoted string ends whose opening tag is `script[start:body]`."""
    tag = script[start:body]
    end = script.find(tag, body)
    if end < 0:
        _fail(script, start, f"dollar-quoted string {tag} is not closed")
    return end + len(tag)


def _block_comment_end(script: str, start: int) -> int:
    """Where the block comment ends that starts at `start`; comments nest."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(script, start):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return _fail(script, start, "comment /* is not closed")


def _check_other(script: str, position: int) -> None:
    """Raise where the character at `position`, which begins no token, makes what follows unreadable."""
    character = script[position]
    if character in "'eEbBxXnN":  # a letter comes here only as the prefix of a string without an end
        _fail(script, position, "string is not closed")
    if character == '"':
        _fail(script, position, "quoted identifier is not closed")
    if character == "\\":
        command = re.compile(r"\\[!?.;]|\\\S*").match(script, position)
        assert command
        _fail(
            script,
            position,
            f"psql command {command.group()}",
            why="Commands that start with a backslash are run by psql, never by a server.",
            fix="Remove the line; a dump made for psql is restored with psql.",
        )


def _fail(script: str, offset: int, message: str, **details: str) -> NoReturn:
    """Raise ScriptError for the place at `offset`."""
    raise ScriptError(message, line=_line_at(script, offset), offset=offset, **details)


def _line_at(script: str, offset: int) -> int:
    """The line, counted from 1, on which the character at `offset` stands."""
    return 1 + script.count("\n", 0, offset)
