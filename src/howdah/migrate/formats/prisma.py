"""Prisma Migrate: a folder for each migration, a row for each attempt at one, one lock key for all.

Sources: prisma/prisma-engines apply_migrations.rs, mark_migration_applied.rs, sql_migration_persistence.rs,
checksum.rs, migrations_directory.rs, flavour/postgres.rs; prisma/prisma listMigrations.ts (order).
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from howdah.errors import ConfigError, SourceError, Where
from howdah.findings import Finding
from howdah.migrate.formats.files import Refuse, ignored_file, no_directory, raise_at_once
from howdah.migrate.formats.interface import Body, Format, Keeps, OutOfOrder, Phase, Query
from howdah.migrate.formats.names import next_timestamp
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Direction, Migration, Source, Step

_SCRIPT, _LOCK_FILE, _PROVIDER = "migration.sql", "migration_lock.toml", "postgresql"
_LOCK_TEXT = f'provider = "{_PROVIDER}"\n'
_LONGEST_NAME = 255  # characters of the history's column
_CHECKSUM_DIGITS = 64
_TIMESTAMP_DIGITS = 14
_LOCK_KEY = 72707369
# Marks before digits before letters, as JavaScript's localeCompare: 0_init comes before 01_next.
_ORDER = {
    character: chr(position)
    for position, character in enumerate(
        " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz"
    )
}
_COLUMNS = {
    "id": "character varying(36)",
    "checksum": "character varying(64)",
    "finished_at": "timestamp with time zone",
    "migration_name": "character varying(255)",
    "logs": "text",
    "rolled_back_at": "timestamp with time zone",
    "started_at": "timestamp with time zone",
    "applied_steps_count": "integer",
}


class PrismaFiles:
    """Folders `TIMESTAMP_words`, each with a `migration.sql`; the version is the folder's name."""

    def read(self, directory: Path, *, refuse: Refuse = raise_at_once) -> Source:
        """The migrations of a directory in Prisma's order.

        Raises:
            SourceError: there is no such directory; it is of another database's; a folder has no migration.sql.
        """
        if not directory.is_dir():
            raise no_directory(directory)
        _refuse_other_provider(directory / _LOCK_FILE)
        migrations, notes = list[Migration](), []
        with os.scandir(directory) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                if entry.is_dir(follow_symlinks=False):
                    try:
                        migrations.append(_migration(directory / entry.name))
                    except SourceError as error:
                        refuse(error)
                elif entry.name.endswith(".sql"):
                    notes.append(_ignored(directory / entry.name))
        migrations.sort(key=lambda each: self.sort_key(each.version))
        return Source(directory, tuple(migrations), tuple(notes))

    def new(self, source: Source, words: str) -> Mapping[str, str]:
        """A folder with an empty script, and the file that names the provider where there is none."""
        times = [
            int(each.version[:_TIMESTAMP_DIGITS]) for each in source.migrations if _timestamp(each.version)
        ]
        name = f"{next_timestamp(after=max(times, default=None))}_{words}"
        lock = {} if (source.directory / _LOCK_FILE).exists() else {_LOCK_FILE: _LOCK_TEXT}
        return {f"{name}/{_SCRIPT}": "", **lock}

    def read_body(self, path: Path, text: str, direction: Direction) -> Body:
        """The whole file, up; Prisma has no way down."""
        return Body(text, as_one_message=True, is_missing=direction is Direction.DOWN)

    def checksum(self, raw: bytes) -> str:
        """SHA-256 of the script."""
        return hashlib.sha256(raw).hexdigest()

    def parse_version(self, text: str, source: Source) -> str:
        """The folder's name; its timestamp is enough where no other folder has it."""
        name = text.rstrip("/")
        found = [each.version for each in source.migrations if each.version.startswith(f"{name}_")]
        if source.find(name) is None and name.isdigit() and found:
            if len(found) > 1:
                raise ConfigError(
                    f"'{text}' is the beginning of {len(found)} migrations: {', '.join(found)}",
                    code="bad-version",
                )
            return found[0]
        if not name or "/" in name or "\0" in name:
            raise ConfigError(
                f"'{text}' is not a version", code="bad-version", fix="Versions are names of folders here."
            )
        return name

    def sort_key(self, version: str) -> tuple[int | str, ...]:
        """By name as people sort: marks, digits, letters, whatever their case or accents, which decide last."""
        plain = unicodedata.normalize("NFD", version.casefold())
        letters = (each for each in plain if not unicodedata.combining(each))
        return "".join(_ORDER.get(each, each) for each in letters), version.swapcase()


