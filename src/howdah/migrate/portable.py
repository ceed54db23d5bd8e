"""A migration apart from its tool: what runs each way, with the comments, and whether one transaction holds it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from howdah.errors import SourceError
from howdah.migrate.formats.interface import Format
from howdah.migrate.migration import Direction, Migration, Source, Step
from howdah.migrate.script import Execution, load_script
from howdah.pg.lexer import BYTE_ORDER_MARK, Kind, read_tokens
from howdah.pg.statements import Statement

# What a tool of any format would take for its own word in a comment.
_ANNOTATION = re.compile(r"--.*\+goose|--\s*migrate:(up|down)\b|-- no-transaction", re.DOTALL)
_SAME_LINE = re.compile(r"[ \t]*(--[^\n]*)")
_PREFIX = re.compile(r"[+-]?([0-9]+)")


@dataclass(frozen=True, slots=True)
class Piece:
    """A statement without its semicolon, the comments and blank space before it, and a comment on its last line."""

    comments: str
    statement: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Half:
    """One direction of a migration.

    Attributes:
        pieces: in order. A BEGIN and COMMIT around everything are not among them.
        tail: the comments behind the last statement.
        is_whole: one transaction holds it; otherwise each statement runs by itself, except between BEGIN and COMMIT.
    """

    pieces: tuple[Piece, ...]
    tail: str
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Portable:
    """A migration; `digits` is its version as the name of its file has it."""

    migration: Migration
    digits: str
    up: Half | None
    down: Half | None


def read_portable(format: Format, source: Source) -> Iterator[Portable]:
    """The migrations of a source, read by its own format and judged as before a run.

    Raises:
        SourceError: a migration is not SQL, or could not run.
    """
    for each in source.migrations:
        if each.foreign:
            raise SourceError(
                f"migration {each.version} ({each.name}) is {each.foreign}",
                code="not-convertible",
                where=each.where,
                why=f"Only {format.name} can run it; no other tool has anything like it.",
                fix="Write it as SQL where it has yet to run everywhere; otherwise keep this tool.",
            )
        found = _PREFIX.match(each.path.name)
        yield Portable(
            each,
            found[1] if found else each.version,
            _half(format, each, Direction.UP),
            _half(format, each, Direction.DOWN),
        )


def _half(format: Format, migration: Migration, direction: Direction) -> Half | None:
    path = migration.file(direction)
    if path is None:
        return None
    try:
        script = load_script(format, Step(migration, direction, None, None))
    except SourceError as error:
        if error.code == f"missing-{direction.value}-file":
            return None
        raise
    text = format.files.read_body(path, path.read_bytes().decode(), direction).text
    modes = _modes(script.begin) if script.execution is Execution.TRANSACTION else ""
    pieces: list[Piece] = []
    position = int(text.startswith(BYTE_ORDER_MARK))
    for statement in script.statements:
        if _stands_in(text, statement, position):
            before = _remark(pieces, _comments(text, position, statement.offset))
            pieces.append(Piece(before, statement.text))
            position = statement.end
        else:  # a BEGIN or COMMIT that stands for how the tool sends what is between them
            pieces.append(Piece("\n", statement.text))
    tail = _remark(pieces, _comments(text, position, len(text)))
    if modes and pieces:
        pieces[:1] = [
            Piece(pieces[0].comments, f"SET TRANSACTION {modes}"),
            replace(pieces[0], comments="\n"),
        ]
    return Half(tuple(pieces), tail, script.execution is Execution.TRANSACTION)


def _remark(pieces: list[Piece], comments: str) -> str:
    """Give a comment that stands on the last line of the newest statement to it; what is left of the comments."""
    found = _SAME_LINE.match(comments)
    if found is None or not pieces:
        return comments
    pieces[-1] = replace(pieces[-1], remark=found[1].rstrip())
    return comments[found.end() :]


def _modes(begin: str) -> str:
    """The modes of a BEGIN or START TRANSACTION."""
    return re.sub(r"^(?:begin|start)\b\s*(?:(?:work|transaction)\b\s*)?", "", begin, flags=re.IGNORECASE)


def _stands_in(text: str, statement: Statement, position: int) -> bool:
    return statement.offset >= position and text[statement.offset : statement.end] == statement.text


def _comments(text: str, start: int, end: int) -> str:
    """What stands between two statements, without semicolons, and BEGIN and COMMIT where they are left out."""
    kept = []
    position = start
    for kind, begin, stop in read_tokens(text[:end], start):
        kept.append(text[position:begin])
        if kind is Kind.COMMENT and not _ANNOTATION.match(text, begin, stop):
            kept.append(text[begin:stop])
        position = stop
    kept.append(text[position:end])
    return re.sub(r"\n\s*\n\s*\n", "\n\n", re.sub(r"[ \t]+\n", "\n", "".join(kept)))
