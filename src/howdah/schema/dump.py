"""The structure of a database as SQL to commit: the same text for the same structure, which psql loads."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import psycopg

from howdah.config.database import DatabaseConfig
from howdah.findings import Finding, Severity
from howdah.pg.identifiers import quote_identifier
from howdah.pg.lexer import Kind, read_tokens
from howdah.schema.archive import Entry, read_archive
from howdah.schema.arrange import Group, arrange
from howdah.schema.views import join_views
from howdah.server.pg_dump import find_pg_dumps

_TITLE = "-- The structure of the database, written by `howdah schema dump`.\n"
_NEWEST = "-- Newest applied migration: "
_LIMIT_SECONDS = 600
_OPTIONS = (
    "--format=custom",
    "--compress=0",
    "--encoding=UTF8",
    "--schema-only",
    "--no-owner",
    "--no-tablespaces",
    "--no-subscriptions",
    "--exclude-schema=howdah",
)
# Of the session and of the server, not of the structure; a user mapping may hold a password.
_NOT_STRUCTURE = frozenset(
    ["ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "USER MAPPING", "STATISTICS DATA"]
)
_ROUTINES = frozenset(["FUNCTION", "PROCEDURE"])
_MADE_UP = re.compile(r"_not_null\d*\b")
_USUAL_METHODS = frozenset(["", "heap"])


@dataclass(frozen=True)
class Dump:
    """The structure as SQL, one object behind the other, and what it cannot say."""

    text: str
    notes: tuple[Finding, ...] = ()


def dump_schema(
    connection: psycopg.Connection,
    database: DatabaseConfig,
    *,
    leave_out: Collection[tuple[str, str]] = (),
    privileges: bool = False,
    is_exact: bool = False,
) -> Dump:
    """The structure of a database, by PostgreSQL's own pg_dump, in an order for people that builds all the same.

    Left out are owners, tablespaces, subscriptions and user mappings, the schema `howdah`, and the tables (schema,
    name) of `leave_out`; privileges unless asked for; and, unless it is to be exact, the names of NOT NULL that
    PostgreSQL 18 makes up. `connection` is a session of that database.

    Raises:
        UnsupportedError: there is no pg_dump for this server.
        CommandError: it failed; this role may not read every table, for one.
    """
    major = connection.info.server_version // 10000
    # One of the server's own version writes what that version reads; find_pg_dumps has none that is older.
    program = min(find_pg_dumps(major), key=lambda each: each.version.major)
    options = [*_OPTIONS, *([] if privileges else ["--no-privileges"])]
    archive = program.run(database, options, limit_seconds=_LIMIT_SECONDS)
    entries = [each for each in read_archive(archive) if _is_structure(each)]
    invalid = _read_invalid(connection)
    unfinished = {(each.schema, each.name) for each in invalid if each.is_dumped}
    groups = arrange(join_views(entries), leave_out=leave_out, unfinished=unfinished)
    text = "\n".join(_group_text(group, is_exact=is_exact) for group in groups)
    if any(each.kind in _ROUTINES for each in entries):
        text = (
            f"-- A function may speak of what comes behind it.\nSET check_function_bodies = false;\n\n{text}"
        )
    return Dump(text, tuple(_invalid_notes(invalid)))


def _is_structure(entry: Entry) -> bool:
    if entry.kind in _NOT_STRUCTURE or not entry.statements or entry.statements.startswith("--"):
        return False
    if entry.kind != "COMMENT":
        return True
    # An extension's and a database's comments come with them; a new database has its schema public's.
    is_usual = entry.name == "SCHEMA public" and entry.statements.endswith(
        ("IS '';\n", "IS 'standard public schema';\n")
    )
    return not is_usual and not entry.name.startswith(("EXTENSION ", "DATABASE "))


def _group_text(group: Group, *, is_exact: bool) -> str:
    return "".join(f"{_entry_text(each, is_exact=is_exact)}\n" for each in group)


def _entry_text(entry: Entry, *, is_exact: bool) -> str:
    text = entry.statements.rstrip("\n")
    if not is_exact and entry.kind == "TABLE" and _MADE_UP.search(text):
        text = _without_made_up_names(text)
    if entry.access_method in _USUAL_METHODS:
        return text
    method = quote_identifier(entry.access_method)
    return f"SET default_table_access_method = {method};\n{text}\nRESET default_table_access_method;"


def _without_made_up_names(text: str) -> str:
    """The statement without the names of NOT NULL that PostgreSQL 18 makes up; one that a person gave stays."""
    tokens = [
        (text[begin:end], begin) for kind, begin, end in read_tokens(text, 0) if kind is not Kind.COMMENT
    ]
    cuts = [
        (first[1], third[1])
        for first, name, third, fourth in zip(tokens, tokens[1:], tokens[2:], tokens[3:], strict=False)
        if (first[0], third[0], fourth[0]) == ("CONSTRAINT", "NOT", "NULL") and _MADE_UP.search(name[0])
    ]
    for begin, end in reversed(cuts):
        text = text[:begin] + text[end:]
    return text


@dataclass(frozen=True)
class _Invalid:
    """An index that is not valid; pg_dump writes only those of partitioned tables."""

    schema: str
    name: str
    is_dumped: bool
    sql: str


def _read_invalid(connection: psycopg.Connection) -> list[_Invalid]:
    rows = connection.execute(
        "SELECT n.nspname, c.relname, c.relkind = 'I', format('%I.%I', n.nspname, c.relname) FROM pg_index i"
        " JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE NOT i.indisvalid AND n.nspname !~ '^(pg_|howdah$)' ORDER BY 1, 2"
    ).fetchall()
    return [_Invalid(*row) for row in rows]


def _invalid_notes(invalid: Collection[_Invalid]) -> Iterator[Finding]:
    for each in invalid:
        if not each.is_dumped:
            yield Finding(
                "invalid-index",
                f"index {each.sql} is not valid, and is left out",
                Severity.WARNING,
                why="A build of it that could not end left it behind: it costs writes, and no query uses it.",
                fix=f"Build it anew: REINDEX INDEX CONCURRENTLY {each.sql}; or drop it.",
            )


def file_text(dump: Dump, newest: str | None) -> str:
    """The whole file: the dump below a line that names the newest applied migration (None: nobody knows)."""
    encoding = "" if dump.text.isascii() else "SET client_encoding = 'UTF8';\n\n"
    migration = "" if newest is None else f"{_NEWEST}{in_one_line(newest)}\n"
    return f"{_TITLE}{migration}\n{encoding}{dump.text}"


def in_one_line(name: str) -> str:
    """A migration's name without what would end a comment of SQL."""
    return " ".join(name.split())


def names_newest(text: str) -> str | None:
    """The newest applied migration as a file names it; None: it names none, or we have not written it."""
    if not text.startswith(_TITLE + _NEWEST):
        return None
    return text.removeprefix(_TITLE + _NEWEST).partition("\n")[0]
