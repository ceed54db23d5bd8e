"""Take edited files for what was applied: their checksums anew, in the side history and in the tool's own table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import psycopg

from howdah.errors import SourceError
from howdah.migrate.checksums import read_content
from howdah.migrate.declare import checksum_of
from howdah.migrate.formats.interface import Format, Query
from howdah.migrate.history import History
from howdah.migrate.migration import Migration, Source
from howdah.migrate.side_history import record_declaration
from howdah.migrate.sql import fetch, run_queries
from howdah.migrate.status import Change, build_status


@dataclass(frozen=True)
class EditedFile:
    """A file that is not what was applied.

    Attributes:
        diff: lines of a unified diff from what was applied to what the file says now; None: nobody knows what it said.
        is_accepted: its new checksum is taken: its statements are the same, or somebody vouches for it.
    """

    migration: Migration
    file: Path
    change: Change
    diff: tuple[str, ...] | None
    is_accepted: bool


def find_edited(
    connection: psycopg.Connection,
    format: Format,
    source: Source,
    history: History,
    *,
    accept: Collection[str] = (),
) -> tuple[EditedFile, ...]:
    """The edited files. One with other white space, comments or line ends is accepted; one that means something
    else where its version is in `accept`.

    Raises:
        SourceError: no file of a version in `accept` is edited.
    """
    edited = [
        (entry.migration, entry.migration.up, entry.change)
        for entry in build_status(format, source, history).entries
        if entry.change and entry.migration and entry.migration.up
    ]
    for version in accept:
        if version not in {migration.version for migration, _, _ in edited}:
            raise SourceError(
                f"the file of migration {version} is not edited",
                code="not-edited",
                next=("howdah migrate repair --dry-run",),
            )
    bodies = _stored_bodies(connection, history, [migration.version for migration, _, _ in edited])
    return tuple(
        EditedFile(
            migration,
            file,
            change,
            _diff(bodies.get(migration.version), read_content(format.files, file).text),
            change is Change.REFORMATTED or migration.version in accept,
        )
        for migration, file, change in edited
    )


def take_checksums(
    connection: psycopg.Connection, format: Format, history: History, edited: Sequence[EditedFile]
) -> None:
    """Record the checksums of the accepted files, in one transaction."""
    queries: list[Query] = []
    for each in edited:
        if not each.is_accepted:
            continue
        version, checksum = each.migration.version, checksum_of(format, each.migration)
        if checksum is not None:
            queries += format.table.bless(history.table, version, checksum)
        if history.has_side_history:
            record = history.records.get(version)
            # A run that passed by others goes on saying so; what was found here passed by none.
            previous = record.previous if record and record.action in ("apply", "repair") else version
            queries.append(
                record_declaration(history.table, each.migration, "repair", previous, format.files)
            )
    run_queries(connection, queries)


def _stored_bodies(
    connection: psycopg.Connection, history: History, versions: list[str]
) -> dict[str, str | None]:
    if not (history.has_side_history and versions):
        return {}
    rows = fetch(connection, "read_bodies", [history.table.sql, versions])
    return {row["version"]: row["body"] for row in rows}


def _diff(before: str | None, now: str | None) -> tuple[str, ...] | None:
    if before is None or now is None:
        return None
    return tuple(
        unified_diff(_lines(before), _lines(now), fromfile="as applied", tofile="as it is now", lineterm="")
    )


def _lines(text: str) -> list[str]:
    """The lines, with the carriage returns at their ends made visible."""
    return [line.replace("\r", "\\r") for line in text.split("\n")]
