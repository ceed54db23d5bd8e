"""golang-migrate v4: numbered pairs of files, a history of one row, two lock keys.

Sources: golang-migrate/migrate source/parse.go, source/iofs/iofs.go (files), database/pgx/v5/pgx.go (table),
database/util.go (lock), internal/cli/commands.go (new files).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from howdah.errors import SourceError, Where
from howdah.findings import Finding, Severity
from howdah.migrate.formats.files import (
    NumberedFiles,
    Refuse,
    duplicate_file,
    ignored_file,
    list_files,
    missing_half,
    raise_at_once,
)
from howdah.migrate.formats.interface import Body, Format, Keeps, OutOfOrder, Phase, Query
from howdah.migrate.formats.names import next_timestamp
from howdah.migrate.history import NOTHING, HistoryTable
from howdah.migrate.migration import Direction, Migration, Source, Step

# The second group is greedy, as theirs: `1_a.up.down.sql` is the down half of `a.up`.
_FILE = re.compile(r"^([0-9]+)_(.*)\.(down|up)\.(.*)$")
_UINT64_MAX = 2**64 - 1
_INT64_MAX = 2**63 - 1
_TIMESTAMP_DIGITS = 14
_SALT = 1486364155
_MOST_IGNORED = 3


class GolangMigrateFiles(NumberedFiles):
    """Files `V_name.up.sql` / `V_name.down.sql`, numbers compared as numbers."""

    def read(self, directory: Path, *, refuse: Refuse = raise_at_once) -> Source:
        """The migrations of a flat directory.

        Raises:
            SourceError: there is no such directory; two files are the same half of one version; a version is
                beyond what the history's bigint holds.
        """
        halves: dict[int, dict[Direction, Path]] = {}
        names: dict[int, str] = {}
        ignored = []
        for path in list_files(directory):
            match = _FILE.match(path.name)
            if match is None or int(match[1]) > _UINT64_MAX:
                if path.name.endswith(".sql"):
                    ignored.append(path)
                continue
            version, direction = int(match[1]), Direction(match[3])
            if version > _INT64_MAX:
                refuse(_too_large(version, path))
                continue
            taken = halves.setdefault(version, {})
            if direction in taken:
                refuse(_duplicate(version, direction, taken[direction], path))
                continue
            taken[direction] = path
            names.setdefault(version, match[2])
        migrations = tuple(
            Migration(str(version), names[version], both.get(Direction.UP), both.get(Direction.DOWN))
            for version, both in sorted(halves.items())
        )
        return Source(directory, migrations, (*_ignored(ignored), *_lonely_halves(migrations)))

    def new(self, source: Source, words: str) -> Mapping[str, str]:
        """An empty pair: in the digits in use, a timestamp (UTC) where the newest version is one."""
        newest = source.migrations[-1] if source.migrations else None
        if newest is not None and len(newest.version) == _TIMESTAMP_DIGITS:
            prefix = next_timestamp(after=int(newest.version))
        else:
            prefix = str(1 if newest is None else int(newest.version) + 1).zfill(_digits(newest))
        return {f"{prefix}_{words}.up.sql": "", f"{prefix}_{words}.down.sql": ""}

    def read_body(self, path: Path, text: str, direction: Direction) -> Body:
        """The whole file: golang-migrate knows no directives."""
        return Body(text)

    def checksum(self, raw: bytes) -> str | None:
        """None: golang-migrate keeps none."""
        return None


class GolangMigrateTable:
    """Table `schema_migrations(version, dirty)` of at most one row."""

    name = "schema_migrations"
    keeps = Keeps.NUMBER
    marks_running = True
    out_of_order = OutOfOrder.SKIP
    refuses_changes = False
    fence = False

    def recognises(self, columns: Mapping[str, str]) -> bool:
        """A version that is a bigint, and the dirty flag."""
        return columns.get("version") == "bigint" and columns.get("dirty") == "boolean"

    def lock_keys(self, table: HistoryTable) -> tuple[int, ...]:
        """Keys of its CLI (database as a URL path), of its library (bare name), and of both before v4.15."""
        parts = [
            (table.schema, table.table, f"/{table.database}"),
            (table.schema, table.table, table.database),
            (table.schema, f"/{table.database}"),
            (table.schema, table.database),
        ]
        return tuple(sorted({zlib.crc32("\0".join(each).encode()) * _SALT % 2**32 for each in parts}))

    def create(self, table: HistoryTable) -> Sequence[Query]:
        """Their own statement."""
        return [
            Query(
                f"CREATE TABLE IF NOT EXISTS {table.sql}"
                " (version bigint not null primary key, dirty boolean not null)"
            )
        ]

    def read(self, table: HistoryTable) -> Query:
        """All rows: more than one is a history that is not golang-migrate's."""
        return Query(f"SELECT version::text, dirty FROM {table.sql} LIMIT 2")

    def record(
        self,
        table: HistoryTable,
        step: Step,
        checksum: str | None,
        *,
        start: Phase | None,
        end: Phase,
    ) -> Sequence[Query]:
        """One row in place of another. Theirs is TRUNCATE + INSERT: the same row with a heavier lock."""
        gone = _delete(table, None if start is None else _row(step, start))
        version, is_dirty = _row(step, end)
        return (gone, *_insert(table, version, is_dirty=is_dirty))

    def baseline(
        self, table: HistoryTable, declared: Sequence[tuple[Migration, str | None]]
    ) -> Sequence[Query]:
        """The number of the last one."""
        newest = declared[-1][0].version
        return (_delete(table, (None, False)), *_insert(table, newest, is_dirty=False))

    def bless(self, table: HistoryTable, version: str, checksum: str) -> Sequence[Query]:
        """Nothing: golang-migrate keeps no checksum."""
        return ()


