"""Alembic's history: the heads of what is applied, nothing else.

Source: sqlalchemy/alembic ddl/impl.py (table), runtime/migration.py HeadMaintainer (what becomes of the rows).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from howdah.migrate.formats.interface import Keeps, OutOfOrder, Phase, Query
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Migration, Step
from howdah.pg.identifiers import quote_identifier

_LONGEST_NAME = 63
_TYPE = re.compile(r"character varying(\(\d+\))?")


class AlembicTable:
    """Table `alembic_version(version_num)`: a row for each applied revision that no applied one builds upon."""

    name = "alembic_version"
    keeps = Keeps.HEADS
    marks_running = False
    out_of_order = OutOfOrder.APPLY
    refuses_changes = False
    # Alembic takes no lock. The host fences each revision itself, from the session that runs it.
    fence = False

    def recognises(self, columns: Mapping[str, str]) -> bool:
        """One column, `version_num`, of text of whatever length."""
        return list(columns) == ["version_num"] and _TYPE.fullmatch(columns["version_num"]) is not None

    def lock_keys(self, table: HistoryTable) -> tuple[int, ...]:
        """None: Alembic takes no lock."""
        return ()

    def create(self, table: HistoryTable) -> Sequence[Query]:
        """As Alembic makes it, the key's name included, where that is not too long for PostgreSQL."""
        name = f"{table.table}_pkc"
        key = f"CONSTRAINT {quote_identifier(name)} " if len(name.encode()) <= _LONGEST_NAME else ""
        return [
            Query(
                f"CREATE TABLE IF NOT EXISTS {table.sql}"
                f" (version_num VARCHAR(32) NOT NULL, {key}PRIMARY KEY (version_num))"
            )
        ]

    def read(self, table: HistoryTable) -> Query:
        """The heads."""
        return Query(f"SELECT version_num, false FROM {table.sql} ORDER BY version_num")

    def record(
        self, table: HistoryTable, step: Step, checksum: str | None, *, start: Phase | None, end: Phase
    ) -> Sequence[Query]:
        """Put one revision in place of those it builds upon, or these in its place.

        A run never comes here, since Alembic keeps its heads itself. Where branches part, only the graph knows
        which parents become heads again: `resolve` therefore clears the table and takes a baseline.
        """
        is_in = end.is_applied(step.direction)
        if start is not None and start.is_applied(step.direction) == is_in:
            return ()
        version, parents = step.migration.version, step.migration.parents
        guard = [] if start is None else [_count(table, version, 0 if is_in else 1)]
        gone, come = (parents, (version,)) if is_in else ((version,), parents)
        return [*guard, *(_delete(table, each) for each in gone), *(_insert(table, each) for each in come)]

    def baseline(
        self, table: HistoryTable, declared: Sequence[tuple[Migration, str | None]]
    ) -> Sequence[Query]:
        """A row for each declared revision that no other declared one builds upon."""
        below = {parent for migration, _ in declared for parent in migration.parents}
        newest = [migration.version for migration, _ in declared if migration.version not in below]
        empty = Query(f"SELECT 1 / (CASE WHEN count(*) = 0 THEN 1 ELSE 0 END) FROM {table.sql}")
        return [empty, *(_insert(table, version) for version in newest)]

    def bless(self, table: HistoryTable, version: str, checksum: str) -> Sequence[Query]:
        """Nothing: Alembic keeps no checksum."""
        return ()


def _count(table: HistoryTable, version: str, expected: int) -> Query:
    """Divide by zero unless so many heads have this id."""
    return Query(
        f"SELECT 1 / (CASE WHEN count(*) = {expected} THEN 1 ELSE 0 END) FROM {table.sql}"
        " WHERE version_num = $1::varchar",
        (version,),
    )


def _insert(table: HistoryTable, version: str) -> Query:
    return Query(
        f"INSERT INTO {table.sql} (version_num) VALUES ($1::varchar) ON CONFLICT DO NOTHING", (version,)
    )


def _delete(table: HistoryTable, version: str) -> Query:
    return Query(f"DELETE FROM {table.sql} WHERE version_num = $1::varchar", (version,))
