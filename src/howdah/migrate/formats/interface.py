"""What a format is: everything that differs from tool to tool, all of it pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Source


@dataclass(frozen=True, slots=True)
class Query:
    """A statement with its parameters as text (None: NULL)."""

    sql: str
    parameters: tuple[str | None, ...] = ()


class Format(Protocol):
    """A tool's files + history table + lock. Methods are pure and may be called any number of times."""

    name: str
    """As in howdah.toml and `--format`."""

    table: str
    """The history table's name where nobody says another."""

    columns: Mapping[str, str]
    """The history table's columns and types, by which it is recognised: never by its name alone."""

    def read_files(self, directory: Path) -> Source:
        """The migrations of a directory. Raises SourceError: no directory, duplicates."""
        ...

    def name_files(self, source: Source, words: str) -> tuple[str, ...]:
        """The names of the files that a new migration with these words gets."""
        ...

    def lock_keys(self, table: HistoryTable) -> tuple[int, ...]:
        """The advisory lock keys that exclude every version of the tool, ascending."""
        ...

    def create_table(self, table: HistoryTable) -> Query:
        """The statement that makes the history table as the tool would."""
        ...

    def read_history(self, table: HistoryTable) -> Query:
        """The statement whose rows are (version, dirty)."""
        ...

    def move_history(
        self, table: HistoryTable, *, before: tuple[int | None, bool] | None, after: tuple[int | None, bool]
    ) -> Sequence[Query]:
        """The statements that take the history from (version, dirty) to another.

        They fail with SQLSTATE 22012 where the history is not at `before`, so that a history changed under us
        is never overwritten. `before=None` overwrites whatever is there.
        """
        ...
