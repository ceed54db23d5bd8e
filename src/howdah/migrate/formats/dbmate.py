"""dbmate v2: one file of two sections for each migration, text versions, a history of one column, no lock.

Sources: amacneil/dbmate pkg/dbmate/db.go (files, order), pkg/dbmate/migration.go (sections),
pkg/driver/postgres/postgres.go (table).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from howdah.errors import ConfigError, SourceError, Where
from howdah.findings import Finding
from howdah.migrate.formats.dbmate_sections import read_section
from howdah.migrate.formats.files import Refuse, duplicate_file, ignored_file, raise_at_once
from howdah.migrate.formats.interface import Body, Format, Keeps, OutOfOrder, Phase, Query, Transaction
from howdah.migrate.formats.names import list_files_and_links, next_timestamp, readable_name
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Direction, Migration, Source, Step
from howdah.pg.identifiers import quote_identifier, quote_literal

if TYPE_CHECKING:
    import psycopg

    from howdah.config.database import DatabaseConfig

_FILE = re.compile(r"([0-9]+)([^\n]*)\.sql")
_NEW_FILE = "-- migrate:up\n\n\n-- migrate:down\n\n"


class DbmateFiles:
    """Files `V….sql`: V is text, and the order is that of the names, so that `10_b.sql` comes before `9_a.sql`."""

    def read(self, directory: Path, *, refuse: Refuse = raise_at_once) -> Source:
        """The migrations of a flat directory by file name.

        Raises:
            SourceError: there is no such directory; two files have one version; the order of the names is not that of
                the versions.
        """
        migrations: dict[str, Migration] = {}
        notes = []
        for path in sorted(
            list_files_and_links(directory, refuse=refuse), key=lambda each: os.fsencode(each.name)
        ):
            match = _FILE.fullmatch(readable_name(path))
            if match is None:
                notes += _ignored(path)
                continue
            version = match[1]
            if version in migrations:
                refuse(_duplicate(version, migrations[version].path, path))
                continue
            migrations[version] = Migration(version, match[2].removeprefix("_"), path, path)
        for one, two in pairwise(migrations.values()):
            if self.sort_key(one.version) > self.sort_key(two.version):
                refuse(_mixed_order(one, two))
        return Source(directory, tuple(migrations.values()), tuple(notes))

    def new(self, source: Source, words: str) -> Mapping[str, str]:
        """A file with a timestamp and two empty sections; numbered where a timestamp would come before the newest."""
        newest = source.migrations[-1].version if source.migrations else ""
        prefix = next_timestamp(after=None)
        if prefix <= newest:
            prefix = str(int(newest) + 1).zfill(len(newest))
        return {f"{prefix}_{words}.sql": _NEW_FILE}

    def read_body(self, path: Path, text: str, direction: Direction) -> Body:
        """The section of this direction, with the line that begins it.

        Raises:
            SourceError: dbmate's parser would refuse the file, or it has several pairs of sections.
        """
        section = read_section(path, text, direction)
        is_outside = section.options.get("transaction") == "false"
        return Body(
            section.text,
            first_line=section.line,
            transaction=Transaction.NEVER if is_outside else Transaction.ALWAYS,
            directive=f"-- migrate:{direction.value} transaction:false",
            as_one_message=True,
        )

    def checksum(self, raw: bytes) -> str | None:
        """None: dbmate keeps none."""
        return None

    def parse_version(self, text: str, source: Source) -> str:
        """The digits as a file has them: `7` finds `007` where that is the only 7."""
        if not (text.isascii() and text.isdigit()):
            raise ConfigError(
                f"'{text}' is not a version", code="bad-version", fix="dbmate's versions are digits."
            )
        if text in source.by_version:
            return text
        same = [each for each in source.by_version if each.lstrip("0") == text.lstrip("0")]
        return same[0] if len(same) == 1 else text

    def sort_key(self, version: str) -> tuple[int | str, ...]:
        """As text with what stands behind it in a file's name: 10_ comes before 1_."""
        return (f"{version}_",)


