"""Hold the lease that a tool's programs take as their lock: poll for it, renew it, give it back.

A second session renews it, since that of the run is busy: it is opened once a run outlasts the first few seconds. A
process that is killed lets the lease expire.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from howdah.config.database import DatabaseConfig
from howdah.connect.patience import Patience
from howdah.connect.session import open_session
from howdah.errors import HowdahError, LockTimeout, MigrationError
from howdah.findings import Finding, Severity
from howdah.migrate.events import Event, Noted, WaitingForLock
from howdah.migrate.formats.interface import Format, Lease, Query
from howdah.migrate.history import HistoryTable
from howdah.pg.identifiers import quote_identifier

_log = logging.getLogger(__name__)


@dataclass
class RunLease:
    """The lease of one run. `held()` may be called once; in between it may be lent.

    Attributes:
        place: the quoted name of its table.
        holder: who we are, as others find it there; a name like the tool's own.
    """

    connection: psycopg.Connection
    database: DatabaseConfig
    lease: Lease
    place: str
    on_event: Callable[[Event], None]
    holder: str = field(
        default_factory=lambda: f"howdah-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    )
    _is_ours: bool = field(default=False, init=False)
    _is_over: threading.Event = field(default_factory=threading.Event, init=False)

    @contextmanager
    def held(self, patience: Patience) -> Iterator[None]:
        """Take the lease, and keep it alive until the end.

        Raises:
            LockTimeout: somebody held it until the patience was over.
            MigrationError: this role may not write to its table.
        """
        self.take(patience)
        thread = threading.Thread(target=self._keep_alive, name="howdah lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            thread.join()
            # On a lost connection the lease expires.
            if not self.connection.closed:
                self.connection.rollback()
                self.give_back()

    def take(self, patience: Patience) -> None:
        """Take the lease as soon as it is free. Raises as `held`."""
        while not self._try_take():
            holder = self._read_holder()
            if patience.left_seconds <= 0:
                raise LockTimeout(
                    f"another run holds the lease in {self.place}; waited {patience.waited_seconds:.1f} s",
                    why=f"The holder is {holder}." if holder else "Another run was quicker.",
                    fix="Wait for it and try again, with a longer --lock-timeout if it needs one. A lease whose holder"
                    " was killed expires.",
                )
            self.on_event(WaitingForLock(holder or "a run that has just ended", patience.waited_seconds))
            patience.pause()
        self._is_ours = True

    def give_back(self) -> None:
        """Let the lease go, and tell where it was not ours any more."""
        if not self._is_ours:
            return
        self._is_ours = False
        try:
            was_ours = _run(self.connection, self.lease.release(self.place, self.holder)) is not None
        except psycopg.Error as error:
            # Its table was dropped, or is locked by somebody: what was run has taken effect all the same.
            _log.debug("could not give the lease back: %s", error)
            return
        if not was_ours:
            self.on_event(Noted(_lost(self.place, self._read_holder())))

    def _try_take(self) -> bool:
        try:
            return _run(self.connection, self.lease.take(self.place, self.holder)) is not None
        except (psycopg.errors.LockNotAvailable, psycopg.errors.SerializationFailure):
            return False
        except psycopg.errors.InsufficientPrivilege as error:
            role = quote_identifier(self.database.user or "the role")
            raise MigrationError(
                f"{role} may not write to {self.place} (SQLSTATE 42501)",
                code="no-lease-privilege",
                why="Programs that migrate this database exclude each other by a lease in that table.",
                fix=f"As the table's owner: GRANT SELECT, INSERT, UPDATE ON {self.place} TO {role};",
            ) from error

    def _read_holder(self) -> str:
        """Who holds the lease, for people; empty: nobody."""
        try:
            row = _run(self.connection, self.lease.read(self.place))
        except psycopg.errors.LockNotAvailable:
            return f"a session with a lock on {self.place}"
        if row is None:
            return ""
        holder, since, left = row
        return f"{holder}, since {since or 0:.0f} s; its lease ends in {left or 0:.0f} s unless it is renewed"

    def _keep_alive(self) -> None:
        """Renew, again and again, what is ours: while it is lent, there is nothing to renew."""
        session: psycopg.Connection | None = None
        try:
            while not self._is_over.wait(self.lease.renew_every_seconds):
                try:
                    session = session or self._open_second_session()
                    _run(session, self.lease.renew(self.place, self.holder))
                except (HowdahError, psycopg.Error) as error:
                    # The next one may come through: the lease outlasts a few.
                    _log.debug("could not renew the lease: %s", error)
                    if session is not None and session.closed:
                        session = None
        finally:
            if session is not None:
                session.close()

    def _open_second_session(self) -> psycopg.Connection:
        return open_session(
            self.database,
            application_name="howdah lease",
            timeout_seconds=self.lease.renew_every_seconds,
        )


def find_lease(
    connection: psycopg.Connection,
    format: Format,
    table: HistoryTable,
    database: DatabaseConfig,
    on_event: Callable[[Event], None],
) -> RunLease | None:
    """The lease to be held while this history changes; None where the tool has none, or its table is not there."""
    found = find_lease_table(connection, format, table)
    if format.lease is None or found is None:
        return None
    place = ".".join(map(quote_identifier, found))
    return RunLease(connection, database, format.lease, place, on_event)


def find_lease_table(
    connection: psycopg.Connection, format: Format, table: HistoryTable
) -> tuple[str, str] | None:
    """Schema and name, unquoted, of the table that the tool has for its lease, where it is there."""
    if format.lease is None:
        return None
    find = format.lease.find(table)
    return psycopg.RawCursor(connection).execute(find.sql.encode(), find.parameters).fetchone()


def _run(connection: psycopg.Connection, query: Query) -> tuple[Any, ...] | None:
    """The row of a query. It waits for nobody who has the row or the table locked: whoever calls comes again."""
    with connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '1s'")
        return psycopg.RawCursor(connection).execute(query.sql.encode(), query.parameters).fetchone()


def _lost(place: str, holder: str) -> Finding:
    return Finding(
        code="lease-lost",
        severity=Severity.WARNING,
        message=f"the lease in {place} was taken from this run before its end",
        why=f"It could not be renewed in time, or somebody changed the row. Now {holder} has it."
        if holder
        else "It could not be renewed in time, or somebody changed the row.",
        fix="Another program may have migrated at the same time: see what is applied.",
        next=("howdah migrate status",),
    )
