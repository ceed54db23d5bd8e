"""Build in an empty database what a file of SQL says: our dump, or another tool's."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
from psycopg import sql

from howdah.errors import RefusedError, SourceError, Where
from howdah.pg.statements import split_script

_UNDEFINED_OBJECT = "42704"
_NO_ROLE = re.compile(r'role "(.+)" does not exist')
# What is for psql, which newer versions of pg_dump write around everything.
_RESTRICT = re.compile(r"\A((?:\s|--.*\n)*)\\restrict .*\n")
_UNRESTRICT = re.compile(r"^\\unrestrict .*\s*\Z", re.MULTILINE)


def read_sql(file: Path) -> str:
    """The text of a file.

    Raises:
        SourceError: there is none, or it is not UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SourceError(
            f"cannot read it: {reason}", code="unreadable-schema-file", where=Where(str(file))
        ) from None


def load_sql(connection: psycopg.Connection, text: str, *, file: Path, make_roles: bool) -> None:
    """Run the statements, each by itself; with `make_roles` a role that one names and that is not there is made.

    Raises:
        RefusedError: one fails; `where` says which.
        ScriptError: the file cannot be split.
    """
    for statement in split_script(_UNRESTRICT.sub("", _RESTRICT.sub(r"\1\n", text))):
        while True:
            try:
                connection.execute(statement.text.encode())
            except psycopg.Error as error:
                role = missing_role(str(error), error.sqlstate) if make_roles else None
                if role is None:
                    raise _does_not_load(error, Where(str(file), statement.line)) from error
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
            else:
                break


def missing_role(message: str, sqlstate: str | None) -> str | None:
    """The role for want of which a statement failed; None: it was something else."""
    found = _NO_ROLE.search(message)
    return found[1] if found and sqlstate == _UNDEFINED_OBJECT else None


def _does_not_load(error: psycopg.Error, where: Where) -> RefusedError:
    return RefusedError(
        f"it cannot be loaded into an empty database: {error.diag.message_primary or error}",
        code="schema-file-does-not-load",
        where=where,
        why="It is run on an empty database of a server that is thrown away. Nothing of yours was changed.",
        fix="Write it anew with `howdah schema dump`.",
    )