class DbmateTable:
    """Table `schema_migrations(version)`: a row for each applied version, and nothing else is known of it."""

    name = "schema_migrations"
    keeps = Keeps.EVERY
    marks_running = False
    out_of_order = OutOfOrder.APPLY
    refuses_changes = False
    fence = True

    def recognises(self, columns: Mapping[str, str]) -> bool:
        """A version that is a varchar of any width, and no other column."""
        return list(columns) == ["version"] and columns["version"].startswith("character varying")

    def lock_keys(self, table: HistoryTable) -> tuple[int, ...]:
        """None: dbmate takes no lock."""
        return ()

    def create(self, table: HistoryTable) -> Sequence[Query]:
        """The schema where it is missing, which takes a right of its own, and the table."""
        make_schema = (
            f"BEGIN IF to_regnamespace({quote_literal(quote_identifier(table.schema))}) IS NULL"
            f" THEN CREATE SCHEMA {quote_identifier(table.schema)}; END IF; END"
        )
        return [
            Query(f"DO {quote_literal(make_schema)}"),
            Query(f"CREATE TABLE IF NOT EXISTS {table.sql} (version varchar PRIMARY KEY)"),
        ]

    def read(self, table: HistoryTable) -> Query:
        """In the order of the files, which is the order of reverting: the table does not know what came first."""
        return Query(
            f"SELECT version::text, FALSE FROM {table.sql} AS history"
            " ORDER BY history.version || '_' USING ~<~"  # as bytes
        )

    def record(
        self, table: HistoryTable, step: Step, checksum: str | None, *, start: Phase | None, end: Phase
    ) -> Sequence[Query]:
        """A row comes or goes. A step that is running looks as if it had not begun."""
        is_there = end.is_applied(step.direction)
        version = (step.migration.version,)
        if start is not None and start.is_applied(step.direction) is is_there:
            return ()
        insert = (
            f"INSERT INTO {table.sql} (version) SELECT $1::varchar"
            f" WHERE NOT EXISTS (SELECT FROM {table.sql} WHERE version = $1::varchar)"
        )
        change = insert if is_there else f"DELETE FROM {table.sql} WHERE version = $1::varchar"
        if start is None:
            return (Query(change, version),)
        return (Query(f"WITH done AS ({change} RETURNING 1) SELECT 1 / count(*) FROM done", version),)

    def baseline(
        self, table: HistoryTable, declared: Sequence[tuple[Migration, str | None]]
    ) -> Sequence[Query]:
        """A row for each."""
        versions = json.dumps([each.version for each, _ in declared])
        return [
            Query(f"SELECT 1 / (CASE WHEN count(*) = 0 THEN 1 ELSE 0 END) FROM {table.sql}"),
            Query(
                f"INSERT INTO {table.sql} (version) SELECT json_array_elements_text($1::json)", (versions,)
            ),
        ]

    def bless(self, table: HistoryTable, version: str, checksum: str) -> Sequence[Query]:
        """Nothing: dbmate keeps no checksum."""
        return ()


def _after_run(
    connection: psycopg.Connection, database: DatabaseConfig, table: HistoryTable, directory: Path
) -> Sequence[Finding]:
    from howdah.migrate.schema_file import update_schema_file

    return update_schema_file(connection, database, table, directory)


DBMATE = Format("dbmate", DbmateFiles(), DbmateTable(), after_run=_after_run)


def _duplicate(version: str, first: Path, second: Path) -> SourceError:
    return duplicate_file(
        f"have version {version}",
        first,
        second,
        why="dbmate would run the first and fail to record the second, and from then on show both as applied.",
    )


def _mixed_order(one: Migration, two: Migration) -> SourceError:
    return SourceError(
        f"{one.up.name if one.up else ''} comes before {two.up.name if two.up else ''} only because of what"
        " follows the digits",
        code="mixed-order",
        where=Where(str(two.up)),
        why="dbmate orders files by name, and its history has no names: nobody could say of an applied version"
        " which of the two is newer.",
        fix="Write an underscore behind the digits, or give all versions the same number of digits.",
    )


def _ignored(path: Path) -> list[Finding]:
    if not path.name.lower().endswith(".sql"):
        return []
    why = "The name does not begin with a digit and end with .sql in lower case."
    return [ignored_file(path, tool="dbmate", why=why)]
