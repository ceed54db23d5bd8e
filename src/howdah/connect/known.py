"""Errors of the server, the driver and the operating system in the one form that people are told errors in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from howdah.errors import HowdahError

if TYPE_CHECKING:
    import psycopg

_INSUFFICIENT_PRIVILEGE = "42501"


def as_howdah_error(error: BaseException) -> HowdahError | None:
    """What a person is told of an error; None where it is a mistake of ours, which wants a traceback."""
    if isinstance(error, HowdahError):
        return error
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        message = f"cannot use {error.filename}: {reason}" if error.filename else reason
        return HowdahError(message, code="file-error")
    driver = sys.modules.get("psycopg")  # not there where nothing has connected
    return _server_error(error) if driver and isinstance(error, driver.Error) else None


def _server_error(error: psycopg.Error) -> HowdahError:
    from howdah.connect.failures import server_said

    why = "The role of this address lacks a right on what the command reads or writes."
    return HowdahError(
        server_said(error),
        code="server-error",
        why=why if error.sqlstate == _INSUFFICIENT_PRIVILEGE else None,
        next=("howdah doctor",),
    )
