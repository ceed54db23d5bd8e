"""Write what the tool, or the project, keeps beside its migrations, at the end of a run that changed something."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol

import psycopg

from howdah.config.database import DatabaseConfig
from howdah.findings import Finding
from howdah.migrate.access import Access
from howdah.migrate.database import Look
from howdah.migrate.migration import Source

Landmarks = tuple[Collection[tuple[str, str]], str]
"""The tables that are the tools' own, and the newest applied migration, as people name it, or "none"."""


class KeepSchema(Protocol):
    """Brings a file up to date with the structure. Never raises: the run has taken effect."""

    def __call__(
        self,
        connection: psycopg.Connection,
        database: DatabaseConfig,
        read_landmarks: Callable[[], Landmarks],
    ) -> Sequence[Finding]:
        """Do it; what was done, or why not. `read_landmarks` reads them by the connection."""
        ...


def after_run(
    connection: psycopg.Connection, access: Access, at: Look, source: Source, *, keep: KeepSchema | None
) -> Iterator[Finding]:
    """What was written, or why not."""
    if write := access.format.after_run:
        yield from write(connection, access.database, at.table, source.directory)
    if keep:
        from howdah.migrate.own_tables import read_landmarks

        yield from keep(connection, access.database, lambda: read_landmarks(connection, access, source))
