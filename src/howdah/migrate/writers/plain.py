"""Migrations for the tools that send a file, or its section, as one message: golang-migrate, sqlx, dbmate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from howdah.errors import SourceError
from howdah.migrate.portable import Half, Portable
from howdah.pg.features import Feature, features_of

_SECTION = re.compile(r"^--\s*migrate:(up|down)(\s*$|\s+\S+)", re.MULTILINE)


def write_golang_migrate(migrations: Iterable[Portable]) -> Mapping[str, str]:
    """A file for each half that there is. Raises SourceError: golang-migrate cannot have one of them."""
    return {
        f"{each.digits}_{each.migration.name}.{word}.sql": _message(each, half, "golang-migrate")
        for each in migrations
        for word, half in (("up", each.up), ("down", each.down))
        if half
    }


def write_sqlx(migrations: Iterable[Portable]) -> Mapping[str, str]:
    """Pairs where any migration has a way down, simple files otherwise. Raises SourceError: sqlx cannot have one."""
    todo = list(migrations)
    is_reversible = any(each.down for each in todo)
    files: dict[str, str] = {}
    for each in todo:
        stem = f"{each.digits}_{_sqlx_name(each.migration.name)}"
        for word, half in (("up", each.up), ("down", each.down)):
            if half:
                directive = "" if half.is_whole else "-- no-transaction\n"
                ending = f".{word}.sql" if is_reversible else ".sql"
                files[stem + ending] = directive + _message(each, half, "sqlx")
    return files


def write_dbmate(migrations: Iterable[Portable]) -> Mapping[str, str]:
    """One file of two sections each; the digits equally wide, as its order is that of the text.

    Raises:
        SourceError: dbmate cannot have one of them.
    """
    todo = list(migrations)
    width = max((len(each.digits) for each in todo), default=0)
    return {f"{each.digits.zfill(width)}_{each.migration.name}.sql": _dbmate_file(each) for each in todo}


def _dbmate_file(each: Portable) -> str:
    parts = []
    for word, half in (("up", each.up), ("down", each.down)):
        option = " transaction:false" if half and not half.is_whole else ""
        text = _message(each, half, "dbmate") if half else ""
        if _SECTION.search(text):
            raise SourceError(
                "a line inside a statement would begin a section to dbmate",
                code="annotation-in-statement",
                where=each.migration.where,
                why="dbmate obeys `-- migrate:up` and `-- migrate:down` wherever a line begins with it.",
                fix="Take the line out, or indent it.",
            )
        parts.append(f"-- migrate:{word}{option}\n{text}")
    return "\n".join(parts)


def _message(each: Portable, half: Half, tool: str) -> str:
    """The text of a half as it was."""
    alone = [piece for piece in half.pieces if Feature.NO_TRANSACTION in features_of(piece.statement)]
    if alone and len(half.pieces) > 1:
        raise SourceError(
            f"migration {each.migration.version} has several statements, and PostgreSQL forbids one in a transaction",
            code="one-message",
            where=each.migration.where,
            why=f"{tool} sends a file as one message, which PostgreSQL takes for a transaction.",
            fix="Where it has yet to run everywhere, give each such statement a file of its own.",
        )
    parts = [
        f"{piece.comments}{piece.statement};{' ' * bool(piece.remark)}{piece.remark}" for piece in half.pieces
    ]
    text = ("".join(parts) + half.tail).strip("\n")
    return f"{text}\n" if text else ""


def _sqlx_name(name: str) -> str:
    """Without an ending that sqlx would take for the kind of file."""
    return re.sub(r"\.(up|down)$", r"_\1", name)
