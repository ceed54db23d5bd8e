"""Names and texts as SQL: for pure code that builds statements without a connection."""

from __future__ import annotations

from howdah.errors import ConfigError

# NAMEDATALEN - 1: the server cuts longer names silently (a NOTICE), and would then make another object than named.
MAX_NAME_BYTES = 63


def quote_identifier(name: str) -> str:
    """The name as an SQL identifier: quoted always, so case, dashes and reserved words are kept."""
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """The text as an SQL literal, right under either setting of standard_conforming_strings."""
    quoted = "'" + text.replace("'", "''").replace("\\", "\\\\") + "'"
    return f"E{quoted}" if "\\" in text else quoted


def check_name(name: str, *, what: str) -> str:
    """The name, when the server can hold it unchanged.

    Raises:
        ConfigError: it is empty, has a line break or a zero byte, or is longer than 63 bytes in UTF-8.
    """
    if not name or any(letter in name for letter in "\0\r\n"):
        raise ConfigError(
            f"the name of a {what} is empty, or has a line break or a zero byte: {name!r}", code="bad-name"
        )
    if len(name.encode()) > MAX_NAME_BYTES:
        raise ConfigError(
            f"the name of {what} {name!r} has {len(name.encode())} bytes",
            code="bad-name",
            why=f"PostgreSQL keeps {MAX_NAME_BYTES} bytes of a name and cuts the rest, which names something else.",
            fix="Choose a shorter name.",
        )
    return name