GOLANG_MIGRATE = Format("golang-migrate", GolangMigrateFiles(), GolangMigrateTable())


def _row(step: Step, phase: Phase) -> tuple[str | None, bool]:
    """Version and dirty flag in a phase of a step: a dirty row names the version that was moved to."""
    return (step.before if phase is Phase.BEFORE else step.after), phase is Phase.RUNNING


def _insert(table: HistoryTable, version: str | None, *, is_dirty: bool) -> Sequence[Query]:
    # An empty history has no row, except where the first migration failed on its way down: (-1, true).
    if version is None and not is_dirty:
        return ()
    row = (NOTHING if version is None else version, "t" if is_dirty else "f")
    return (Query(f"INSERT INTO {table.sql} (version, dirty) VALUES ($1::bigint, $2::boolean)", row),)


def _delete(table: HistoryTable, before: tuple[str | None, bool] | None) -> Query:
    """Remove the row, and divide by zero unless it was the one expected."""
    if before is None:
        return Query(f"DELETE FROM {table.sql}")
    version, is_dirty = before
    if version is None and not is_dirty:
        return Query(f"SELECT 1 / (CASE WHEN count(*) = 0 THEN 1 ELSE 0 END) FROM {table.sql}")
    return Query(
        f"WITH gone AS (DELETE FROM {table.sql} WHERE version = $1::bigint AND dirty = $2::boolean"
        " RETURNING 1) SELECT 1 / count(*) FROM gone",
        (NOTHING if version is None else version, "t" if is_dirty else "f"),
    )


def _digits(newest: Migration | None) -> int:
    """The width of the newest file's number; six, as golang-migrate's `-seq`, where there is none."""
    return len(newest.path.name.split("_", 1)[0]) if newest else 6


def _lonely_halves(migrations: Sequence[Migration]) -> list[Finding]:
    """A note for each missing half. Where no migration has a down half, the project never goes back: no notes."""
    goes_back = any(each.down and each.up for each in migrations)
    return [
        missing_half(each, missing, why=f"`{missing.value}` stops here.")
        for each in migrations
        for missing in Direction
        if each.file(missing) is None and (missing is Direction.UP or goes_back)
    ]


def _too_large(version: int, path: Path) -> SourceError:
    return SourceError(
        f"version {version} does not fit the history's bigint",
        code="version-too-large",
        where=Where(str(path)),
        why="golang-migrate would wrap it to a negative number.",
        fix=f"Use a number up to {_INT64_MAX}.",
    )


def _duplicate(version: int, direction: Direction, first: Path, second: Path) -> SourceError:
    return duplicate_file(
        f"are the {direction.value} half of version {version}",
        first,
        second,
        why="golang-migrate compares numbers, not names (1 and 001 are one version), and takes any ending:"
        " a copy such as .sql~ or .sql.bak counts.",
        fix="Renumber one of them, or delete the copy.",
    )


def _ignored(paths: Sequence[Path]) -> list[Finding]:
    """A note for each file, or one for all where they are many: then it is another tool's folder."""
    why = "The name is not NUMBER_name.up.sql or NUMBER_name.down.sql with a number below 2^64."
    if len(paths) > _MOST_IGNORED:
        message = (
            f"{len(paths)} files are no migrations for golang-migrate, ignored: {paths[0].name} and others"
        )
        return [
            Finding(
                code="ignored-file",
                severity=Severity.WARNING,
                message=message,
                where=Where(str(paths[0].parent)),
                why=why,
            )
        ]
    return [ignored_file(path, tool="golang-migrate", why=why) for path in paths]
