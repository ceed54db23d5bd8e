"""Read a server's certificate, trusted or not: Python's ssl tells its contents only of those that it trusts.

A reader for the few fields of X.509 (RFC 5280) that explain a refusal; it verifies nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

_COMMON_NAME = bytes.fromhex("550403")
_ORGANIZATION = bytes.fromhex("55040a")
_ALT_NAMES = bytes.fromhex("551d11")
_SEQUENCE, _SET, _OID, _OCTETS, _UTC_TIME, _VERSION, _EXTENSIONS = 0x30, 0x31, 0x06, 0x04, 0x17, 0xA0, 0xA3
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87


@dataclass(frozen=True)
class Certificate:
    """What a certificate says about itself.

    Attributes:
        subject: whom it was made for, its common name where it has one.
        issuer: who signed it.
        names: the host names and addresses it is good for.
        starts: from when it is valid.
        expires: until when it is valid.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    starts: datetime
    expires: datetime

    def is_for(self, host: str) -> bool:
        """Whether a name or address is among its names, as libpq compares: `*` stands for one first label."""
        host = host.lower().rstrip(".")
        return any(_matches(name.lower(), host) for name in self.names or (self.subject,))


def read_certificate(der: bytes) -> Certificate | None:
    """The certificate, or None where the bytes are not one that can be read."""
    try:
        return _read(der)
    except (ValueError, IndexError, StopIteration):
        return None


def _matches(name: str, host: str) -> bool:
    if not name.startswith("*."):
        return name == host
    label, dot, rest = host.partition(".")
    return bool(label and dot) and rest == name[2:]


def _read(der: bytes) -> Certificate:
    outer = next(_elements(der))
    body = next(_elements(outer[1]))
    fields = [field for field in _elements(body[1]) if field[0] != _VERSION]
    _serial, _algorithm, issuer, validity, subject, _key, *rest = fields
    starts, expires = (_time(*field) for field in _elements(validity[1]))
    names = [name for tag, value in rest if tag == _EXTENSIONS for name in _alternative_names(value)]
    return Certificate(_name(subject[1]), _name(issuer[1]), tuple(names), starts, expires)


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The DER elements of a value: tag and contents."""
    position = 0
    while position < len(data):
        tag, length = data[position], data[position + 1]
        position += 2
        if length & 0x80:
            count = length & 0x7F
            length = int.from_bytes(data[position : position + count], "big")
            position += count
        if position + length > len(data):
            raise ValueError("an element is longer than what holds it")
        yield tag, data[position : position + length]
        position += length


def _name(data: bytes) -> str:
    parts = {}
    for _tag, group in _elements(data):
        for _tag, pair in _elements(group):
            (_, oid), (_, value) = _elements(pair)
            parts[oid] = value.decode("utf-8", "replace")
    return parts.get(_COMMON_NAME) or parts.get(_ORGANIZATION) or ", ".join(parts.values())


def _time(tag: int, value: bytes) -> datetime:
    text = value.decode("ascii")
    if tag == _UTC_TIME:  # two digits of the year: 50 to 99 are of the last century
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _alternative_names(extensions: bytes) -> Iterator[str]:
    for _tag, sequence in _elements(extensions):
        for _tag, extension in _elements(sequence):
            (_, oid), *_flag, (_, value) = _elements(extension)
            if oid != _ALT_NAMES:
                continue
            for _tag, names in _elements(value):
                for tag, name in _elements(names):
                    if tag == _DNS_NAME:
                        yield name.decode("ascii", "replace")
                    elif tag == _IP_ADDRESS:
                        yield str(ipaddress.ip_address(name))
