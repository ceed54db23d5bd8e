"""Versions of PostgreSQL, as its programs and servers state them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

OLDEST_MAJOR = 14
"""The oldest major version that howdah is tested with, and the oldest that the project itself maintains."""

_STATED = re.compile(r"(?<![\w.])(\d+)(?:\.(\d+)|(?:beta|rc|devel)\w*)?")


@dataclass(frozen=True, order=True)
class Version:
    """A version: `major` and `minor`, and the text it was read from."""

    major: int
    minor: int = 0
    text: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.text or f"{self.major}.{self.minor}"

    @property
    def number(self) -> int:
        """The same as the server's `server_version_num`."""
        return self.major * 10000 + self.minor


def parse_version(text: str) -> Version:
    """The version in `postgres (PostgreSQL) 15.14 (Debian 15.14-0)`, `18.6`, `19beta1` or `19devel`.

    Raises:
        ValueError: there is none in the text.
    """
    found = _STATED.search(text)
    if not found:
        raise ValueError(f"no version of PostgreSQL in {text!r}")
    return Version(int(found[1]), int(found[2] or 0), found[0])


def version_of_number(number: int) -> Version:
    """The version a server states as `server_version_num`: 150014 is 15.14."""
    return Version(number // 10000, number % 10000)
