"""libpq's `key=value key='other value'` text."""

from __future__ import annotations

import re

from howdah.config.keywords import is_keyword
from howdah.errors import ConfigError

_KEY = re.compile(r"\s*([^\s=]+)\s*=\s*")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'(?=\s|$)", re.DOTALL)
_BARE = re.compile(r"(?:[^\s\\]|\\.)*", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def looks_like_conninfo(text: str) -> bool:
    """Whether the text is `key=value ...` rather than a URL."""
    return re.match(r"\s*\w+\s*=", text) is not None


def split_conninfo(text: str, *, origin: str) -> list[tuple[str, str]]:
    """The keys and values in their order; quotes and backslashes are taken off as libpq does.

    More forgiving than libpq in one place: in `password= dbname=x`, as programs write it when a value is
    empty, the password is empty and not `dbname=x`.

    Raises:
        ConfigError: the text cannot be split; the message shows no piece of it.
    """
    pairs: list[tuple[str, str]] = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        key = _KEY.match(text, position)
        if not key:
            raise _unclear(origin, after=pairs[-1][0] if pairs else None)
        following = _KEY.match(text, key.end())
        if following and is_keyword(following[1]) and text[key.end() - 1].isspace():
            pairs.append((key[1], ""))
            position = key.end()
            continue
        quoted = text.startswith("'", key.end())
        value = (_QUOTED if quoted else _BARE).match(text, key.end())
        if not value:
            raise _unclear(origin, after=key[1])
        pairs.append((key[1], _ESCAPED.sub(r"\1", value[1] if quoted else value[0])))
        position = value.end()
        if position == value.start() and position < len(text) and text[position] == "\\":
            raise _unclear(origin, after=key[1])
    return pairs


def _unclear(origin: str, *, after: str | None) -> ConfigError:
    place = f" after the value of '{after}'" if after and is_keyword(after) else ""
    return ConfigError(
        f"{origin}: the connection text is not 'key=value key=value'{place}",
        code="bad-address",
        why="A value with a blank or a quote in it must stand in single quotes.",
        fix=r"Put the value in single quotes and write \' for a quote and \\ for a backslash in it.",
    )
