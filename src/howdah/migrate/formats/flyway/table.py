"""Flyway's history, one row for each run of a file, and its advisory lock.

Sources: flyway/flyway PostgreSQLDatabase.java, PostgreSQLAdvisoryLockTemplate.java, JdbcTableSchemaHistory.java,
SchemaHistory.java, DbBaseline.java, MigrationInfoServiceImpl.java.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from howdah.migrate.formats.flyway.migration import FlywayMigration
from howdah.migrate.formats.flyway.names import REPEATABLE
from howdah.migrate.formats.interface import Keeps, OutOfOrder, Phase, Query
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Direction, Migration, Step
from howdah.pg.identifiers import quote_identifier

_COLUMNS = {
    "installed_rank": "integer",
    "version": "character varying",
    "description": "character varying",
    "type": "character varying",
    "script": "character varying",
    "checksum": "integer",
    "installed_by": "character varying",
    "installed_on": "timestamp without time zone",
    "execution_time": "integer",
    "success": "boolean",
}
_LOCK_SALT = int.from_bytes(b"Flyway", "big")
_MAX_IDENTIFIER = 63  # bytes
_LONGEST_DESCRIPTION, _LONGEST_SCRIPT = 200, 1000
_BASELINE_TEXT = "<< Flyway Baseline >>"

# The one text of equal versions, as names.canonical: no zeros before a part's digits, no parts of zero at the end.
_CANONICAL = (
    "regexp_replace(regexp_replace(replace(a.version, '_', '.'), '(^|\\.)0+(?=[0-9])', '\\1', 'g'),"
    " '(\\.0)+$', '')"
)
# What Migration.version has of a row.
_VERSION = f"CASE WHEN a.version IS NULL THEN 'R__' || replace(a.description, ' ', '_') ELSE {_CANONICAL} END"
# What Flyway writes in any of its editions, now or once. Rows of the last kind take back those before them.
_BASELINES = "'BASELINE', 'SQL_BASELINE', 'JDBC_BASELINE', 'SQL_STATE_SCRIPT', 'JDBC_STATE_SCRIPT'"
_TYPES = f"'SQL', 'JDBC', 'SPRING_JDBC', 'SCRIPT', 'CUSTOM', {_BASELINES}"
_TAKING_BACK = "('DELETE', 'UNDO_SQL', 'UNDO_JDBC', 'UNDO_SCRIPT', 'UNDO_CUSTOM')"
# Rows that count: not taken back, and of a repeatable migration the last run.
_LIVE = (
    f"a.type <> 'SCHEMA' AND NOT (a.success AND a.type IN {_TAKING_BACK})"
    f" AND NOT EXISTS (SELECT FROM {{table}} AS d WHERE d.success AND d.type IN {_TAKING_BACK}"
    " AND d.version = a.version AND d.installed_rank > a.installed_rank)"
    " AND NOT EXISTS (SELECT FROM {table} AS d WHERE a.version IS NULL AND d.version IS NULL"
    " AND d.type <> 'SCHEMA' AND d.description = a.description AND d.installed_rank > a.installed_rank)"
)
_MILLISECONDS = "least(2147483647, (extract(epoch FROM clock_timestamp() - {since}) * 1000)::bigint)::integer"


class FlywayTable:
    """`flyway_schema_history`: a row with a rank for each thing that happened."""

    name = "flyway_schema_history"
    keeps = Keeps.EVERY
    marks_running = True
    out_of_order = OutOfOrder.REFUSE
    refuses_changes = True
    fence = False

    def recognises(self, columns: Mapping[str, str]) -> bool:
        """The ten columns, of whatever lengths: they grew from version to version."""
        return all(columns.get(name, "").split("(")[0] == kind for name, kind in _COLUMNS.items())

    def lock_keys(self, table: HistoryTable) -> tuple[int, ...]:
        """The key that sessions and transactions of Flyway share: its name, and the table's in Java's hash."""
        return (_LOCK_SALT + _java_hash(table.sql),)

    def create(self, table: HistoryTable) -> Sequence[Query]:
        """The table, its primary key and its index by the names that Flyway gives them."""
        key = _named(table, "_pk", "CONSTRAINT {} ")
        index = _named(table, "_s_idx", "IF NOT EXISTS {} ")
        return (
            Query(
                f"CREATE TABLE IF NOT EXISTS {table.sql} (installed_rank INT NOT NULL, version VARCHAR(50),"
                " description VARCHAR(200) NOT NULL, type VARCHAR(20) NOT NULL, script VARCHAR(1000) NOT NULL,"
                " checksum INTEGER, installed_by VARCHAR(100) NOT NULL, installed_on TIMESTAMP NOT NULL DEFAULT now(),"
                " execution_time INTEGER NOT NULL, success BOOLEAN NOT NULL,"
                f" {key}PRIMARY KEY (installed_rank))"
            ),
            Query(f"CREATE INDEX {index}ON {table.sql} (success)"),
        )

    def read(self, table: HistoryTable) -> Query:
        """The rows that count, by rank. Of a baseline no checksum is compared: what is not above it may change.

        A type that no Flyway is known to write counts as half-done: somebody must look.
        """
        return Query(
            f"SELECT {_VERSION}, NOT a.success OR a.type NOT IN ({_TYPES}),"
            f" CASE WHEN a.type NOT IN ({_BASELINES}) THEN a.checksum::text END, a.installed_on::timestamptz,"
            f" a.type IN ({_BASELINES})"
            f" FROM {table.sql} AS a WHERE {_live(table)} ORDER BY a.version IS NOT NULL, a.installed_rank"
        )

    def record(
        self, table: HistoryTable, step: Step, checksum: str | None, *, start: Phase | None, end: Phase
    ) -> Sequence[Query]:
        """A row appears, succeeds or goes.

        Flyway writes a row without success when a script outside a transaction failed, and stops at it until
        `flyway repair`; here it stands from the beginning, so that a killed run leaves it too.
        """
        after = _row(step.direction, end)
        if start is None:
            gone = Query(
                f"DELETE FROM {table.sql} AS a WHERE {_VERSION} = $1::text AND {_live(table)}",
                (step.migration.version,),
            )
            return (
                (gone,) if after is None else (gone, _insert(table, step.migration, checksum, success=after))
            )
        before = _row(step.direction, start)
        if before is after:
            return ()
        if before is None:
            assert after is not None
            return (_insert(table, step.migration, checksum, success=after),)
        return (_change(table, step.migration, before=before, after=after),)

    def baseline(
        self, table: HistoryTable, declared: Sequence[tuple[Migration, str | None]]
    ) -> Sequence[Query]:
        """One row for the newest of them: Flyway neither runs nor checks what is not above it."""
        if not declared:
            return ()
        return (
            Query(
                _INSERT.format(table=table.sql, milliseconds="0", rival="a.type <> 'SCHEMA'"),
                (_shown_version(declared[-1][0]), _BASELINE_TEXT, "BASELINE", _BASELINE_TEXT, None, "t"),
            ),
        )

    def bless(self, table: HistoryTable, version: str, checksum: str) -> Sequence[Query]:
        """What `flyway repair` does of an edited file."""
        return (
            Query(
                f"UPDATE {table.sql} AS a SET checksum = $2::integer"
                f" WHERE {_VERSION} = $1::text AND a.type = 'SQL' AND {_live(table)}",
                (version, checksum),
            ),
        )


# The parameters: version, description, type, script, checksum, success.
_INSERT = (
    "INSERT INTO {table} (installed_rank, version, description, type, script, checksum, installed_by,"
    " execution_time, success) SELECT coalesce((SELECT max(installed_rank) FROM {table}), 0) + 1, $1::text,"
    " $2::text, $3::text, $4::text, $5::integer, current_user, {milliseconds}, $6::boolean"
    " WHERE 1 / (CASE WHEN EXISTS (SELECT FROM {table} AS a WHERE {rival}) THEN 0 ELSE 1 END) = 1"
)


def _insert(table: HistoryTable, migration: Migration, checksum: str | None, *, success: bool) -> Query:
    """A new row, or a division by zero where the version has one, or the repeatable migration ran with this file."""
    script = migration.script if isinstance(migration, FlywayMigration) else _file_name(migration)
    same = "a.version = $1::text"
    if migration.repeats:
        same = (
            "a.version IS NULL AND a.description = $2::text AND (a.checksum = $5::integer OR NOT a.success)"
        )
    milliseconds = _MILLISECONDS.format(since="transaction_timestamp()") if success else "0"
    return Query(
        _INSERT.format(table=table.sql, milliseconds=milliseconds, rival=f"{same} AND {_live(table)}"),
        (
            _shown_version(migration),
            _shorten_description(migration.name.replace("_", " ")),
            migration.type if isinstance(migration, FlywayMigration) else "SQL",
            _shorten_script(script),
            migration.repeats or checksum,
            "t" if success else "f",
        ),
    )


def _change(table: HistoryTable, migration: Migration, *, before: bool, after: bool | None) -> Query:
    """The row of a version goes or changes its success, or a division by zero where it is not as expected."""
    if after is None:
        change = f"DELETE FROM {table.sql} AS a"
    else:
        since = "a.installed_on::timestamptz"
        change = (
            f"UPDATE {table.sql} AS a SET success = {after},"
            f" execution_time = {_MILLISECONDS.format(since=since) if after else 'a.execution_time'}"
        )
    return Query(
        f"WITH changed AS ({change} WHERE {_VERSION} = $1::text AND a.success = $2::boolean AND {_live(table)}"
        " RETURNING 1) SELECT 1 / count(*) FROM changed",
        (migration.version, "t" if before else "f"),
    )


def _row(direction: Direction, phase: Phase) -> bool | None:
    """Whether the step's version has a row at this phase (None: it has none), and what its success says."""
    if phase is Phase.RUNNING:
        return False
    return True if phase.is_applied(direction) else None


