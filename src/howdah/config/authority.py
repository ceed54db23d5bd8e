"""Where the user, the password and the hosts of a URL end, also when the password was not percent-encoded.

The rule, for `USER:PASSWORD@HOSTS/DATABASE?PARAMETERS`: every `@` is tried as the one that ends the
password (and none, for a URL without a user). A reading is possible when hosts and ports look like hosts
and ports, the database has no `@` and no `/`, and each parameter is a known one. A URL that can be read as
the standard says is read so. Otherwise exactly one reading must be possible.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

# A name or address (percent-encoded where it must be), an address in brackets, or nothing; perhaps a port.
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.%a-z]+\]|[^\s\[\]:/?#@,]*)(?::([0-9]{0,5}))?")


@dataclass(frozen=True, repr=False)  # it may hold a password
class Reading:
    """One way to read what follows `://`; nothing is decoded yet. `userinfo` is None where no @ ends one."""

    userinfo: str | None
    hosts: str
    database: str
    query: str


def possible_readings(text: str, *, is_parameter: Callable[[str], bool]) -> list[Reading]:
    """The ways to read what follows `://`: one where the text is clear, none where it makes no sense."""
    end = min((index for index in map(text.find, "/?") if index >= 0), default=len(text))
    standard = _read(text, text.rfind("@", 0, end))
    # An @ in a parameter (application_name=me@here) is no reason for doubt; one in the database's name is.
    if _is_possible(standard, is_parameter):
        return [standard]
    separators = [index for index, character in enumerate(text) if character == "@" and index > end]
    readings = [_read(text, index) for index in separators if ":" in text[:end]]
    possible = [
        reading
        for reading in readings
        if (reading.hosts or reading.database) and _is_possible(reading, is_parameter)
    ]
    return possible or ([standard] if _has_hosts(standard) and not separators else [])


def _read(text: str, separator: int) -> Reading:
    userinfo = text[:separator] if separator >= 0 else None
    rest = text[separator + 1 :]
    place, _, query = rest.partition("?")
    hosts, _, database = place.partition("/")
    return Reading(userinfo, hosts, database, query)


def _is_possible(reading: Reading, is_parameter: Callable[[str], bool]) -> bool:
    if not _has_hosts(reading) or "@" in reading.database or "/" in reading.database:
        return False
    names = (pair.partition("=") for pair in reading.query.split("&") if pair)
    return all(equals and is_parameter(name) for name, equals, _ in names)


def _has_hosts(reading: Reading) -> bool:
    places = [_HOST.fullmatch(place) for place in reading.hosts.split(",")]
    return all(place and int(place[1] or 0) < 65536 for place in places)
