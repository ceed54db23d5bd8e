"""Migrations as goose's annotated files: every statement one that goose reads whole.

goose ends a statement at each line whose last word ends with a semicolon, wherever that stands, and takes the carriage
return off each line (pressly/goose internal/sqlparser/parser.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from howdah.errors import SourceError, Where
from howdah.findings import Finding, Severity
from howdah.migrate.portable import Half, Piece, Portable
from howdah.pg.lexer import Kind, read_tokens

_BLOCK = "-- +goose StatementBegin\n{}\n-- +goose StatementEnd\n"


def write_goose(migrations: Iterable[Portable]) -> Mapping[str, str]:
    """Name -> text of a file for each migration.

    Raises:
        SourceError: goose cannot have one of them.
    """
    return {f"{each.digits}_{each.migration.name}.sql": _file(each) for each in migrations}


def goose_notes(migration: Portable) -> Iterator[Finding]:
    """What goose will do otherwise than the tool before it did."""
    if _changes_line_endings(migration):
        yield Finding(
            "line-endings-change",
            f"migration {migration.migration.version} has a function body with the line endings of Windows",
            Severity.WARNING,
            where=migration.migration.where,
            why="goose takes the carriage returns off: the function has the same words, and other line endings.",
        )


def _changes_line_endings(migration: Portable) -> bool:
    """Whether goose would send another text than the file has, which no escape can help: in dollar quotes."""
    halves = [half for half in (migration.up, migration.down) if half]
    return any(
        kind is Kind.STRING
        and "\r\n" in piece.statement[begin:end]
        and not _can_escape(piece.statement[begin])
        for half in halves
        for piece in half.pieces
        if "\r\n" in piece.statement
        for kind, begin, end in read_tokens(piece.statement)
    )


def _file(each: Portable) -> str:
    if int(each.migration.version) < 1:
        raise SourceError(
            f"goose has no version {each.migration.version}",
            code="version-too-small",
            where=each.migration.where,
            why="Its versions begin with 1: row 0 of its table means that nothing is applied.",
            fix="Put what the file says at the beginning of the next migration, and delete it.",
        )
    halves = [half for half in (each.up, each.down) if half]
    outside = not all(half.is_whole for half in halves)
    for half in halves:
        _refuse_annotations(half, each.migration.where)
    parts = ["-- +goose NO TRANSACTION\n"] if outside else []
    parts.append("-- +goose Up\n" + (_section(each.up, outside=outside) if each.up else "-- nothing to do\n"))
    if each.down:
        parts.append("\n-- +goose Down\n" + _section(each.down, outside=outside))
    return "".join(parts)


def _section(half: Half, *, outside: bool) -> str:
    if outside and half.is_whole and len(half.pieces) > 1:
        # One message is one transaction.
        return _BLOCK.format(_message(half.pieces).strip("\n")) + _lines(half.tail)
    text = ("".join(map(_statements, _groups(half))) + _lines(half.tail)).strip("\n")
    return f"{text}\n" if text else ""


def _groups(half: Half) -> Iterator[list[Piece]]:
    """Statements that belong together: from a BEGIN to its COMMIT, and each other one by itself.

    goose sends the statements of a file without a transaction on whatever connection is free.
    """
    group: list[Piece] = []
    for piece in half.pieces:
        group.append(piece)
        word = re.split(r"\W", piece.statement, maxsplit=1)[0].upper()
        is_open = len(group) > 1 or word in {"BEGIN", "START"}
        if not is_open or word in {"COMMIT", "END"}:
            yield group
            group = []
    if group:
        yield group


def _statements(group: list[Piece]) -> str:
    first = group[0]
    text = _message([replace(first, comments=""), *group[1:]])
    block = text if len(group) == 1 and _reads_whole(text) else _BLOCK.format(text)
    return f"{_lines(first.comments)}{block.rstrip()}\n"


def _message(pieces: Sequence[Piece]) -> str:
    return "\n".join(
        f"{_lines(piece.comments)}{_plain(piece)};{' ' * bool(piece.remark)}{piece.remark}"
        for piece in pieces
    )


def _reads_whole(text: str) -> bool:
    """Whether goose ends the statement where it ends, and not before."""
    *before, last = text.split("\n")
    return _ends_statement(last) and not any(map(_ends_statement, before))


def _ends_statement(line: str) -> bool:
    previous = ""
    for word in line.split():
        if word.startswith("--"):
            break
        previous = word
    return previous.endswith(";")


def _lines(comments: str) -> str:
    """Comments as lines of `--`, which goose knows; those in /* */ it would take for the beginning of a statement."""
    text = comments.replace("\r\n", "\n")
    lines = [""] if text.startswith("\n\n") else []
    for kind, begin, end in read_tokens(text):
        assert kind is Kind.COMMENT
        comment = text[begin:end]
        if comment.startswith("--"):
            lines.append(comment.rstrip())
        else:
            inner = comment.removeprefix("/*").removesuffix("*/").strip().splitlines()
            lines += [f"-- {line.strip().removeprefix('* ')}".rstrip() for line in inner]
    return "".join(f"{line}\n" for line in lines)


def _plain(piece: Piece) -> str:
    """A statement whose line endings are goose's own; a carriage return in a string is written as an escape."""
    text = piece.statement
    if "\r\n" not in text:
        return text
    parts, position = [], 0
    for kind, begin, end in read_tokens(text):
        if kind is Kind.STRING and "\r\n" in text[begin:end] and _can_escape(text[begin]):
            parts += [text[position:begin], _escaped(text[begin:end])]
            position = end
    parts.append(text[position:])
    return "".join(parts).replace("\r\n", "\n")


def _can_escape(first: str) -> bool:
    return first in "'eE"


def _escaped(literal: str) -> str:
    if literal.startswith("'"):
        literal = "E" + literal.replace("\\", "\\\\")
    return literal.replace("\r\n", "\\r\n")


def _refuse_annotations(half: Half, where: Where) -> None:
    for piece in half.pieces:
        for line in piece.statement.splitlines():
            if line.strip().startswith("--") and "+goose" in line:
                raise SourceError(
                    "a line inside a statement would be an annotation to goose",
                    code="annotation-in-statement",
                    where=where,
                    why=f"goose obeys `{line.strip()}`, wherever it stands.",
                    fix="Take the line out; in a function body it is a comment.",
                )
