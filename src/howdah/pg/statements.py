"""Split an SQL script into its statements, exactly as PostgreSQL's parser would, with positions.

A semicolon ends a statement unless it stands in a literal, a comment, parentheses (CREATE RULE ... DO (a;
b)) or the body of a routine (BEGIN ATOMIC a; b; END). Only CREATE FUNCTION and CREATE PROCEDURE have such
bodies, and since no statement in one begins with END, an END behind a semicolon always closes the body,
whatever CASE ... END and labels named "end" stand inside the statements.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from howdah.pg import lexer
from howdah.pg.features import Feature, features_of
from howdah.pg.lexer import BYTE_ORDER_MARK, Kind, leading_words, read_tokens, refuse_nul

MAX_WORDS = 6


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a script.

    `text` has no semicolon at its end and no blank space or comments around it; `offset` is where it begins
    in the script, in characters; `line` is the line of its first token, from 1. `words` are the unquoted
    words it begins with, in upper case, at most six: enough to say what it is.
    """

    text: str
    offset: int
    line: int
    words: tuple[str, ...]

    @property
    def features(self) -> frozenset[Feature]:
        """What keeps it from simply being sent inside a transaction of ours."""
        return features_of(self.text)

    @property
    def end(self) -> int:
        """The offset behind the last character of the text."""
        return self.offset + len(self.text)


def shorten(text: str, *, limit: int) -> str:
    """The beginning of a statement on one line, for people."""
    shown = " ".join(text[: 4 * limit].split())
    return shown if len(shown) <= limit and len(text) <= 4 * limit else shown[: limit - 1] + "…"


def split_script(script: str) -> list[Statement]:
    r"""The statements of a script, without the empty ones; a byte order mark at the start counts as blank.

    The rows between COPY ... FROM STDIN and their end mark `\.` are left out. Raises ScriptError, with the
    line, for a string, quoted identifier or comment that is not closed, a NUL byte, and a command of psql.
    """
    refuse_nul(script)
    statements: list[Statement] = []
    known_words: dict[tuple[str, ...], tuple[str, ...]] = {}  # a dump begins a million statements alike
    position = int(script.startswith(BYTE_ORDER_MARK))
    line, counted = 1, 0
    while True:
        start, words = leading_words(script, position, limit=MAX_WORDS)
        if start == len(script):
            return statements
        find_end = _find_routine_end if _is_routine(words) else _find_end
        end, position = find_end(script, start)
        if end == start:
            continue
        line += script.count("\n", counted, start)
        counted = start
        words = known_words.setdefault(words, words)
        statement = Statement(script[start:end], start, line, words)
        statements.append(statement)
        if words[:1] == ("COPY",) and Feature.COPY_FROM_STDIN in statement.features:
            rows = _ROWS_END.search(script, position)
            position = rows.end() if rows else position


def _is_routine(words: tuple[str, ...]) -> bool:
    return words[:1] == ("CREATE",) and (
        words[1:2] in (("FUNCTION",), ("PROCEDURE",))
        or (words[1:3] == ("OR", "REPLACE") and words[3:4] in (("FUNCTION",), ("PROCEDURE",)))
    )


# Everything up to the next character that can matter to where a statement ends, in one match for speed.
# A doubled quote reads as two strings side by side, which end at the same place. Not possessive (see lexer.py),
# so there is a limit to how many pieces one match takes: it remembers each.
_LIMIT = 1000
_PLAIN = re.compile(
    rf"""(?: [ \t\n\r\f\v,.=:<>+*\[\]~!@\#^&|`?%0-9]++
           | (?![eE]') {lexer.WORD}
           | '[^']*+'
           | "[^"]*+"
           | -(?!-)
           | /(?!\*)
           | (?! {lexer.DOLLAR_TAG} ) \$
         ){{0,{_LIMIT}}}""",
    re.VERBOSE,
)
_ROWS_END = re.compile(r"^\\\.[ \t]*\r?$", re.MULTILINE)
_BLANK = " \t\n\r\f\v"


def _find_end(script: str, start: int) -> tuple[int, int]:
    """The end of the statement that begins at `start` and has no body, and where to look for the next."""
    depth = 0
    end = position = floor = start  # nothing but blank space and comments stands between `end` and `floor`
    plain = _PLAIN.match
    while True:
        found = plain(script, position)
        assert found
        begin, position = found.span()
        if position - begin >= _LIMIT:
            continue
        character = script[position : position + 1]
        if character == "(":
            depth += 1
            position += 1
        elif character == ")":
            depth = max(depth - 1, 0)
            position += 1
        elif character == ";" and depth:
            position += 1
        else:
            end = _last_token_end(script, position, floor=floor, end=end)
            if character == ";":
                return end, position + 1
            if not character:
                return end, position
            kind, _, position = next(read_tokens(script, position))  # a comment, $$ or E string; or an error
            floor = position
            end = end if kind is Kind.COMMENT else position


def _last_token_end(script: str, position: int, *, floor: int, end: int) -> int:
    """The end of the last token before `position`: `end`, if only blank space stands behind `floor`."""
    while position > floor and script[position - 1] in _BLANK:
        position -= 1
    return position if position > floor else end


def _find_routine_end(script: str, start: int) -> tuple[int, int]:
    """The same for CREATE FUNCTION and CREATE PROCEDURE, token by token."""
    depth = bodies = 0
    end = start
    head: list[str] = []  # the first words of the innermost statement; its other tokens are empty strings
    previous = ""
    for kind, begin, stop in read_tokens(script, start):
        if kind is Kind.COMMENT:
            continue
        if kind is Kind.SEMICOLON and depth == 0:
            if not bodies:
                return end, stop
            head, previous, end = [], "", stop
            continue
        depth = max(depth + (kind is Kind.OPEN) - (kind is Kind.CLOSE), 0)
        word = script[begin:stop].upper() if kind is Kind.WORD and depth == 0 else ""
        if bodies and not head and word == "END":
            bodies -= 1
        if (previous, word) == ("BEGIN", "ATOMIC") and _is_routine(tuple(head)):
            bodies += 1
            head = []
        elif len(head) < MAX_WORDS:
            head.append(word)
        previous, end = word, stop
    return end, len(script)
