"""The first messages of PostgreSQL's protocol, as bytes: what is said before the first query.

Everything that comes from the network is judged before it is used: whoever answers need not be PostgreSQL.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
TERMINATE = b"X\x00\x00\x00\x04"

NO_POSTGRES = "expected PostgreSQL's answer"

_PROTOCOL_3_0 = 196608
_LONGEST_MESSAGE = 30_000  # libpq's own limit before a session is established
_MESSAGES = b"ERNSKZv"  # error, authentication, notice, parameter, key data, ready, negotiate version
_METHODS = {
    0: "trust",
    2: "kerberos",
    3: "password",
    5: "md5",
    6: "scm credential",
    7: "gss",
    9: "sspi",
    10: "scram-sha-256",
}


class NotPostgresError(Exception):
    """What came is not PostgreSQL's protocol; the text shows its beginning."""


class ClosedError(Exception):
    """The other side closed the connection."""


@dataclass(frozen=True)
class Message:
    """One message of the server: its type's letter and its body."""

    kind: str
    body: bytes


def startup_message(parameters: Mapping[str, str]) -> bytes:
    """The message that opens a session: version 3.0, the user and the database."""
    pairs = b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items()) + b"\0"
    return struct.pack("!ii", len(pairs) + 8, _PROTOCOL_3_0) + pairs


def read_message(receive: Callable[[int], bytes]) -> Message:
    """The next message; `receive` gives up to so many bytes, or none at the end.

    Raises:
        NotPostgresError: it cannot be a message of PostgreSQL.
        ClosedError: the connection ended before the message did.
    """
    head = read_exactly(receive, 5)
    (length,) = struct.unpack("!i", head[1:])
    if head[0] not in _MESSAGES or not 4 <= length <= _LONGEST_MESSAGE:
        raise NotPostgresError(f"{NO_POSTGRES}, received {printable(head)}")
    return Message(chr(head[0]), read_exactly(receive, length - 4))


def read_exactly(receive: Callable[[int], bytes], count: int) -> bytes:
    """So many bytes, or ClosedError."""
    data = b""
    while len(data) < count:
        part = receive(count - len(data))
        if not part:
            raise ClosedError
        data += part
    return data


def error_fields(body: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse by their letter: C is the SQLSTATE, M the message, R the routine."""
    parts = (part.decode("utf-8", "replace") for part in body.split(b"\0") if part)
    return {part[0]: part[1:] for part in parts}


def authentication_method(body: bytes) -> str:
    """The name, as in pg_hba.conf, of what an authentication request asks for.

    Raises:
        NotPostgresError: the request has no number.
    """
    if len(body) < 4:
        raise NotPostgresError(f"{NO_POSTGRES}, received an authentication request of {len(body)} bytes")
    (number,) = struct.unpack("!i", body[:4])
    return _METHODS.get(number, f"method {number}")


def printable(data: bytes) -> str:
    """Bytes as a short text that is safe to show."""
    return repr(data[:40].decode("ascii", "backslashreplace"))
