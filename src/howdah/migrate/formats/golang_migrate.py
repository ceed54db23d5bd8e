"""golang-migrate v4: numbered pairs of files, a history of one row, two lock keys.

Sources: golang-migrate/migrate source/parse.go, source/iofs/iofs.go (files), database/pgx/v5/pgx.go (table),
database/util.go (lock), internal/cli/commands.go (new files).
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from howdah.errors import SourceError, Where
from howdah.findings import Finding, Severity
from howdah.migrate.formats.interface import Query
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Direction, Migration, Source

# The second group is greedy, as theirs: `1_a.up.down.sql` is the down half of `a.up`.
_FILE = re.compile(r"^([0-9]+)_(.*)\.(down|up)\.(.*)$")
_UINT64_MAX = 2**64 - 1
_INT64_MAX = 2**63 - 1
_TIMESTAMP_DIGITS = 14
_SALT = 1486364155


class GolangMigrate:
    """Files `V_name.up.sql` / `V_name.down.sql`; table `schema_migrations(version, dirty)` of at most one row."""

    name = "golang-migrate"
    table = "schema_migrations"
    columns: Mapping[str, str] = MappingProxyType({"version": "bigint", "dirty": "boolean"})

    def read_files(self, directory: Path) -> Source:
        """The migrations of a flat directory, numbers compared as numbers.

        Raises:
            SourceError: there is no such directory; two files are the same half of one version; a version is
                beyond what the history's bigint holds.
        """
        if not directory.is_dir():
            raise SourceError(f"there is no directory {directory}", code="no-migrations-directory")
        halves: dict[int, dict[Direction, Path]] = {}
        names: dict[int, str] = {}
        notes = []
        # scandir knows what is a file without asking again for each of 20,000.
        for name in sorted(each.name for each in os.scandir(directory) if each.is_file()):
            path = directory / name
            match = _FILE.match(name)
            if match is None or int(match[1]) > _UINT64_MAX:
                if name.endswith(".sql"):
                    notes.append(_ignored(path))
                continue
            version, direction = int(match[1]), Direction(match[3])
            _check_version(version, path)
            taken = halves.setdefault(version, {})
            if direction in taken:
                raise _duplicate(version, direction, taken[direction], path)
            taken[direction] = path
            names.setdefault(version, match[2])
        migrations = tuple(
            Migration(version, names[version], both.get(Direction.UP), both.get(Direction.DOWN))
            for version, both in sorted(halves.items())
        )
        return Source(directory, migrations, (*notes, *_lonely_halves(migrations)))

    def name_files(self, source: Source, words: str) -> tuple[str, ...]:
        """The pair that comes next: in the digits in use, a timestamp (UTC) where the newest version is one."""
        newest = source.migrations[-1] if source.migrations else None
        if newest is not None and len(str(newest.version)) == _TIMESTAMP_DIGITS:
            from datetime import UTC, datetime

            number = max(int(datetime.now(UTC).strftime("%Y%m%d%H%M%S")), newest.version + 1)
        else:
            number = 1 if newest is None else newest.version + 1
        prefix = str(number).zfill(_digits(newest))
        return (f"{prefix}_{words}.up.sql", f"{prefix}_{words}.down.sql")

    def lock_keys(self, table: HistoryTable) -> tuple[int, ...]:
        """Keys of its CLI (database as a URL path), of its library (bare name), and of both before v4.15."""
        parts = [
            (table.schema, table.table, f"/{table.database}"),
            (table.schema, table.table, table.database),
            (table.schema, f"/{table.database}"),
            (table.schema, table.database),
        ]
        return tuple(sorted({zlib.crc32("\0".join(each).encode()) * _SALT % 2**32 for each in parts}))

    def create_table(self, table: HistoryTable) -> Query:
        """Their own statement."""
        return Query(
            f"CREATE TABLE IF NOT EXISTS {table.sql}"
            " (version bigint not null primary key, dirty boolean not null)"
        )

    def read_history(self, table: HistoryTable) -> Query:
        """All rows: more than one is a history that is not golang-migrate's."""
        return Query(f"SELECT version, dirty FROM {table.sql} LIMIT 2")

    def move_history(
        self, table: HistoryTable, *, before: tuple[int | None, bool] | None, after: tuple[int | None, bool]
    ) -> Sequence[Query]:
        """One row in place of another. Theirs is TRUNCATE + INSERT: the same row with a heavier lock."""
        version, dirty = after
        gone = _delete(table, before)
        # An empty history has no row, except where the first migration failed on its way down: (-1, true).
        if version is None and not dirty:
            return (gone,)
        new = Query(
            f"INSERT INTO {table.sql} (version, dirty) VALUES ($1::bigint, $2::boolean)",
            (str(-1 if version is None else version), "t" if dirty else "f"),
        )
        return (gone, new)


def _delete(table: HistoryTable, before: tuple[int | None, bool] | None) -> Query:
    """Remove the row, and divide by zero unless it was the one expected."""
    if before is None:
        return Query(f"DELETE FROM {table.sql}")
    version, dirty = before
    if version is None and not dirty:
        return Query(f"SELECT 1 / (CASE WHEN count(*) = 0 THEN 1 ELSE 0 END) FROM {table.sql}")
    return Query(
        f"WITH gone AS (DELETE FROM {table.sql} WHERE version = $1::bigint AND dirty = $2::boolean"
        " RETURNING 1) SELECT 1 / count(*) FROM gone",
        (str(-1 if version is None else version), "t" if dirty else "f"),
    )


def _digits(newest: Migration | None) -> int:
    """The width of the newest file's number; six, as golang-migrate's `-seq`, where there is none."""
    file = newest and (newest.up or newest.down)
    return len(file.name.split("_", 1)[0]) if file else 6


def _lonely_halves(migrations: Sequence[Migration]) -> list[Finding]:
    """A note for each missing half. Where no migration has a down half, the project never goes back: no notes."""
    goes_back = any(each.down and each.up for each in migrations)
    return [
        Finding(
            code=f"missing-{missing.value}-file",
            severity=Severity.WARNING,
            message=f"migration {each.version} ({each.name}) has no {missing.value} file",
            where=Where(str(each.up or each.down)),
            why=f"`{missing.value}` stops here.",
            fix="Add it; an empty one says that nothing is to do.",
        )
        for each in migrations
        for missing in Direction
        if each.file(missing) is None and (missing is Direction.UP or goes_back)
    ]


def _check_version(version: int, path: Path) -> None:
    if version > _INT64_MAX:
        raise SourceError(
            f"version {version} does not fit the history's bigint",
            code="version-too-large",
            where=Where(str(path)),
            why="golang-migrate would wrap it to a negative number.",
            fix=f"Use a number up to {_INT64_MAX}.",
        )


def _duplicate(version: int, direction: Direction, first: Path, second: Path) -> SourceError:
    return SourceError(
        f"two files are the {direction.value} half of version {version}: {first.name} and {second.name}",
        code="duplicate-migration",
        where=Where(str(second)),
        why="golang-migrate compares numbers, not names (1 and 001 are one version), and takes any ending:"
        " a copy such as .sql~ or .sql.bak counts.",
        fix="Renumber one of them, or delete the copy.",
    )


def _ignored(path: Path) -> Finding:
    return Finding(
        code="ignored-file",
        severity=Severity.WARNING,
        message="not a migration for golang-migrate, ignored",
        where=Where(str(path)),
        why="The name is not NUMBER_name.up.sql or NUMBER_name.down.sql with a number below 2^64.",
    )
