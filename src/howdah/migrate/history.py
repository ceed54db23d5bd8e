"""What was applied: the tool's own history table, and the side history beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from howdah.config.database import DatabaseConfig
from howdah.config.project import DatabaseSettings
from howdah.errors import ConfigError
from howdah.pg.identifiers import quote_identifier

# The version of golang-migrate's history where it failed reverting the first migration.
NOTHING = "-1"


@dataclass(frozen=True)
class HistoryTable:
    """Where a tool keeps its history: database, schema and table, unquoted."""

    database: str
    schema: str
    table: str

    @property
    def sql(self) -> str:
        """The table's name, qualified and quoted for a statement."""
        return f"{quote_identifier(self.schema)}.{quote_identifier(self.table)}"


@dataclass(frozen=True)
class Record:
    """The newest row of the side history for one version.

    Attributes:
        action: `apply`, `revert`, `baseline`, `repair`, `resolve-applied` or `resolve-reverted`.
        previous: the version of the history before this step, or None for an empty history.
        checksum: SHA-256 of the file's bytes; None where no file was read.
        normal_checksum: SHA-256 of its normal form (comments and white space do not count).
        finished_at: None while, or because, the step did not finish.
    """

    version: str
    action: str
    previous: str | None
    checksum: bytes | None
    normal_checksum: bytes | None
    statements: int
    statements_done: int
    by: str
    started_at: datetime
    finished_at: datetime | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Applied:
    """What the tool's own table says of one version.

    Attributes:
        is_dirty: a run of it stopped half-way.
        checksum: of its file, in the format's own way; None: none is kept.
        covers_lower: all lower versions count as applied with it (a baseline).
    """

    version: str
    is_dirty: bool = False
    checksum: str | None = None
    at: datetime | None = None
    covers_lower: bool = False


@dataclass(frozen=True)
class History:
    """The state of a history table, read at one moment.

    Attributes:
        exists: the table is there; an absent one counts as empty.
        applied: in the order in which they were applied. Of golang-migrate the current version alone, which is -1
            where it failed reverting the first migration.
        records: side history, version -> its newest row; empty where there is none.
        has_side_history: howdah.history is there.
        may_fence: this role may lock the table against other writers.
    """

    table: HistoryTable
    exists: bool = False
    applied: tuple[Applied, ...] = ()
    records: Mapping[str, Record] = field(default_factory=dict)
    has_side_history: bool = False
    may_fence: bool = True

    @property
    def version(self) -> str | None:
        """The version that was applied last; None: nothing is."""
        return self.applied[-1].version if self.applied else None

    @property
    def dirty(self) -> Applied | None:
        """What a run left half-done, and a human must look at; None: nothing."""
        return next((each for each in self.applied if each.is_dirty), None)


def history_name(settings: DatabaseSettings, database: DatabaseConfig) -> tuple[str | None, str | None]:
    """Schema and table of the history, as howdah.toml or golang-migrate's URL parameters say."""
    if settings.history_table:
        schema, dot, table = settings.history_table.rpartition(".")
        return (schema if dot else None), table
    name = database.tool_options.get("x-migrations-table")
    if name is None or database.tool_options.get("x-migrations-table-quoted") not in {"1", "true"}:
        return None, name
    # "schema"."table": the last quoted part is the table, the first of two the schema.
    parts = re.findall(r'"(.*?)"', name)
    if not 1 <= len(parts) <= 2:
        raise ConfigError(
            f"x-migrations-table={name} is not one or two quoted names", code="bad-history-table"
        )
    return (parts[0] if len(parts) == 2 else None), parts[-1]
