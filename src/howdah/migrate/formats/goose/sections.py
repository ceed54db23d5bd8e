"""The sections of a migration file and the messages in them, line by line as goose internal/sqlparser/parser.go does.

goose knows nothing of SQL: a message ends at a line whose last word before a word that begins with `--` ends with a
semicolon, or where a block of StatementBegin and StatementEnd ends. What it refuses is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from howdah.errors import SourceError, Where
from howdah.migrate.formats.goose.space import SPACE
from howdah.migrate.formats.goose.substitution import substitute
from howdah.migrate.migration import Direction
from howdah.pg.lexer import BYTE_ORDER_MARK
from howdah.pg.statements import shorten

_LONGEST_LINE = 4 * 1024 * 1024 - 1  # in bytes; their buffer holds the line feed, too
_BLANK = re.compile(f"[{SPACE}]+")


@dataclass(frozen=True, slots=True)
class Message:
    """What goose sends as one message: its lines of the file, and its text, trimmed."""

    first_line: int
    last_line: int
    text: str


@dataclass(frozen=True)
class Section:
    """What one direction runs.

    Attributes:
        lines: the file's lines, without their ends. Those that this direction does not run are blank; a semicolon
            stands where StatementEnd did.
        messages: in their order; blank ones, which do nothing, are left out.
        taken_out: lines with an annotation in the middle of a message, which goose takes out of its text.
        is_transactional: False: the file says NO TRANSACTION, which holds for both directions.
        is_missing: there is no Down.
        is_filled: values of variables stand in the lines.
    """

    lines: list[str]
    messages: list[Message]
    taken_out: list[int]
    is_transactional: bool
    is_missing: bool
    is_filled: bool


class Annotation(Enum):
    """What can follow `-- +goose`, in any case."""

    UP = "Up"
    DOWN = "Down"
    BEGIN = "StatementBegin"
    END = "StatementEnd"
    NO_TRANSACTION = "NO TRANSACTION"
    SUBSTITUTE = "ENVSUB ON"
    SUBSTITUTE_NO_MORE = "ENVSUB OFF"


class _Place(Enum):
    PLAIN = "between or in statements that end with a semicolon"
    BLOCK = "between StatementBegin and StatementEnd"
    BEHIND_BLOCK = "behind StatementEnd; nothing was sent"


def read_section(path: Path, text: str, direction: Direction, variables: Mapping[str, str] | None) -> Section:
    """The section of a direction. `variables` are those for ENVSUB; None: they are not allowed.

    Raises:
        SourceError: goose would refuse the file in this direction, or would leave a part of it out.
    """
    reader = _Reader(path, direction, variables)
    lines = text.split("\n")
    reader.kept = [""] * len(lines)
    for number, line in enumerate(lines, 1):
        reader.read(number, line)
    reader.finish(len(lines) - (lines[-1] == ""))
    return Section(
        lines=reader.kept,
        messages=reader.messages,
        taken_out=reader.taken_out,
        is_transactional=reader.is_transactional,
        is_missing=direction is Direction.DOWN and reader.section is Direction.UP,
        is_filled=reader.is_filled,
    )


@dataclass
class _Reader:
    """Their state machine. The buffer holds the lines, with their numbers, of a message that has not ended."""

    path: Path
    direction: Direction
    variables: Mapping[str, str] | None
    kept: list[str] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    taken_out: list[int] = field(default_factory=list)
    is_transactional: bool = True
    section: Direction | None = None
    is_filled: bool = False
    _place: _Place = _Place.PLAIN
    _substitutes: bool = False
    _buffer: list[tuple[int, str]] = field(default_factory=list)

    def read(self, number: int, line: str) -> None:
        """Take in the next line."""
        if len(line) > _LONGEST_LINE // 4 and len(line.encode()) > _LONGEST_LINE:
            raise self._refusal(number, "the line is longer than 4 MiB", code="line-too-long", why=_LONG)
        line = line.removesuffix("\r")
        if self.section is None and not line.strip(SPACE):
            return
        is_end = False
        if "+goose" in line and _is_comment(line):
            annotation = self._annotation(number, line)
            is_end = annotation is Annotation.END
            self._obey(number, annotation)
            if not is_end:
                if self._buffer:
                    self.taken_out.append(number)
                return
        if not self._buffer and (line == "" or _is_comment(line)):
            return
        if self._place is not _Place.BEHIND_BLOCK:
            self._buffer.append((number, self._substituted(number, line)))
        self._end_message(number, self._buffer[-1][1] if self._buffer else line, is_end=is_end)

    def finish(self, number: int) -> None:
        """The end of the file, whose last line is `number`."""
        if self.section is None:
            raise self._refusal(
                max(number, 1),
                "the file has no `-- +goose Up`",
                why="goose stops: must start with '-- +goose Up' annotation.",
                fix="Write `-- +goose Up` above the statements.",
            )
        if self._place is _Place.BLOCK:
            raise self._refusal(
                max(number, 1), "a block is not closed", why="goose stops: missing '-- +goose StatementEnd'."
            )
        self._refuse_unfinished()

    def _end_message(self, number: int, line: str, *, is_end: bool) -> None:
        if self.section is None:
            mark = line.startswith(BYTE_ORDER_MARK)
            raise self._refusal(
                number,
                "the file starts with a byte order mark" if mark else "something stands above `-- +goose Up`",
                code="byte-order-mark" if mark else "bad-annotation",
                why="goose stops: unexpected state 0.",
                fix="Save the file as UTF-8 without a byte order mark."
                if mark
                else "Write `-- +goose Up` above the first statement.",
            )
        if self.section is not self.direction:
            self._buffer.clear()
        elif self._place is _Place.BEHIND_BLOCK:
            self._place = _Place.PLAIN
            if not is_end and line.strip(SPACE):
                raise self._refusal(
                    number,
                    "goose leaves this line out",
                    code="line-left-out",
                    why="The block of StatementBegin and StatementEnd above it is empty, and goose takes the next"
                    " line for its end.",
                    fix="Remove the empty block.",
                )
            self._flush()
            if is_end:
                self.kept[number - 1] = ";"
        elif self._place is _Place.PLAIN and ends_with_semicolon(line):
            self._flush()

    def _flush(self) -> None:
        """Note what goose sends now: trimmed of more than PostgreSQL takes for blank space."""
        buffered = "\n".join(line for _, line in self._buffer)
        text = buffered.strip(SPACE)
        if text:
            skipped = buffered.count("\n", 0, len(buffered) - len(buffered.lstrip(SPACE)))
            numbers = [number for number, _ in self._buffer[skipped:]]
            lines = text.split("\n")
            self.messages.append(Message(numbers[0], numbers[len(lines) - 1], text))
            for number, line in zip(numbers, lines, strict=False):  # blank lines at the end have been trimmed
                self.kept[number - 1] = line
        self._buffer.clear()

    def _obey(self, number: int, annotation: Annotation) -> None:
        match annotation:
            case Annotation.UP:
                self._begin_up(number)
            case Annotation.DOWN:
                self._begin_down(number)
            case Annotation.BEGIN:
                if self.section is None or self._place is _Place.BLOCK:
                    raise self._refusal(
                        number, "StatementBegin stands at a wrong place", why=_WRONG_BEGIN, fix=_BLOCKS
                    )
                self._place = _Place.BLOCK
            case Annotation.END:
                if self._place is not _Place.BLOCK:
                    raise self._refusal(number, "StatementEnd ends nothing", why=_WRONG_END, fix=_BLOCKS)
                self._place = _Place.BEHIND_BLOCK
            case Annotation.NO_TRANSACTION:
                self.is_transactional = False
            case Annotation.SUBSTITUTE:
                self._refuse_substitution(number)
                self._substitutes = True
            case Annotation.SUBSTITUTE_NO_MORE:
                self._substitutes = False

    def _begin_up(self, number: int) -> None:
        if self.section is not None:
            raise self._refusal(
                number, "a second `-- +goose Up`", why="goose stops: duplicate '-- +goose Up' annotations."
            )
        self.section = Direction.UP

    def _begin_down(self, number: int) -> None:
        if self.section is not Direction.UP or self._place is _Place.BLOCK:
            raise self._refusal(
                number,
                "`-- +goose Down` stands at a wrong place",
                why="goose wants one Down at most, behind `-- +goose Up`, and in no block.",
            )
        self._refuse_unfinished()
        self.section = Direction.DOWN
        self._place = _Place.PLAIN

    def _annotation(self, number: int, line: str) -> Annotation:
        if line[0] in " \t":
            raise self._refusal(
                number,
                "an annotation must begin at the start of its line",
                why="goose stops: contains leading whitespace.",
                fix="Remove the blank space before it.",
            )
        word = line.replace("--", "").replace("+goose", "", 1).strip(SPACE)
        for annotation in Annotation:
            known = annotation.value
            # A fold of the same length is the simple fold that Go uses.
            if len(word) == len(known) and word.casefold() == known.casefold():
                return annotation
        known = ", ".join(annotation.value for annotation in Annotation)
        raise self._refusal(
            number,
            f"there is no annotation '{word}'" if word else "an annotation without a word",
            why="goose stops at every comment with +goose in it that it does not know.",
            fix=f"The annotations are: {known}.",
        )

    def _refuse_substitution(self, number: int) -> None:
        if self.variables is None:
            raise self._refusal(
                number,
                "the file wants variables of the environment",
                code="substitution-not-allowed",
                why="The same file would do different things in different places; goose takes whatever is set.",
                fix='List them under `variables` in howdah.toml, as `NAME = "${NAME}"`; or write the values down.',
            )

    def _substituted(self, number: int, line: str) -> str:
        if not self._substitutes or self.variables is None:
            return line
        try:
            filled = substitute(line, self.variables)
        except SourceError as error:
            error.where = Where(str(self.path), number)
            raise
        self.is_filled = self.is_filled or filled != line
        return filled

    def _refuse_unfinished(self) -> None:
        if text := "\n".join(line for _, line in self._buffer).strip(SPACE):
            first = next(number for number, line in self._buffer if line.strip(SPACE))
            # A comment begins no message, unless a line of blank space has done so.
            begins_blank = text.startswith("--")
            raise self._refusal(
                first,
                f"for goose this does not end: {shorten(text, limit=60)}",
                code="unfinished-message",
                why="goose stops: missing semicolon? To it a statement ends at the end of a line, with a semicolon"
                " before any word that begins with `--`.",
                fix=f"Remove the blank space in line {self._buffer[0][0]}."
                if begins_blank
                else _MEND_UNFINISHED,
            )

    def _refusal(
        self,
        line: int,
        message: str,
        *,
        code: str = "bad-annotation",
        why: str | None = None,
        fix: str | None = None,
    ) -> SourceError:
        return SourceError(message, code=code, where=Where(str(self.path), line), why=why, fix=fix)


_LONG = "goose reads no longer ones."
_WRONG_BEGIN = "goose wants it behind `-- +goose Up` or `-- +goose Down`, and not in another block."
_WRONG_END = "goose wants a `-- +goose StatementBegin` before it."
_MEND_UNFINISHED = (
    "Add the semicolon, or put the statement between `-- +goose StatementBegin` and `-- +goose StatementEnd`."
)
_BLOCKS = "Put each block between `-- +goose StatementBegin` and `-- +goose StatementEnd`."


def ends_with_semicolon(line: str) -> bool:
    """Whether the last word before the first one that begins with `--` ends with a semicolon."""
    if "--" not in line:
        return line.rstrip(SPACE).endswith(";")
    previous = ""
    for word in _BLANK.split(line):
        if word.startswith("--"):
            break
        previous = word or previous
    return previous.endswith(";")


def _is_comment(line: str) -> bool:
    return line.lstrip(SPACE).startswith("--")
