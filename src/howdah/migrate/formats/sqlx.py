"""sqlx: simple and reversible files, a row with a SHA-384 for each applied one, one lock key for a database.

Sources: transact-rs/sqlx sqlx-core/src/migrate/source.rs and migration_type.rs (files), sqlx-postgres/src/migrate.rs
(table, lock), sqlx-cli/src/migrate.rs (order of reverting) and opt.rs (new files).
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path

from howdah.errors import ConfigError, SourceError, Where
from howdah.findings import Finding
from howdah.migrate.formats.files import (
    NumberedFiles,
    Refuse,
    duplicate_file,
    ignored_file,
    missing_half,
    raise_at_once,
)
from howdah.migrate.formats.interface import Body, Format, Keeps, OutOfOrder, Phase, Query, Transaction
from howdah.migrate.formats.names import list_files_and_links, next_timestamp, readable_name
from howdah.migrate.formats.sqlx_toml import refuse_unsupported_settings
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Direction, Migration, Source, Step

_NUMBER = re.compile(r"[+-]?[0-9]+")  # what Rust's i64::from_str takes
_INT64 = range(-(2**63), 2**63)
_TIMESTAMP_DIGITS = 14
_DIRECTIVE = "-- no-transaction"
_SALT = 0x3D32AD9E
_COLUMNS = {
    "version": "bigint",
    "description": "text",
    "installed_on": "timestamp with time zone",
    "success": "boolean",
    "checksum": "bytea",
    "execution_time": "bigint",
}


class SqlxFiles(NumberedFiles):
    """Files `V_description.sql`, or the pair `V_description.up.sql` and `.down.sql`; V is a signed 64-bit number."""

    def read(self, directory: Path, *, refuse: Refuse = raise_at_once) -> Source:
        """The migrations of a flat directory by number.

        Raises:
            SourceError: there is no such directory; sqlx would stop at a name; two files are one half of one version;
                a sqlx.toml changes what is not supported here.
        """
        files = list_files_and_links(directory, refuse=refuse)
        refuse_unsupported_settings(directory)
        halves: dict[int, dict[Direction, Path]] = {}
        names: dict[int, str] = {}
        notes = []
        for path in files:
            prefix, underscore, rest = readable_name(path).partition("_")
            if not underscore or not rest.endswith(".sql"):
                notes += _ignored(path)
                continue
            version, suffix = _parse_prefix(prefix), _suffix(rest)
            if version is None:
                refuse(_no_version(path))
                continue
            direction = Direction.DOWN if suffix == ".down.sql" else Direction.UP
            taken = halves.setdefault(version, {})
            if direction in taken:
                refuse(_duplicate(version, direction, taken[direction], path))
                continue
            taken[direction] = path
            if direction is Direction.UP or version not in names:
                names[version] = _trim_end(rest, suffix)
        migrations = tuple(
            Migration(str(version), names[version], both.get(Direction.UP), both.get(Direction.DOWN))
            for version, both in sorted(halves.items())
        )
        return Source(directory, migrations, (*notes, *_lonely_halves(migrations)))

    def new(self, source: Source, words: str) -> Mapping[str, str]:
        """Empty files, simple or a pair, numbered or with a timestamp, as the newest ones are.

        sqlx counts a pair as two files that do not differ by one, and so gives a timestamp among numbered pairs.
        """
        newest = source.migrations[-1] if source.migrations else None
        if newest is not None and _is_sequential(source.migrations):
            prefix = str(int(newest.version) + 1).zfill(_digits(newest))
        else:
            prefix = next_timestamp(after=None if newest is None else int(newest.version))
        is_pair = newest is not None and (newest.down is not None or _is_up_half(newest.up))
        suffixes = (".up.sql", ".down.sql") if is_pair else (".sql",)
        return {f"{prefix}_{words}{suffix}": "" for suffix in suffixes}

    def read_body(self, path: Path, text: str, direction: Direction) -> Body:
        """The whole file. The directive counts as the very first bytes and nowhere else."""
        return Body(
            text,
            transaction=Transaction.NEVER if text.startswith(_DIRECTIVE) else Transaction.ALWAYS,
            directive=_DIRECTIVE,
            as_one_message=True,
        )

    def checksum(self, raw: bytes) -> str | None:
        """SHA-384 of the bytes as they are on disk, line ends and all."""
        return hashlib.sha384(raw).hexdigest()

    def parse_version(self, text: str, source: Source) -> str:
        """A number without leading zeros, of 64 bits. Raises ConfigError: it is none."""
        version = super().parse_version(text, source)
        if int(version) not in _INT64:
            raise ConfigError(f"'{text}' is beyond sqlx's 64-bit versions", code="bad-version")
        return version


class SqlxTable:
    """Table `_sqlx_migrations`: a row for each applied version. sqlx refuses to run while one has success = false."""

    name = "_sqlx_migrations"
    keeps = Keeps.EVERY
    marks_running = True
    out_of_order = OutOfOrder.APPLY
    refuses_changes = True
    fence = True  # sqlx-cli takes no lock at all; `migrate!` does

    def recognises(self, columns: Mapping[str, str]) -> bool:
        """All six columns; sqlx does not mind more."""
        return all(columns.get(name) == kind for name, kind in _COLUMNS.items())

    def lock_keys(self, table: HistoryTable) -> tuple[int, ...]:
        """The key of the library, the same since 0.4, whatever the table."""
        return (_SALT * zlib.crc32(table.database.encode()),)

    def create(self, table: HistoryTable) -> Sequence[Query]:
        """Their own statement."""
        return [
            Query(
                f"CREATE TABLE IF NOT EXISTS {table.sql} ("
                "version BIGINT PRIMARY KEY, description TEXT NOT NULL,"
                " installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL,"
                " checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL)"
            )
        ]

    def read(self, table: HistoryTable) -> Query:
        """By version: it is the highest that sqlx reverts, whenever it was applied."""
        return Query(
            # Only what a datetime can hold: the time is of no consequence.
            "SELECT version::text, NOT success, encode(checksum, 'hex'),"
            " CASE WHEN installed_on BETWEEN '0001-01-02' AND '9999-12-30' THEN installed_on END"
            f" FROM {table.sql} AS history ORDER BY history.version"
        )

    def record(
        self, table: HistoryTable, step: Step, checksum: str | None, *, start: Phase | None, end: Phase
    ) -> Sequence[Query]:
        """One row comes, changes or goes. Durations are the server's, measured inside the step's transaction."""
        target = _row_in(step.direction, end)
        version = step.migration.version
        if start is None:
            return _force(table, step.migration, checksum, target)
        match _row_in(step.direction, start), target:
            case before, after if before is after:
                return ()
            case _Row.NONE, after:
                return (_insert(table, step.migration, checksum, after),)
            case before, _Row.NONE:
                return (_delete(table, version, before),)
            case _, after:
                return (_update(table, version, after, is_measured=step.direction is Direction.UP),)

    def baseline(
        self, table: HistoryTable, declared: Sequence[tuple[Migration, str | None]]
    ) -> Sequence[Query]:
        """Their rows, with the -1 that `sqlx migrate override skip` writes for the duration."""
        rows = json.dumps(
            [
                {"version": each.version, "description": _description(each), "checksum": checksum or ""}
                for each, checksum in declared
            ]
        )
        return [
            Query(f"SELECT 1 / (CASE WHEN count(*) = 0 THEN 1 ELSE 0 END) FROM {table.sql}"),
            Query(
                f"INSERT INTO {table.sql} (version, description, success, checksum, execution_time)"
                " SELECT version::bigint, description, TRUE, decode(checksum, 'hex'), -1 FROM"
                " json_to_recordset($1::json) AS declared(version text, description text, checksum text)",
                (rows,),
            ),
        ]

    def bless(self, table: HistoryTable, version: str, checksum: str) -> Sequence[Query]:
        """Write the checksum into the version's row."""
        return [
            Query(
                f"UPDATE {table.sql} SET checksum = decode($2::text, 'hex') WHERE version = $1::bigint",
                (version, checksum),
            )
        ]


