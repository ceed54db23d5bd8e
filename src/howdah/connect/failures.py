"""What a failed attempt to open a session tells: the step, the SQLSTATE, the server's routine, the errno."""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg


class Step(IntEnum):
    """How far an attempt got. Later steps are larger: of several failures, the furthest tells the most."""

    CONFIGURATION = 0
    RESOLVE = 1
    CONNECT = 2
    TLS = 3
    LOGIN = 4
    SESSION = 5

    @property
    def label(self) -> str:
        """The step in words for people."""
        return _LABELS[self]


_LABELS = {
    Step.CONFIGURATION: "configuration",
    Step.RESOLVE: "name resolution",
    Step.CONNECT: "network connection",
    Step.TLS: "TLS",
    Step.LOGIN: "login",
    Step.SESSION: "entering the database",
}


@dataclass(frozen=True)
class Failure:
    """One failed attempt at one address, as facts.

    Attributes:
        step: how far it got.
        message: the first line, in the server's, libpq's or the resolver's words; never holds a password.
        place: `host:port` or the socket, for people.
        sqlstate: the server's or pooler's code, where one answered.
        routine: the C function of PostgreSQL that refused: never translated, absent from other programs.
        errno: of the operating system or, for step RESOLVE, of the resolver (socket.EAI_*).
        detail: the server's DETAIL.
        hint: the server's HINT.
        tls_would_help: an encrypted attempt, made after this one, got further.
    """

    step: Step
    message: str
    place: str = ""
    sqlstate: str | None = None
    routine: str | None = None
    errno: int | None = None
    detail: str | None = None
    hint: str | None = None
    tls_would_help: bool = False


def with_sqlstate(message: str, sqlstate: str | None) -> str:
    """A message, and the code by which it can be looked up in any language."""
    return f"{message} (SQLSTATE {sqlstate})" if sqlstate else message


def server_said(error: psycopg.Error) -> str:
    """The server's message, or libpq's first line where the server could not say anything; with its SQLSTATE."""
    first = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return with_sqlstate(error.diag.message_primary or first, error.sqlstate)


# libpq starts each address it tried on a line of its own
_PLACE = re.compile(
    r'^connection to server (?:at "(?P<host>[^\n]*?)"(?: \([^)\n]*\))?, port (?P<port>\d+)'
    r'|on socket "(?P<socket>[^\n]*?)") failed: ',
    re.MULTILINE,
)
# PQERRORS_VERBOSE: severity (translated), two blanks, SQLSTATE
_SERVER = re.compile(r"\A\w+:  (?P<sqlstate>[0-9A-Z]{5}): (?P<message>.*)", re.DOTALL)
_FIELD = re.compile(r"^(DETAIL|HINT|LOCATION):  ", re.MULTILINE)
_ERRNOS = (
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.ENOENT,
    errno.EACCES,
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.ETIMEDOUT,
    errno.EPIPE,
)


def parse_failures(text: str, *, step: Step, place: str = "") -> list[Failure]:
    """The failures in one error text of libpq, written with PQERRORS_VERBOSE; one an address that was tried.

    `step` and `place` are what the caller knows; without `place`, it is the address that the text names.
    """
    starts = list(_PLACE.finditer(text))
    if not starts:
        return [_parse_one(text, step=step, place=place)]
    failures = []
    for index, match in enumerate(starts):
        end = starts[index + 1].start() if index + 1 < len(starts) else len(text)
        named = match["socket"] or f"{match['host']}:{match['port']}"
        failures.append(_parse_one(text[match.end() : end], step=step, place=place or named))
    return failures


def _parse_one(text: str, *, step: Step, place: str) -> Failure:
    answer = _SERVER.match(text)
    if answer is None:
        first, _, rest = text.strip().partition("\n")
        return Failure(
            step=step,
            message=first or "the attempt failed without a word",
            place=place,
            errno=next((number for number in _ERRNOS if os.strerror(number) in first), None),
            detail=" ".join(line.strip() for line in rest.splitlines()) or None,
        )
    message, *fields = _FIELD.split(answer["message"])
    named = {name: value.strip() for name, value in zip(fields[::2], fields[1::2], strict=True)}
    location = named.get("LOCATION")
    return Failure(
        step=step,
        message=message.strip() or "the server refused without a word",
        place=place,
        sqlstate=answer["sqlstate"],
        routine=location.split(",")[0] if location else None,
        detail=named.get("DETAIL"),
        hint=named.get("HINT"),
    )
