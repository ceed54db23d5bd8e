"""One migration lock: every key of the format's own tool, polled, bounded, naming its holder.

Never the blocking function: a waiter inside pg_advisory_lock() holds a snapshot, which CREATE INDEX CONCURRENTLY of
the holder waits for, and one of the two is killed as a deadlock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import psycopg

from howdah.connect.patience import Patience
from howdah.errors import LockTimeout
from howdah.migrate.events import WaitingForLock
from howdah.migrate.formats.interface import Format
from howdah.migrate.history import HistoryTable
from howdah.migrate.lease import RunLease
from howdah.migrate.sql import fetch


@dataclass(frozen=True, slots=True)
class LockHolder:
    """A session that holds, or waits for, the lock."""

    pid: int
    granted: bool
    application: str
    role: str
    client: str
    state: str
    seconds: float
    query: str

    def __str__(self) -> str:
        who = f"process {self.pid}" + (f" ({self.application})" if self.application else "")
        doing = f"{self.state} for {self.seconds:.0f} s" if self.state else "state not visible to this role"
        return (
            f"{who}, role {self.role or '?'}, from {self.client}, {doing}: {self.query or '(no query shown)'}"
        )


def lock_keys(format: Format, table: HistoryTable) -> tuple[int, ...]:
    """Every key of the migration lock: the tool's own, and ours, since not every tool has one."""
    name = f"howdah\0{table.schema}\0{table.table}".encode()
    own = int.from_bytes(hashlib.sha256(name).digest()[:8], signed=True)
    return tuple(sorted({own, *format.table.lock_keys(table)}))


@contextmanager
def migration_lock(
    connection: psycopg.Connection,
    keys: Sequence[int],
    *,
    lease: RunLease | None = None,
    limit_seconds: float,
    on_wait: Callable[[WaitingForLock], None] = lambda _: None,
) -> Iterator[None]:
    """Hold all the keys, or none, and then the lease, as a Provider of goose with both does.

    Raises:
        LockTimeout: somebody held one of them for longer than `limit_seconds`.
    """
    patience = _patience(limit_seconds)
    _acquire(connection, keys, patience, on_wait)
    try:
        with nullcontext() if lease is None else lease.held(patience):
            yield
    finally:
        # A lost connection has released them; a failed transaction must end before it can.
        if not connection.closed:
            connection.rollback()
            connection.execute(
                "SELECT pg_advisory_unlock(key) FROM unnest(%s::bigint[]) AS key", [list(keys)]
            )


@contextmanager
def without_lock(
    connection: psycopg.Connection,
    keys: Sequence[int],
    *,
    lease: RunLease | None,
    limit_seconds: float,
    on_wait: Callable[[WaitingForLock], None],
) -> Iterator[None]:
    """Lend some of the keys, and the lease, to a program that takes them itself; after a failure they stay free.

    Raises:
        LockTimeout: somebody else has taken one since, and does not give it back.
    """
    if keys:
        connection.execute("SELECT pg_advisory_unlock(key) FROM unnest(%s::bigint[]) AS key", [list(keys)])
    if lease is not None:
        lease.give_back()
    yield
    patience = _patience(limit_seconds)
    if keys:
        _acquire(connection, keys, patience, on_wait)
    if lease is not None:
        lease.take(patience)


def _patience(limit_seconds: float) -> Patience:
    return Patience(limit_seconds, first_seconds=0.05, longest_seconds=1.0, growth=1.5, jitter=True)


def _acquire(
    connection: psycopg.Connection,
    keys: Sequence[int],
    patience: Patience,
    on_wait: Callable[[WaitingForLock], None],
) -> None:
    while not _try_all(connection, keys):
        waited = patience.waited_seconds
        holders = find_lock_holders(connection, keys)
        named = "; ".join(str(each) for each in holders if each.granted)
        if patience.left_seconds <= 0:
            raise LockTimeout(
                f"another run holds the migration lock; waited {waited:.1f} s",
                why=f"The holder is {named}."
                if named
                else "The holder ended just now, or another run was quicker.",
                fix="Wait for it and try again, with a longer --lock-timeout if it needs one."
                " If its client is gone, its statement is still running on the server.",
            )
        on_wait(WaitingForLock(named or "a session that has just ended", waited))
        patience.pause()


def _try_all(connection: psycopg.Connection, keys: Sequence[int]) -> bool:
    """Take every key or give back those that were taken: half a lock would make two runs wait for each other."""
    rows = connection.execute(
        "SELECT key, pg_try_advisory_lock(key) FROM unnest(%s::bigint[]) AS key", [sorted(keys)]
    ).fetchall()
    taken = [key for key, got in rows if got]
    if len(taken) == len(keys):
        return True
    if taken:
        connection.execute("SELECT pg_advisory_unlock(key) FROM unnest(%s::bigint[]) AS key", [taken])
    return False


def find_lock_holders(connection: psycopg.Connection, keys: Sequence[int]) -> list[LockHolder]:
    """Sessions other than ours that hold or wait for one of the keys, each once, holders first."""
    found = [LockHolder(**row) for row in fetch(connection, "lock_holders", [list(keys)])]
    return list({each.pid: each for each in reversed(found)}.values())[::-1]