def _live(table: HistoryTable) -> str:
    return _LIVE.format(table=table.sql)


def _shown_version(migration: Migration) -> str | None:
    if migration.version.startswith(REPEATABLE):
        return None
    return migration.shown_version if isinstance(migration, FlywayMigration) else migration.version


def _file_name(migration: Migration) -> str:
    return migration.up.name if migration.up else f"V{migration.version}__{migration.name}.sql"


def _shorten_description(text: str) -> str:
    return text if len(text) <= _LONGEST_DESCRIPTION else text[: _LONGEST_DESCRIPTION - 3] + "..."


def _shorten_script(text: str) -> str:
    return text if len(text) <= _LONGEST_SCRIPT else "..." + text[3:_LONGEST_SCRIPT]


def _named(table: HistoryTable, suffix: str, clause: str) -> str:
    """The clause with the name that Flyway gives; nothing where PostgreSQL would cut that name short.

    There Flyway itself fails: the name cut short is the table's own.
    """
    name = table.table + suffix
    return "" if len(name.encode()) > _MAX_IDENTIFIER else clause.format(quote_identifier(name))


def _java_hash(text: str) -> int:
    """Java's String.hashCode: of UTF-16 units, a signed 32-bit number."""
    units = text.encode("utf-16-be", "surrogatepass")
    value = 0
    for index in range(0, len(units), 2):
        value = (31 * value + int.from_bytes(units[index : index + 2], "big")) & 0xFFFFFFFF
    return value - 2**32 if value >> 31 else value
