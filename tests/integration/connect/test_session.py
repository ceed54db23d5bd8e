"""A session is opened at the first address that gives one, at once or later, but never later than told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from fix_db import connect
from fix_gate import Gate
from fix_pgbouncer import free_port
from fix_proxy import Conversation, full_queue, stay_silent
from howdah.config.database import DatabaseConfig, Secret
from howdah.connect.session import open_session, wait_for_session
from howdah.errors import ConnectError

Listen = Callable[[Conversation], int]


def one(session: psycopg.Connection, query: str) -> object:
    row = session.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_a_session_commits_each_statement_and_has_a_name(database: DatabaseConfig) -> None:
    with open_session(database, application_name="test of sessions") as session:
        assert session.autocommit
        assert one(session, "SHOW application_name") == "test of sessions"
        assert one(session, "SHOW client_encoding") == "UTF8"
        session.execute("CREATE TABLE t ()")
        with open_session(database) as other:
            assert one(other, "SELECT count(*) FROM pg_class WHERE relname = 't'") == 1


def test_errors_after_the_login_are_psycopgs_own_and_not_verbose(database: DatabaseConfig) -> None:
    with open_session(database) as session, pytest.raises(psycopg.errors.UndefinedTable) as raised:
        session.execute("SELECT * FROM nowhere")
    assert raised.value.sqlstate == "42P01"
    assert "LOCATION" not in str(raised.value)


@pytest.mark.parametrize(
    "password", ["with blank", "qu'o\"te", "back\\slash", "a@b:c/d?e#f%20&=", "pässwörd 💚", "{x}"]
)
def test_every_password_works(database: DatabaseConfig, password: str) -> None:
    role = f"role_{abs(hash(password))}"
    with connect(database) as session:
        session.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(password))
        )
    try:
        config = replace(database, user=role, password=Secret(password))
        with open_session(config) as session:
            assert one(session, "SELECT current_user") == role
    finally:
        with connect(database) as session:
            session.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_the_first_host_that_answers_is_taken(database: DatabaseConfig, listen: Listen) -> None:
    silent = listen(stay_silent)
    several = replace(
        database,
        host=f"127.0.0.1,/nowhere,nowhere.invalid,127.0.0.1,{database.host}",
        port=f"{free_port()},5432,5432,{silent},{database.port}",
    )
    started = time.monotonic()
    with open_session(several, timeout_seconds=0.5) as session:
        assert session.info.port == int(database.port)
    assert time.monotonic() - started < 3


def test_one_port_serves_all_hosts(database: DatabaseConfig) -> None:
    with open_session(replace(database, host=f"/nowhere,{database.host}")) as session:
        assert one(session, "SELECT 1") == 1


def test_prefer_standby_takes_a_primary_where_there_is_no_standby(database: DatabaseConfig) -> None:
    options = {"target_session_attrs": "prefer-standby"}
    with open_session(replace(database, options=options)) as session:
        assert one(session, "SELECT pg_is_in_recovery()") is False


def test_every_host_is_named_where_all_fail(listen: Listen) -> None:
    ports = f"{free_port()},{listen(stay_silent)}"
    with pytest.raises(ConnectError) as raised:
        open_session(DatabaseConfig("127.0.0.1,127.0.0.1", ports, "kaimu"), timeout_seconds=0.3)
    first, second = ports.split(",")
    assert f"127.0.0.1:{first}: Connection refused" in raised.value.message
    assert f"127.0.0.1:{second}: no answer within 0.3 s" in raised.value.message
    assert raised.value.code == "server-silent"


def test_the_address_that_got_furthest_decides(gate: Gate) -> None:
    config = gate.address("app", password="wrong")
    with pytest.raises(ConnectError) as raised:
        open_session(replace(config, host="127.0.0.1,127.0.0.1", port=f"{config.port},{free_port()}"))
    assert raised.value.code == "wrong-password"
    assert raised.value.sqlstate == "28P01"


def test_connect_timeout_of_the_address_is_kept(listen: Listen) -> None:
    config = DatabaseConfig("127.0.0.1", str(listen(stay_silent)), "x", options={"connect_timeout": "1"})
    started = time.monotonic()
    with pytest.raises(ConnectError, match="no answer within 1 s"):
        open_session(config, timeout_seconds=30)
    assert time.monotonic() - started < 2


def test_many_open_files_do_not_matter(database: DatabaseConfig) -> None:
    import os
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1200:
        pytest.skip("this system allows too few open files to tell")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1200), hard))
    taken = [os.open("/dev/null", os.O_RDONLY) for _ in range(1050)]
    try:
        with open_session(database) as session:
            assert session.fileno() > 1024
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_what_may_pass_is_waited_for_within_the_limit() -> None:
    told: list[tuple[str, float]] = []
    config = DatabaseConfig("127.0.0.1", str(free_port()), "kaimu", "app", Secret("pw"))
    started = time.monotonic()
    with pytest.raises(ConnectError) as raised:
        wait_for_session(
            config, limit_seconds=1.0, on_wait=lambda error, left: told.append((error.code, left))
        )
    assert 1.0 <= time.monotonic() - started < 1.5
    assert raised.value.code == "connection-refused"
    assert len(told) >= 3
    assert {code for code, _ in told} == {"connection-refused"}
    assert [left for _, left in told] == sorted((left for _, left in told), reverse=True)


@pytest.mark.parametrize("kind", ["silent", "unreachable"])
def test_the_limit_holds_where_a_connection_hangs(listen: Listen, kind: str) -> None:
    from contextlib import ExitStack

    with ExitStack() as stack:
        port = listen(stay_silent) if kind == "silent" else stack.enter_context(full_queue())
        started = time.monotonic()
        with pytest.raises(ConnectError, match="no answer within"):
            wait_for_session(DatabaseConfig("127.0.0.1", str(port), "kaimu"), limit_seconds=0.7)
        assert 0.7 <= time.monotonic() - started < 1.2


def test_the_limit_holds_for_several_hosts_that_hang(listen: Listen) -> None:
    ports = ",".join(str(listen(stay_silent)) for _ in range(3))
    started = time.monotonic()
    with pytest.raises(ConnectError):
        wait_for_session(DatabaseConfig("127.0.0.1,127.0.0.1,127.0.0.1", ports, "kaimu"), limit_seconds=0.8)
    assert time.monotonic() - started < 1.4


def test_what_waiting_cannot_mend_is_raised_at_once(gate: Gate) -> None:
    told: list[ConnectError] = []
    started = time.monotonic()
    with pytest.raises(ConnectError) as raised:
        wait_for_session(
            gate.address("app", password="wrong"),
            limit_seconds=30,
            on_wait=lambda error, _left: told.append(error),
        )
    assert time.monotonic() - started < 2
    assert raised.value.code == "wrong-password"
    assert not told


def test_a_server_that_comes_is_noticed(database: DatabaseConfig) -> None:
    """A forwarder to the server starts late; the session is there soon after."""
    import socket

    port = free_port()
    came: list[float] = []

    def forward() -> None:
        time.sleep(0.6)
        with socket.create_server(("127.0.0.1", port)) as listener:
            came.append(time.monotonic())
            client, _ = listener.accept()
            with client, socket.create_connection((database.host, int(database.port))) as server:
                back = threading.Thread(target=pump, args=(server, client), daemon=True)
                back.start()
                pump(client, server)
                back.join()

    def pump(source: socket.socket, sink: socket.socket) -> None:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)

    forwarder = threading.Thread(target=forward)
    forwarder.start()
    with wait_for_session(replace(database, port=str(port)), limit_seconds=20) as session:
        assert one(session, "SELECT 1") == 1
        assert time.monotonic() - came[0] < 2.5
    forwarder.join()


def test_a_service_and_libpqs_own_defaults_are_left_to_libpq(
    database: DatabaseConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database.password is not None
    service = tmp_path / "services"
    lines = {"host": database.host, "port": database.port, "user": database.user, "dbname": database.database}
    text = "".join(f"{key}={value}\n" for key, value in lines.items())
    service.write_text(f"[kaimu]\n{text}password={database.password.reveal()}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    with open_session(DatabaseConfig(options={"service": "kaimu"})) as session:
        assert one(session, "SELECT current_database()") == database.database
    service.write_text(f"[kaimu]\n{text}password=wrong\n".replace(database.database, "nowhere"))
    with pytest.raises(ConnectError) as raised:
        open_session(DatabaseConfig(options={"service": "kaimu"}))
    assert raised.value.sqlstate == "28P01"


def test_a_replica_is_told_from_a_primary(replica: DatabaseConfig) -> None:
    with pytest.raises(ConnectError, match=r"server is in hot standby mode|session is read-only") as raised:
        open_session(replace(replica, options={"target_session_attrs": "read-write"}))
    assert raised.value.code == "target-session-attrs"
    with open_session(replace(replica, options={"target_session_attrs": "prefer-standby"})) as session:
        assert one(session, "SELECT pg_is_in_recovery()") is True
