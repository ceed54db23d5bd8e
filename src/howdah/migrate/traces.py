"""What a script would leave behind, and what of it is there: the traces by which a person sees how far it came."""

from __future__ import annotations

import re
from dataclasses import dataclass

import psycopg

from howdah.migrate.script import Script
from howdah.migrate.sql import fetch

_NAME = r'(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*)'
_QUALIFIED = rf"({_NAME}(?:\.{_NAME})?)"
# Tables, indexes, views and sequences: what to_regclass() finds by name. Other objects leave no trace here.
_CREATE = re.compile(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:UNLOGGED\s+)?(?:"
    rf"TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_QUALIFIED}"
    rf"|(?:UNIQUE\s+)?INDEX\s+(?:CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?{_QUALIFIED}\s+ON\b"
    rf"|(?:MATERIALIZED\s+)?VIEW\s+(?:IF\s+NOT\s+EXISTS\s+)?{_QUALIFIED}"
    rf"|SEQUENCE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_QUALIFIED})",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Trace:
    """Something that a script makes: is it there, and, of an index, is it valid?"""

    name: str
    exists: bool
    is_valid: bool


def names_made_by(script: Script) -> tuple[str, ...]:
    """The tables, indexes, views and sequences that the script's statements create, as they write them."""
    found = (_CREATE.match(statement.text) for statement in script.statements)
    return tuple(dict.fromkeys(next(filter(None, match.groups())) for match in found if match))


def find_traces(connection: psycopg.Connection, script: Script) -> tuple[Trace, ...]:
    """Which of them are there, found by the search_path of this session."""
    names = names_made_by(script)
    return tuple(Trace(**row) for row in fetch(connection, "traces", [list(names)])) if names else ()