SQLX = Format(
    "sqlx",
    SqlxFiles(),
    SqlxTable(),
    dirty_means="Its row says `success = false`, at which sqlx stops. On PostgreSQL sqlx itself never writes that:"
    " a run of howdah did that could keep no records of its own, or somebody by hand.",
)


class _Row(Enum):
    """What the table says of one version."""

    NONE = "no row"
    RUNNING = "success = false"
    APPLIED = "success = true"


def _row_in(direction: Direction, phase: Phase) -> _Row:
    if phase is Phase.RUNNING:
        return _Row.RUNNING
    return _Row.APPLIED if phase.is_applied(direction) else _Row.NONE


def _insert(table: HistoryTable, migration: Migration, checksum: str | None, row: _Row) -> Query:
    """Add the row, and divide by zero where there is one."""
    seconds = "extract(epoch FROM clock_timestamp() - now())" if row is _Row.APPLIED else "NULL"
    return Query(
        f"WITH new AS (INSERT INTO {table.sql} (version, description, success, checksum, execution_time)"
        " SELECT $1::bigint, $2::text, $3::boolean, decode($4::text, 'hex'),"
        f" coalesce(({seconds}) * 1000000000, -1)::bigint"
        f" WHERE NOT EXISTS (SELECT FROM {table.sql} WHERE version = $1::bigint)"
        " RETURNING 1) SELECT 1 / count(*) FROM new",
        (migration.version, _description(migration), _success(row), checksum or ""),
    )


