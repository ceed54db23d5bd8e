"""Say which line of env.py or of a revision failed, and how."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from howdah.errors import MigrationError, MigrationFailed, RefusedError, Where
from howdah.migrate.migration import Step
from howdah.pg.statements import shorten

_SHOWN = 200
# The same as of a transaction that could not be ordered: nothing is wrong, and it may be tried again.
_MOVED = "40001"


class EnvironmentFailed(MigrationError):
    """Alembic's env.py failed before any revision ran."""

    code = "env-py-failed"


class HistoryMoved(Exception):
    """Somebody else moved the history between our look and our lock."""


def environment_failed(error: BaseException, env: str) -> EnvironmentFailed:
    """The error of env.py, or of Alembic before a revision ran: nothing has been changed."""
    who = "Alembic refused" if type(error).__module__.startswith("alembic") else "env.py failed"
    said = _said(error)
    return EnvironmentFailed(
        f"{who}: {said}",
        where=_where(error, env),
        why=_statement(error) or "No revision has run.",
        fix=_advice(error),
        next=("howdah migrate up",) if "not up to date" in said else (),
    )


def revision_failed(error: BaseException, step: Step, *, is_clean: bool) -> MigrationFailed:
    """The error of a revision; who knows the plan adds what is applied and what is not."""
    migration = step.migration
    failed = MigrationFailed(
        f"{step.direction.doing} {migration.version} ({migration.name}) failed: {_said(error)}",
        where=_where(error, str(step.file)),
        why=_statement(error),
        fix="Nothing of it took effect."
        if is_clean
        else "It left its transaction with autocommit_block(): what it did before that, and in it, took effect;"
        " the history does not have it.",
    )
    failed.sqlstate = sqlstate_of(error)
    failed.failed = migration.version
    failed.is_partial = not is_clean
    return failed


def refused(message: str, env: str, why: str, *, fix: str) -> RefusedError:
    """The refusal of an env.py that howdah cannot vouch for; nothing has run."""
    return RefusedError(message, code="env-py-refused", where=Where(env), why=why, fix=fix)


def sqlstate_of(error: BaseException) -> str | None:
    """The server's code, whichever driver was told it."""
    if isinstance(error, HistoryMoved):
        return _MOVED
    theirs = getattr(error, "orig", error)
    found = getattr(theirs, "sqlstate", None) or getattr(theirs, "pgcode", None)
    return found if isinstance(found, str) else None


def _said(error: BaseException) -> str:
    theirs: Any = getattr(error, "orig", None) or error
    primary = getattr(getattr(theirs, "diag", None), "message_primary", None)
    if primary:
        return f"{primary} (SQLSTATE {code})" if (code := sqlstate_of(error)) else str(primary)
    # asyncpg's adapter begins with the class of its cause: "<class '...'>: ".
    text = " ".join(str(theirs).rpartition("'>: ")[2].split())
    if isinstance(error, SystemExit):
        return f"it ended the program ({text})"
    name = type(theirs).__name__
    return text if type(theirs).__module__.startswith("alembic") else f"{name}: {text}" if text else name


def _where(error: BaseException, file: str) -> Where:
    """The innermost line of this file that the error came through."""
    path = Path(file).resolve()
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.endswith(path.name) and Path(frame.filename).resolve() == path
    ]
    if not lines and isinstance(error, SyntaxError) and error.filename == str(path):
        return Where(file, error.lineno)
    return Where(file, lines[-1] if lines else None)


def _statement(error: BaseException) -> str | None:
    """The statement that failed; its parameters may be secrets."""
    statement = getattr(error, "statement", None)
    if not isinstance(statement, str):
        return None
    diag = getattr(getattr(error, "orig", None), "diag", None)
    told = (("Detail", getattr(diag, "message_detail", None)), ("Hint", getattr(diag, "message_hint", None)))
    parts = [("Statement", shorten(statement.strip(), limit=_SHOWN)), *told]
    return " ".join(f"{name}: {said}" for name, said in parts if said)


def _advice(error: BaseException) -> str | None:
    if isinstance(error, ModuleNotFoundError):
        return (
            f"Install {error.name} beside howdah, or say where the project's modules are:"
            " `prepend_sys_path` in alembic.ini."
        )
    if isinstance(error, KeyError):  # mostly a variable of the environment
        return "The address is in `sqlalchemy.url` and DATABASE_URL for env.py; set what else it wants."
    return None
