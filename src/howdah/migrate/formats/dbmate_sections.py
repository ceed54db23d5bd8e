"""The sections of a dbmate file, found as dbmate's own regular expressions find them (pkg/dbmate/migration.go)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from howdah.errors import SourceError, Where
from howdah.migrate.migration import Direction
from howdah.pg.lexer import BYTE_ORDER_MARK

# Go's \s is these five characters, and neither the line tabulation nor anything beyond ASCII.
_SPACE = r"[\t\n\f\r ]"
_BEGINS = {
    each: re.compile(rf"^--{_SPACE}*migrate:{each.value}(?:{_SPACE}*$|{_SPACE}+[^\t\n\f\r ]+)", re.MULTILINE)
    for each in Direction
}
_DIRECTIVE = re.compile(rf"--{_SPACE}*migrate:(?:up|down)")
_BLANK_OR_COMMENT = re.compile(rf"{_SPACE}*(?:--[^\n]*)?")


@dataclass(frozen=True)
class Section:
    """One half of a file: its text with the directive, the line of that, and the directive's options."""

    text: str
    line: int
    options: Mapping[str, str]


def read_section(path: Path, text: str, direction: Direction) -> Section:
    """One of the two sections of a file.

    Raises:
        SourceError: dbmate would refuse the file, or fail at its second pair of sections.
    """
    up, down = _find(path, text)
    start, end = (up, down) if direction is Direction.UP else (down, len(text))
    section = text[start:end]
    return Section(section, _line_at(text, start), _read_options(section))


def _find(path: Path, text: str) -> tuple[int, int]:
    """Where the two sections begin."""
    ups = [match.start() for match in _BEGINS[Direction.UP].finditer(text)]
    if not ups:
        raise _bad(
            path, 1, "there is no '-- migrate:up'", _mark_hint(text) or "Begin the section with that line."
        )
    for number, line in enumerate(text[: ups[0]].split("\n"), 1):
        if not _BLANK_OR_COMMENT.fullmatch(line):
            raise _bad(
                path,
                number,
                "something stands before '-- migrate:up'",
                _mark_hint(text) or "Only empty lines and comments may; move it into the section.",
            )
    if len(ups) > 1:
        raise SourceError(
            "the file has several '-- migrate:up'",
            code="several-sections",
            where=Where(str(path), _line_at(text, ups[1])),
            why="dbmate would run the first, fail to record the second, and from then on show the whole file as"
            " applied.",
            fix="Make it one section, or two files.",
        )
    downs = [match.start() for match in _BEGINS[Direction.DOWN].finditer(text, ups[0])]
    if not downs:
        raise _bad(
            path,
            _line_at(text, ups[0]),
            "there is no '-- migrate:down' behind '-- migrate:up'",
            "Add that line; an empty section says that nothing is to do.",
        )
    if len(downs) > 1:
        raise _bad(path, _line_at(text, downs[1]), "there is a second '-- migrate:down'", "Remove one.")
    return ups[0], downs[0]


def _read_options(section: str) -> Mapping[str, str]:
    """The `key:value` words of the directive's line; what is not of this form counts for nothing."""
    line = _DIRECTIVE.sub("", section.split("\n", 1)[0], count=1).strip()
    pairs = [word.split(":") for word in re.split(f"{_SPACE}+", line)]
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def _line_at(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def _mark_hint(text: str) -> str:
    return "Save the file without a byte order mark." if text.startswith(BYTE_ORDER_MARK) else ""


def _bad(path: Path, line: int, message: str, fix: str) -> SourceError:
    return SourceError(
        message,
        code="bad-sections",
        where=Where(str(path), line),
        why="dbmate refuses the file.",
        fix=fix,
    )