class PrismaTable:
    """`_prisma_migrations`: a row for each attempt; one with rolled_back_at does not count."""

    name = "_prisma_migrations"
    keeps = Keeps.EVERY
    marks_running = True
    out_of_order = OutOfOrder.APPLY
    refuses_changes = False  # `migrate deploy` looks at names only; `migrate dev` offers a reset
    fence = True  # the engine that runs inside Node, over a driver adapter, takes no lock

    def recognises(self, columns: Mapping[str, str]) -> bool:
        """All eight columns."""
        return all(columns.get(name) == kind for name, kind in _COLUMNS.items())

    def lock_keys(self, table: HistoryTable) -> tuple[int, ...]:
        """The key of the native engine, whatever the table."""
        return (_LOCK_KEY,)

    def create(self, table: HistoryTable) -> Sequence[Query]:
        """Their own table."""
        return (
            Query(
                f"CREATE TABLE IF NOT EXISTS {table.sql} (id VARCHAR(36) PRIMARY KEY NOT NULL,"
                " checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ, migration_name VARCHAR(255) NOT NULL,"
                " logs TEXT, rolled_back_at TIMESTAMPTZ, started_at TIMESTAMPTZ NOT NULL DEFAULT now(),"
                " applied_steps_count INTEGER NOT NULL DEFAULT 0)"
            ),
        )

    def read(self, table: HistoryTable) -> Query:
        """Each name that has a row not rolled back. Checksums of before 2.23 lack zeros, and are not compared."""
        return Query(
            "SELECT migration_name, bool_or(finished_at IS NULL), (array_agg(checksum ORDER BY started_at DESC)"
            f" FILTER (WHERE length(checksum) = {_CHECKSUM_DIGITS}))[1], max(finished_at)"
            f" FROM {table.sql} WHERE rolled_back_at IS NULL GROUP BY 1 ORDER BY max(started_at), 1"
        )

    def record(
        self, table: HistoryTable, step: Step, checksum: str | None, *, start: Phase | None, end: Phase
    ) -> Sequence[Query]:
        """A row appears, is finished, or is marked as rolled back.

        Overwriting is `prisma migrate resolve`: rows that count are rolled back, and one without steps is added.
        """
        name, after = step.migration.version, _row(step.direction, end)
        if start is None:
            gone = Query(f"UPDATE {table.sql} {_ROLL_BACK} WHERE {_LIVE}", (name,))
            return (gone,) if after is None else (gone, _declare(table, name, checksum))
        before = _row(step.direction, start)
        if before is after:
            return ()
        if before is None:
            assert after is not None
            return (_insert(table, name, checksum, is_finished=after),)
        change = {
            None: _ROLL_BACK,
            True: "SET finished_at = clock_timestamp(), applied_steps_count = applied_steps_count + 1",
            False: "SET finished_at = NULL, applied_steps_count = 0",
        }[after]
        return (
            Query(
                f"WITH changed AS (UPDATE {table.sql} {change} WHERE {_LIVE} AND (finished_at IS NOT NULL)"
                " = $2::boolean RETURNING 1) SELECT 1 / count(*) FROM changed",
                (name, "t" if before else "f"),
            ),
        )

    def baseline(
        self, table: HistoryTable, declared: Sequence[tuple[Migration, str | None]]
    ) -> Sequence[Query]:
        """A row for each, as `prisma migrate resolve --applied` writes one after another."""
        is_empty = Query(f"SELECT 1 / (CASE WHEN count(*) = 0 THEN 1 ELSE 0 END) FROM {table.sql}")
        return (is_empty, *(_declare(table, each.version, checksum) for each, checksum in declared))

    def bless(self, table: HistoryTable, version: str, checksum: str) -> Sequence[Query]:
        """Prisma has no such command; the row is as if today's file had been applied."""
        return (Query(f"UPDATE {table.sql} SET checksum = $2::text WHERE {_LIVE}", (version, checksum)),)


