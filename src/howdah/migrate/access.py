"""Get at one history: a session, what is there, the lock, and the tables where they are missing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from howdah.config.database import DatabaseConfig
from howdah.connect.session import open_session, wait_for_session
from howdah.errors import HowdahError
from howdah.migrate.database import Look, look, read_history
from howdah.migrate.events import Event
from howdah.migrate.formats.interface import Format
from howdah.migrate.guards import may_not_create, refuse_pooler, refuse_read_only
from howdah.migrate.history import History
from howdah.migrate.migration import Source

if TYPE_CHECKING:
    from howdah.migrate.lease import RunLease

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Access:
    """One history in one database.

    Attributes:
        evidence: what in the files speaks for the format; empty: somebody said it.
        table, schema: of the history, unquoted; None: the tool's own name, the first of the search_path.
    """

    database: DatabaseConfig
    format: Format
    evidence: str
    table: str | None
    schema: str | None
    lock_limit_seconds: float
    on_event: Callable[[Event], None]

    @contextmanager
    def session(self, *, wait_seconds: float = 0) -> Iterator[psycopg.Connection]:
        """A session, closed at the end; waits so long for the server to be ready."""
        if wait_seconds:
            connection = wait_for_session(
                self.database,
                application_name="howdah migrate",
                limit_seconds=wait_seconds,
                on_wait=_log_wait,
            )
        else:
            connection = open_session(self.database, application_name="howdah migrate")
        with connection:
            yield connection

    def look(self, connection: psycopg.Connection) -> Look:
        """Where the history is. Raises HistoryMismatch: another tool's is there."""
        return look(connection, self.format, schema=self.schema, table=self.table, evidence=self.evidence)

    def read(self, connection: psycopg.Connection) -> tuple[Look, History]:
        """Where the history is, and what it says."""
        at = self.look(connection)
        return at, read_history(connection, self.format, at)

    @contextmanager
    def locked(self) -> Iterator[tuple[psycopg.Connection, Look]]:
        """A session that holds the lock."""
        with self.session() as connection:
            at = self.look(connection)
            with self.lock(connection, at):
                yield connection, at

    @contextmanager
    def lock(
        self, connection: psycopg.Connection, at: Look, *, also: Collection[int] = ()
    ) -> Iterator[RunLease | None]:
        """Hold the migration lock; the lease that is part of it, where there is one. `also`: other keys with it.

        Raises:
            RefusedError: the server is read-only, or a pooler would give the lock to somebody else.
            LockTimeout: another run holds it.
        """
        from howdah.migrate.lease import find_lease
        from howdah.migrate.lock import lock_keys, migration_lock

        refuse_read_only(at, self.database)
        refuse_pooler(connection, at, self.database)
        lease = find_lease(connection, self.format, at.table, self.database, self.on_event)
        with migration_lock(
            connection,
            sorted({*lock_keys(self.format, at.table), *also}),
            lease=lease,
            limit_seconds=self.lock_limit_seconds,
            on_wait=self.on_event,
        ):
            yield lease

    def make_ready(self, connection: psycopg.Connection, at: Look, source: Source) -> History:
        """Make the history tables where they are missing; the history as it is, under the lock."""
        from howdah.migrate.side_history import adopt, create_side_history
        from howdah.migrate.sql import run_queries

        if not at.exists:
            try:
                run_queries(connection, list(self.format.table.create(at.table)))
            except psycopg.errors.InsufficientPrivilege as error:
                raise may_not_create(at, self.database) from error
        if not at.has_side_history:
            create_side_history(connection)
        history = self.read(connection)[1]
        return self.read(connection)[1] if adopt(connection, self.format, source, history) else history


def _log_wait(error: HowdahError, seconds: float) -> None:
    _log.info("waiting for the server, at most %.0f s more: %s", seconds, error.message)
