"""What the server's refusal of a step means, and whether it is one at all or only a race."""

from __future__ import annotations

from typing import TYPE_CHECKING

from howdah.connect.failures import server_said
from howdah.findings import Finding
from howdah.provision.changes import CreateExtension
from howdah.provision.steps import Step, statement_text

if TYPE_CHECKING:
    import psycopg

# Somebody else did the same at the same time: the object is there now, or goes to be.
_RACES = frozenset({"42710", "42P04", "42P06", "40001", "40P01"})
_TEMPLATE_BUSY = "55006"  # somebody is connected to the template, or copies it right now
_FIXES = {
    "extension-not-installed": "Install the extension's package on the server's host, then run setup again.",
    "extension-not-preloaded": (
        "Add its library to shared_preload_libraries and restart the server; then run setup again."
    ),
    "extension-too-old": "Install a newer package on the server's host, then run setup again.",
    "extension-not-permitted": "Connect as an administrator with --admin-url, or let one run:",
    "missing-privilege": "Connect as an administrator with --admin-url, or let one run:",
}


def is_race(error: psycopg.Error) -> bool:
    """Whether reading the facts again may show that the step is done, or may be tried again."""
    if error.sqlstate == "23505":  # of a catalog's index; a script of an extension may break its own
        return error.diag.schema_name == "pg_catalog"
    if error.sqlstate == "XX000":  # no code of its own, and the message is in the server's language
        return error.diag.source_function in ("simple_heap_update", "simple_heap_delete")
    return error.sqlstate in _RACES or error.sqlstate == _TEMPLATE_BUSY


def explain(step: Step, error: psycopg.Error) -> Finding:
    """The refusal as something to tell, with the statement that somebody else may run."""
    change = step.change
    code = _code_of(error, is_extension=isinstance(change, CreateExtension))
    known = _FIXES.get(code)
    statement = f"\n{statement_text(change)};" if known and known.endswith(":") else ""
    return Finding(
        code=code,
        message=f"{change.what} {change.subject}: {server_said(error)}",
        why=error.diag.message_hint or error.diag.message_detail,
        fix=(known or "Remove the cause, then run setup again: it goes on from here.") + statement,
    )


def not_run(step: Step) -> Finding:
    """A step that was not tried because one before it failed."""
    return Finding(
        code="not-run",
        message=f"{step.change.what} {step.change.subject}: not tried, because a step before it failed",
        fix="Run setup again when that is mended.",
    )


def not_effective(step: Step) -> Finding:
    """A step the server accepted, and which still is not there."""
    return Finding(
        code="not-effective",
        message=f"{step.change.what} {step.change.subject}: it ran, and is not there",
        why="PostgreSQL only warns where a privilege may not be passed on; or another session undid it.",
        fix=f"Let a superuser or the object's owner run:\n{statement_text(step.change)};",
    )


def _code_of(error: psycopg.Error, *, is_extension: bool) -> str:
    if not is_extension:
        return "missing-privilege" if error.sqlstate == "42501" else "setup-failed"
    text = error.diag.message_primary or ""
    if "shared_preload_libraries" in f"{text}{error.diag.message_hint}" or error.sqlstate == "55000":
        return "extension-not-preloaded"
    # 14 and 15 miss the control file, later ones say what that means
    if error.sqlstate in ("58P01", "0A000"):
        return "extension-not-installed"
    codes = {"42501": "extension-not-permitted", "22023": "extension-too-old"}
    return codes.get(error.sqlstate or "", "setup-failed")
