"""A pooler between us and the server is found, and its mode proved, without hanging in a full pool."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from howdah.config.database import DatabaseConfig
from howdah.connect.pooler import PoolMode, detect_pooler
from howdah.connect.session import open_session

Start = Callable[..., DatabaseConfig]


def test_a_direct_session_has_no_pooler(database: DatabaseConfig) -> None:
    with open_session(database) as session:
        assert detect_pooler(session, database) is None


@pytest.mark.parametrize("mode", ["session", "transaction", "statement"])
@pytest.mark.parametrize("size", [1, 5])
@pytest.mark.parametrize("round_robin", [0, 1])
def test_each_mode_of_pgbouncer_is_told(pgbouncer: Start, mode: str, size: int, round_robin: int) -> None:
    address = pgbouncer(pool_mode=mode, default_pool_size=size, server_round_robin=round_robin)
    started = time.monotonic()
    with open_session(address) as session:
        found = detect_pooler(session, address)
        assert found is not None
        assert found.kind is PoolMode(mode), found.evidence
        assert found.keeps_sessions == (mode == "session")
        assert time.monotonic() - started < 6
        # the caller's session is as usable as before
        assert session.execute("SELECT 1").fetchone() == (1,)


def test_transaction_mode_is_told_although_many_server_processes_take_turns(pgbouncer: Start) -> None:
    address = pgbouncer(pool_mode="transaction", default_pool_size=5, server_round_robin=1)
    with ExitStack() as stack:
        sessions = [stack.enter_context(open_session(address)) for _ in range(4)]
        for session in sessions:  # each holds a process of its own for a moment
            session.execute("BEGIN")
        for session in sessions:
            session.execute("ROLLBACK")
        found = detect_pooler(sessions[0], address)
    assert found is not None
    assert found.kind is PoolMode.TRANSACTION, found.evidence


def test_a_mode_that_cannot_be_told_is_not_relied_on(pgbouncer: Start) -> None:
    address = pgbouncer(pool_mode="transaction", max_client_conn=1)
    with open_session(address) as session:
        found = detect_pooler(session, address)
    assert found is not None
    assert found.kind is PoolMode.UNKNOWN
    assert not found.keeps_sessions


def test_a_process_number_known_already_saves_the_query(database: DatabaseConfig) -> None:
    with open_session(database) as session:
        session.execute("BEGIN")
        pid = session.pgconn.backend_pid
        assert detect_pooler(session, database, backend_pid=pid) is None
