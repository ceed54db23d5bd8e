"""One migration lock: every key of the format's own tool, polled, bounded, naming its holder.

Never the blocking function: a waiter inside pg_advisory_lock() holds a snapshot, which CREATE INDEX CONCURRENTLY of
the holder waits for, and one of the two is killed as a deadlock.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from howdah.errors import LockTimeout
from howdah.migrate.events import WaitingForLock
from howdah.migrate.formats.interface import Format
from howdah.migrate.history import HistoryTable
from howdah.migrate.sql import fetch

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0


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
    limit_seconds: float,
    on_wait: Callable[[WaitingForLock], None] = lambda _: None,
) -> Iterator[None]:
    """Hold all the keys, or none.

    Raises:
        LockTimeout: somebody held one of them for longer than `limit_seconds`.
    """
    _acquire(connection, keys, limit_seconds, on_wait)
    try:
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
    limit_seconds: float,
    on_wait: Callable[[WaitingForLock], None],
) -> Iterator[None]:
    """Let some of the keys go for a while, to a program that takes them itself; after a failure they stay free.

    Raises:
        LockTimeout: somebody else has taken one since, and does not give it back.
    """
    if keys:
        connection.execute("SELECT pg_advisory_unlock(key) FROM unnest(%s::bigint[]) AS key", [list(keys)])
    yield
    if keys:
        _acquire(connection, keys, limit_seconds, on_wait)


def _acquire(
    connection: psycopg.Connection,
    keys: Sequence[int],
    limit_seconds: float,
    on_wait: Callable[[WaitingForLock], None],
) -> None:
    started = time.monotonic()
    pause = _FIRST_PAUSE_SECONDS
    while not _try_all(connection, keys):
        waited = time.monotonic() - started
        holders = find_lock_holders(connection, keys)
        named = "; ".join(str(each) for each in holders if each.granted)
        if waited >= limit_seconds:
            raise LockTimeout(
                f"another run holds the migration lock; waited {waited:.1f} s",
                why=f"The holder is {named}."
                if named
                else "The holder ended just now, or another run was quicker.",
                fix="Wait for it and try again, with a longer --lock-timeout if it needs one."
                " If its client is gone, its statement is still running on the server.",
            )
        on_wait(WaitingForLock(named or "a session that has just ended", waited))
        time.sleep(min(pause * random.uniform(0.5, 1.0), max(limit_seconds - waited, 0.01)))
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)


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