PRISMA = Format("prisma", PrismaFiles(), PrismaTable())

_LIVE = "migration_name = $1::text AND rolled_back_at IS NULL"
_ROLL_BACK = "SET rolled_back_at = clock_timestamp()"


def _insert(table: HistoryTable, name: str, checksum: str | None, *, is_finished: bool) -> Query:
    """A new row, or a division by zero where the migration has one that counts."""
    finished = "clock_timestamp(), 1" if is_finished else "NULL, 0"
    return Query(
        f"INSERT INTO {table.sql} (id, checksum, migration_name, started_at, finished_at, applied_steps_count)"
        f" SELECT gen_random_uuid(), $2::text, $1::text, now(), {finished}"
        f" WHERE 1 / (CASE WHEN EXISTS (SELECT FROM {table.sql} WHERE {_LIVE}) THEN 0 ELSE 1 END) = 1",
        (name, checksum),
    )


def _declare(table: HistoryTable, name: str, checksum: str | None) -> Query:
    """A row that says applied, of something that nobody ran here."""
    return Query(
        f"INSERT INTO {table.sql} (id, checksum, logs, started_at, finished_at, migration_name)"
        " SELECT gen_random_uuid(), $2::text, '', moment, moment, $1::text FROM clock_timestamp() AS moment",
        (name, checksum),
    )


def _row(direction: Direction, phase: Phase) -> bool | None:
    """Whether the step's migration has a row at this phase (None: it has none), and whether it is finished."""
    if phase is Phase.RUNNING:
        return False
    return True if phase.is_applied(direction) else None


def _migration(folder: Path) -> Migration:
    path = folder / _SCRIPT
    if not path.is_file():
        raise SourceError(
            f"the folder {folder.name} has no {_SCRIPT}",
            code="missing-up-file",
            where=Where(str(folder)),
            why="Every folder here is a migration to Prisma, which stops at one without a script (P3015).",
            fix="Bring the script back, or delete the folder.",
        )
    if len(folder.name) > _LONGEST_NAME:
        raise SourceError(
            f"the name {folder.name[:40]}… does not fit the history's varchar({_LONGEST_NAME})",
            code="version-too-large",
            where=Where(str(folder)),
            fix="Use a shorter one.",
        )
    words = folder.name.partition("_")[2] if _timestamp(folder.name) else folder.name
    return Migration(folder.name, words, path)


def _timestamp(name: str) -> bool:
    head, separator, _ = name.partition("_")
    return bool(separator) and len(head) == _TIMESTAMP_DIGITS and head.isascii() and head.isdigit()


def _refuse_other_provider(path: Path) -> None:
    """Prisma compares the provider's line with the schema's datasource; here it can only be PostgreSQL."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    number, line = next(
        ((number, line) for number, line in enumerate(lines, 1) if line.startswith("provider")), (1, "")
    )
    provider = line.removeprefix("provider = ").strip('"')
    if provider != _PROVIDER:
        raise SourceError(
            f"these migrations are written for {provider or 'no database'}",
            code="other-provider",
            where=Where(str(path), number),
            why="howdah runs them on PostgreSQL.",
            fix=f'Where they are PostgreSQL\'s, write provider = "{_PROVIDER}".',
        )


def _ignored(path: Path) -> Finding:
    return ignored_file(path, tool="Prisma", why=f"A migration is a folder with a {_SCRIPT}.")
