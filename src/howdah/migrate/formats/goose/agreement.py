"""Whether goose's messages are the statements that PostgreSQL would read: what goose would split apart is refused."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

from howdah.errors import ScriptError, SourceError, Where
from howdah.migrate.formats.goose.sections import Section
from howdah.pg.lexer import Kind, read_tokens
from howdah.pg.statements import Statement, split_script


def blocks_of(path: Path, section: Section) -> tuple[tuple[int, int], ...]:
    """First and last line of each message with more than one statement.

    Raises:
        SourceError: a statement or comment would reach the server in pieces, or without a line of its text; or
            the text cannot be split at all.
    """
    if not section.taken_out and all(_is_one_statement(message.text) for message in section.messages):
        return ()
    text = "\n".join(section.lines)
    try:
        statements = split_script(text)
    except ScriptError as error:
        error.where = Where(str(path), error.line)
        raise
    last_lines = [message.last_line for message in section.messages]
    counts = [0] * len(last_lines)
    for statement in statements:
        place = bisect_left(last_lines, statement.line)
        counts[place] += 1
        if statement.line + statement.text.count("\n") > last_lines[place]:
            raise _split_apart(path, statement.line, last_lines[place], "statement")
    for line, last in _block_comments(text, statements):
        place = bisect_left(last_lines, line)
        if place < len(last_lines) and last > last_lines[place]:
            raise _split_apart(path, line, last_lines[place], "comment")
    for number in section.taken_out:
        _refuse_in_literal(path, statements, number)
    return tuple(
        (message.first_line, message.last_line)
        for message, count in zip(section.messages, counts, strict=True)
        if count > 1
    )


# What may make a semicolon one that ends no statement, beside literals and parentheses.
_DOUBTFUL = re.compile(r"""--|/\*|[$"\\]|\batomic\b""", re.IGNORECASE)
_LITERAL = re.compile("'[^']*'")


def _is_one_statement(message: str) -> bool:
    """Whether it is that beyond doubt, which is seen in a tenth of the time that splitting takes."""
    if _DOUBTFUL.search(message):
        return False
    bare = _LITERAL.sub("", message)
    return bare.find(";") == len(bare) - 1 and "'" not in bare and bare.count("(") == bare.count(")")


def _block_comments(text: str, statements: list[Statement]) -> Iterator[tuple[int, int]]:
    """First and last line of the comments /* */ between the statements."""
    if "/*" not in text:
        return
    position, line = 0, 1
    for begin, end in [*((each.offset, each.end) for each in statements), (len(text), len(text))]:
        if "/*" in text[position:begin]:
            for kind, start, stop in read_tokens(text[:begin], position):
                if kind is Kind.COMMENT:
                    first = line + text.count("\n", position, start)
                    yield first, first + text.count("\n", start, stop)
        line += text.count("\n", position, end)
        position = end


def _refuse_in_literal(path: Path, statements: list[Statement], number: int) -> None:
    """Refuse an annotation inside a string: without its line the string is another one."""
    for statement in statements:
        if statement.line <= number <= statement.line + statement.text.count("\n"):
            for kind, begin, end in read_tokens(statement.text):
                first = statement.line + statement.text.count("\n", 0, begin)
                last = first + statement.text.count("\n", begin, end)
                if kind in {Kind.STRING, Kind.QUOTED} and first < number < last:
                    raise SourceError(
                        "an annotation stands in the middle of a string or function body",
                        code="bad-annotation",
                        where=Where(str(path), number),
                        why="goose takes the line out of it, and obeys it.",
                        fix="Move the annotation above the statement.",
                    )


def _split_apart(path: Path, line: int, last_line: int, what: str) -> SourceError:
    return SourceError(
        f"goose would send this {what} in pieces, the first of which ends in line {last_line}",
        code="split-apart",
        where=Where(str(path), line),
        why="goose takes every semicolon at the end of a line for the end of a statement.",
        fix="Put it between `-- +goose StatementBegin` and `-- +goose StatementEnd`."
        if what == "statement"
        else "Take the semicolon out of the comment, or write it with `--`.",
    )
