"""Which tables are the migration tools' own: histories and leases, no part of what migrations build."""

from __future__ import annotations

import psycopg

from howdah.migrate.access import Access
from howdah.migrate.formats import all_formats
from howdah.migrate.formats.interface import Format
from howdah.migrate.handover import is_archive
from howdah.migrate.history import HistoryTable
from howdah.migrate.lease import find_lease_table
from howdah.migrate.migration import Source
from howdah.migrate.sql import fetch
from howdah.migrate.standing import newest_applied, stand

Names = frozenset[tuple[str, str]]
"""Schemas and names of tables, unquoted."""


def read_landmarks(connection: psycopg.Connection, access: Access, source: Source) -> tuple[Names, str]:
    """The tables that are the tools' own, and the newest applied migration, as people name it, or "none"."""
    at, history = access.read(connection)
    newest = newest_applied(source, stand(access.format, source, history))
    return own_tables(connection, access.format, at.table), newest or "none"


def own_tables(connection: psycopg.Connection, format: Format, table: HistoryTable) -> Names:
    """The history, the lease beside it, and what earlier changes of the tool have left in its schema."""
    names = {row["name"] for row in fetch(connection, "relation_names", [table.schema])}
    archives = {(table.schema, name) for name in names if is_archive(name)}
    lease = find_lease_table(connection, format, table)
    return frozenset({(table.schema, table.table), *archives, *([lease] if lease else [])})


def find_own_tables(connection: psycopg.Connection) -> Names:
    """The same of every tool whose history is there under its usual name, where nobody says which tool it is."""
    formats = all_formats()
    found: set[tuple[str, str]] = set()
    for row in fetch(connection, "tables_named", [sorted({each.table.name for each in formats})]):
        table = HistoryTable("", row["schema"], row["name"])
        for each in formats:
            if each.table.name == table.table and each.table.recognises(row["columns"]):
                found |= own_tables(connection, each, table)
    return frozenset(found)
