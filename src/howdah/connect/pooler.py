"""Find out whether a pooler stands between us and the server, and whether it keeps our session together.

No pooler says so itself. What gives one away: it must invent the process number in BackendKeyData, so libpq's
PQbackendPID differs from what the server answers to `pg_backend_pid()`. In transaction and statement mode, a
second session is soon served by the server process that has just served the first, which is still open.
"""

from __future__ import annotations

import select
import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import psycopg
from psycopg import pq

from howdah.config.database import DatabaseConfig
from howdah.connect.session import open_session
from howdah.errors import ConnectError

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

_ROUNDS = 8  # a busy pool may hand the first one's process to someone else before the second asks
_ANSWER_SECONDS = 2.0
_PID = b"SELECT pg_catalog.pg_backend_pid()"


class PoolMode(Enum):
    """For how long a client of the pooler keeps one server process."""

    SESSION = "session"
    TRANSACTION = "transaction"
    STATEMENT = "statement"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Pooler:
    """A pooler between us and the server: its mode, and how we know, in a sentence."""

    kind: PoolMode
    evidence: str

    @property
    def keeps_sessions(self) -> bool:
        """Whether session locks, SET, temporary tables and LISTEN work through it; False where unknown."""
        return self.kind is PoolMode.SESSION


def detect_pooler(
    connection: psycopg.Connection, config: DatabaseConfig, *, backend_pid: int | None = None
) -> Pooler | None:
    """The pooler that an idle autocommit session goes through, or None where it talks to the server itself.

    Costs one query where there is none, and none if the caller has asked for `pg_backend_pid()` already.
    Behind a pooler, a second session is opened and asked a few times. Takes a few seconds at most, in a full
    pool too.
    """
    announced = connection.pgconn.backend_pid
    backend_pid = _own_pid(connection) if backend_pid is None else backend_pid
    if backend_pid == announced:
        return None
    between = f"libpq was told process {announced}, the server says {backend_pid}"
    try:
        second = open_session(config, application_name="howdah pooler check", timeout_seconds=_ANSWER_SECONDS)
    except ConnectError as error:
        return Pooler(PoolMode.UNKNOWN, f"{between}; no second session to tell more: {error.message}")
    try:
        kind, evidence = _compare(connection, second.pgconn)
    finally:
        second.close()
    return Pooler(kind, f"{between}; {evidence}")


def _compare(connection: psycopg.Connection, second: PGconn) -> tuple[PoolMode, str]:
    seen: set[int] = set()
    for _ in range(_ROUNDS):
        first_pid = _own_pid(connection)
        seen.add(first_pid)
        if len(seen) > 1:
            return _shared_mode(second), f"one session was served by processes {sorted(seen)}"
        answer = _ask(second, _PID)
        if answer is None:
            return _judge_full_pool(connection)
        if not answer or answer[0].status != pq.ExecStatus.TUPLES_OK:
            return PoolMode.UNKNOWN, "a second session was closed or refused"
        if int(answer[0].get_value(0, 0) or 0) == first_pid:
            return _shared_mode(second), f"two open sessions were served by process {first_pid}"
    return PoolMode.SESSION, f"process {first_pid} served this session and no other in {_ROUNDS} tries"


def _judge_full_pool(connection: psycopg.Connection) -> tuple[PoolMode, str]:
    """The second session got no server process. If the first has its own at once, that one is kept for it."""
    started = time.monotonic()
    pid = _own_pid(connection)  # never waits for the second, which holds no transaction
    if time.monotonic() - started < _ANSWER_SECONDS / 2:
        return PoolMode.SESSION, f"a second session got no server process while this one kept process {pid}"
    return PoolMode.UNKNOWN, "the pool is too busy to tell its mode"


def _shared_mode(second: PGconn) -> PoolMode:
    """Transaction or statement mode: the latter answers a BEGIN by closing the connection."""
    return PoolMode.STATEMENT if _ask(second, b"BEGIN") == [] else PoolMode.TRANSACTION


def _own_pid(connection: psycopg.Connection) -> int:
    row = connection.execute(_PID, prepare=False).fetchone()
    assert row is not None
    return int(row[0])


def _ask(pgconn: PGconn, statement: bytes) -> list[PGresult] | None:
    """The results of a statement; none where the connection is closed instead; None where they are late.

    psycopg's own execute() has no limit.
    """
    deadline = time.monotonic() + _ANSWER_SECONDS
    results: list[PGresult] = []
    poller = select.poll()
    poller.register(pgconn.socket, select.POLLIN)
    try:
        pgconn.send_query(statement)
        pgconn.flush()
        while True:
            while not pgconn.is_busy():
                result = pgconn.get_result()
                if result is None:
                    return results
                results.append(result)
            if not poller.poll(max(deadline - time.monotonic(), 0) * 1000):
                return None
            pgconn.consume_input()
    except psycopg.OperationalError:
        return []