def _update(table: HistoryTable, version: str, row: _Row, *, is_measured: bool) -> Query:
    """Turn the row from running to applied or back, and divide by zero unless it was the other."""
    measured = (
        ", installed_on = now(),"
        " execution_time = (extract(epoch FROM clock_timestamp() - installed_on) * 1000000000)::bigint"
    )
    return Query(
        f"WITH changed AS (UPDATE {table.sql} SET success = $2::boolean{measured if is_measured else ''}"
        " WHERE version = $1::bigint AND success <> $2::boolean RETURNING 1) SELECT 1 / count(*) FROM changed",
        (version, _success(row)),
    )


def _delete(table: HistoryTable, version: str, row: _Row) -> Query:
    """Remove the row, and divide by zero unless it was as expected."""
    return Query(
        f"WITH gone AS (DELETE FROM {table.sql} WHERE version = $1::bigint AND success = $2::boolean"
        " RETURNING 1) SELECT 1 / count(*) FROM gone",
        (version, _success(row)),
    )


def _force(table: HistoryTable, migration: Migration, checksum: str | None, row: _Row) -> Sequence[Query]:
    """Bring the row about, whatever is there. A checksum that nobody can compute any more is kept."""
    if row is _Row.NONE:
        return (Query(f"DELETE FROM {table.sql} WHERE version = $1::bigint", (migration.version,)),)
    return (
        Query(
            f"INSERT INTO {table.sql} AS old (version, description, success, checksum, execution_time)"
            " VALUES ($1::bigint, $2::text, $3::boolean, decode(coalesce($4::text, ''), 'hex'), -1)"
            " ON CONFLICT (version) DO UPDATE SET success = excluded.success,"
            " checksum = CASE WHEN $4::text IS NULL THEN old.checksum ELSE excluded.checksum END",
            (migration.version, _description(migration), _success(row), checksum),
        ),
    )


def _success(row: _Row) -> str:
    return "t" if row is _Row.APPLIED else "f"


def _description(migration: Migration) -> str:
    return migration.name.replace("_", " ")


def _parse_prefix(prefix: str) -> int | None:
    version = int(prefix) if _NUMBER.fullmatch(prefix) else None
    return version if version is not None and version in _INT64 else None


def _no_version(path: Path) -> SourceError:
    return SourceError(
        f"{path.name} does not begin with a version",
        code="bad-file-name",
        where=Where(str(path)),
        why='sqlx stops at every NAME_rest.sql whose NAME is no 64-bit number: "error parsing migration'
        ' filename … expected integer version prefix".',
        fix="Give it a number, or move it out of the migrations.",
    )


def _duplicate(version: int, direction: Direction, first: Path, second: Path) -> SourceError:
    return duplicate_file(
        f"are the {direction.value} half of version {version}",
        first,
        second,
        why="sqlx compares numbers, not names (1 and 001 are one version). It would run both, fail to"
        " record the second, and from then on take one of them for a modified file.",
    )


def _suffix(rest: str) -> str:
    return next(each for each in (".up.sql", ".down.sql", ".sql") if rest.endswith(each))


def _trim_end(text: str, suffix: str) -> str:
    # Again and again, as Rust's trim_end_matches: `1_a.sql.sql` is described as "a".
    while text.endswith(suffix):
        text = text[: -len(suffix)]
    return text


def _is_up_half(path: Path | None) -> bool:
    return path is not None and path.name.endswith(".up.sql")


def _is_sequential(migrations: Sequence[Migration]) -> bool:
    numbers = [int(each.version) for each in migrations[-2:]]
    if len(str(numbers[-1])) == _TIMESTAMP_DIGITS:
        return False
    return numbers[-1] - numbers[0] == 1 if len(numbers) > 1 else numbers[0] in {0, 1}


def _digits(newest: Migration) -> int:
    return len(newest.path.name.partition("_")[0])


def _lonely_halves(migrations: Iterable[Migration]) -> list[Finding]:
    """A note for each half of a pair whose other half is not there. A simple file is whole by itself."""
    return [
        missing_half(
            each,
            missing,
            why="`down` stops here; sqlx steps over it, and reverts an older one."
            if missing is Direction.DOWN
            else "`up` stops here; sqlx steps over it.",
        )
        for each in migrations
        for missing in Direction
        if each.file(missing) is None and (missing is Direction.UP or _is_up_half(each.up))
    ]


def _ignored(path: Path) -> list[Finding]:
    if not path.name.lower().endswith(".sql"):
        return []
    why = "The name is not NUMBER_description.sql, with an underscore and in lower case."
    return [ignored_file(path, tool="sqlx", why=why)]
