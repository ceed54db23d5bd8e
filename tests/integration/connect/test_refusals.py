"""Every row of the table of causes that can be provoked is provoked on real servers, poolers and broken proxies.

The names of the cases are codes of the table; docs/reference/connection-errors.md lists the rows that are not here.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from fix_db import connect
from fix_gate import Gate, fill
from fix_pgbouncer import free_port
from fix_proxy import close_at_once, full_queue, reset, say, stay_silent
from fix_server import choose_test_programs, reachable_directory
from fix_tls import Keys
from howdah.config.database import DatabaseConfig, Secret
from howdah.connect.causes import CAUSES
from howdah.connect.diagnosis import Diagnosis
from howdah.connect.session import try_session
from howdah.server.local import LocalServer

PASSWORD = "s3cret-w0rd"

Provoke = Callable[[pytest.FixtureRequest, ExitStack], DatabaseConfig]


@dataclass(frozen=True)
class Case:
    """How to provoke a refusal, and what must be said of it."""

    name: str
    provoke: Provoke
    sqlstate: str | None
    transient: bool
    timeout_seconds: float

    @property
    def code(self) -> str:
        return self.name.partition(":")[0]


CASES: list[Case] = []


def case(
    name: str, *, sqlstate: str | None = None, transient: bool = False, timeout_seconds: float = 5
) -> Callable[[Provoke], Provoke]:
    def register(provoke: Provoke) -> Provoke:
        CASES.append(Case(name, provoke, sqlstate, transient, timeout_seconds))
        return provoke

    return register


def at(port: int, **options: str) -> DatabaseConfig:
    return DatabaseConfig("127.0.0.1", str(port), "kaimu", "app", Secret(PASSWORD), options)


def gate_of(request: pytest.FixtureRequest) -> Gate:
    found: Gate = request.getfixturevalue("gate")
    return found


def tls_of(request: pytest.FixtureRequest) -> tuple[Gate, Keys]:
    return request.getfixturevalue("tls_gate"), request.getfixturevalue("keys")


# the way to the server


@case("unescaped-password")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return DatabaseConfig("w0rd@nowhere.invalid", "5432", "kaimu", "app", Secret("s3cret-"))


@case("host-not-found")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return DatabaseConfig("nowhere.invalid", "5432", "kaimu", "app")


@case("connection-refused", transient=True)
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return at(free_port())


@case("socket-missing", transient=True)
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return replace(at(5432), host="/nowhere")


@case("socket-forbidden")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    if os.geteuid() == 0:
        pytest.skip("root may open every socket")
    closed = request.getfixturevalue("open_path") / "closed"
    closed.mkdir(mode=0)
    stack.callback(closed.rmdir)  # rmtree could not: it looks inside
    return replace(at(5432), host=str(closed))


@case("connection-timeout", transient=True, timeout_seconds=0.5)
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return at(stack.enter_context(full_queue()))


@case("server-silent", transient=True, timeout_seconds=0.5)
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return at(request.getfixturevalue("listen")(stay_silent))


@case("not-postgresql")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return at(request.getfixturevalue("listen")(say(b"HTTP/1.1 400 Bad Request\r\n\r\n")))


@case("not-postgresql: plain")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    port = request.getfixturevalue("listen")(say(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    return at(port, sslmode="disable")


@case("connection-closed", transient=True)
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return at(request.getfixturevalue("listen")(close_at_once))


@case("connection-closed: reset", transient=True)
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return at(request.getfixturevalue("listen")(reset))


@case("connection-closed: in the middle of TLS", transient=True)
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return at(request.getfixturevalue("listen")(say(b"S")), sslmode="require")


@case("bad-address: sslmode")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return at(5432, sslmode="yes")


@case("bad-address: option")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return at(5432, sslmod="require")


@case("bad-address: port")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return at(99999)


# TLS


@case("tls-not-offered")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    gate = gate_of(request)
    with connect(gate.superuser) as session:
        if session.execute("SHOW ssl").fetchone() == ("on",):
            pytest.skip("this server has TLS switched on")
    return gate.address("app", password="right", sslmode="require")


@case("tls-no-root-certificate")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    gate, keys = tls_of(request)
    return gate.address("app", password="right", sslmode="verify-ca", sslrootcert=keys.file("nowhere.crt"))


@case("tls-untrusted")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    gate, keys = tls_of(request)
    return gate.address("app", password="right", sslmode="verify-ca", sslrootcert=keys.file("stranger.crt"))


@case("tls-untrusted: expired")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    gate: Gate = request.getfixturevalue("expired_gate")
    keys: Keys = request.getfixturevalue("keys")
    return gate.address("app", password="right", sslmode="verify-ca", sslrootcert=keys.file("ca.crt"))


@case("tls-wrong-host")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    gate, keys = tls_of(request)
    address = gate.address(
        "app", sslmode="verify-full", sslrootcert=keys.file("ca.crt"), hostaddr="127.0.0.1"
    )
    return replace(address, host="db.example.test")


@case("tls-client-certificate: unreadable key")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    gate, keys = tls_of(request)
    return gate.address(
        "certified", sslmode="require", sslcert=keys.file("client.crt"), sslkey=keys.file("nowhere.key")
    )


@case("tls-client-certificate: of a stranger")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    gate, keys = tls_of(request)
    return gate.address(
        "certified", sslmode="require", sslcert=keys.file("impostor.crt"), sslkey=keys.file("impostor.key")
    )


@case("client-certificate-required", sqlstate="28000")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    gate, _keys = tls_of(request)
    return gate.address("certified", sslmode="require")


@case("tls-required", sqlstate="28000")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    gate, _keys = tls_of(request)
    return gate.address("needs_tls", password="right", sslmode="disable")


@case("tls-required: plain connections are rejected", sqlstate="28000")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    gate, _keys = tls_of(request)
    return gate.address("needs_tls_too", sslmode="disable")


@case("client-certificates-unchecked", sqlstate="F0000")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    gate: Gate = request.getfixturevalue("expired_gate")
    return gate.address("certified", sslmode="require")


@case("tls-failed")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    gate: Gate = request.getfixturevalue("expired_gate")
    return gate.address("app", sslmode="require", ssl_min_protocol_version="TLSv1.3")


@case("channel-binding")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("open", channel_binding="require")


# who may come in


@case("wrong-password", sqlstate="28P01")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("app", password=PASSWORD)


@case("wrong-password: expired", sqlstate="28P01")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("expired", password="right")


@case("wrong-password: unknown role", sqlstate="28P01")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("phantom", password="right")


@case("wrong-password: sslmode=prefer tries twice", sqlstate="28P01")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    gate, _keys = tls_of(request)
    return gate.address("needs_tls", password=PASSWORD, sslmode="prefer")


@case("no-password")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("app", passfile="/nowhere")


@case("unknown-role", sqlstate="28000")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("ghost")


@case("role-cannot-log-in", sqlstate="28000")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("owners")


@case("identity-rejected", sqlstate="28000")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return replace(gate_of(request).local.socket_address, user="peered")


@case("no-hba-entry", sqlstate="28000")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("nobody_knows")


@case("no-hba-entry: with TLS on", sqlstate="28000")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    gate, _keys = tls_of(request)
    return gate.address("nobody_knows", sslmode="disable")


@case("hba-reject", sqlstate="28000")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("banned")


@case("auth-method-refused")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("open", require_auth="scram-sha-256")


# the database, the session


@case("unknown-database", sqlstate="3D000")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("open", database="Kaimu")


@case("database-not-accepting", sqlstate="55000")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("open", database="closed")


@case("invalid-database", sqlstate="55000")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("open", database="half_dropped")


@case("no-connect-privilege", sqlstate="42501")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("open", database="private")


@case("role-connection-limit", sqlstate="53300", transient=True)
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("limited")


@case("database-connection-limit", sqlstate="53300", transient=True)
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("open", database="full_up")


@case("target-session-attrs", transient=True)
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("open", target_session_attrs="standby")


@case("target-session-attrs: read only", transient=True)
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address(
        "open", target_session_attrs="read-write", options="-c default_transaction_read_only=on"
    )


@case("bad-option", sqlstate="42704")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("open", options="-c nonsense=1")


@case("bad-option: value", sqlstate="22023")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("open", options="-c work_mem=nonsense")


@case("option-not-permitted", sqlstate="42501")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    return gate_of(request).address("open", options="-c log_statement=all")


# the state of the server


@contextmanager
def own_server(request: pytest.FixtureRequest, **settings: str) -> Iterator[LocalServer]:
    """A server of the test's own, for it will be full, slow or dying."""
    directory = reachable_directory()
    programs = choose_test_programs(request.config)
    local = LocalServer(directory / "server", programs, settings={"fsync": "off", **settings})
    try:
        local.start()
        yield local
    finally:
        local.destroy()
        directory.rmdir()


def with_ordinary_role(address: DatabaseConfig) -> DatabaseConfig:
    with connect(address) as session:
        session.execute("CREATE ROLE app LOGIN PASSWORD 'right'")
    return replace(address, user="app", password=Secret("right"))


def hold(stack: ExitStack, sessions: list[psycopg.Connection]) -> None:
    for session in sessions:
        stack.callback(session.close)


@case("reserved-slots", sqlstate="53300", transient=True)
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    local = stack.enter_context(own_server(request, max_connections="6", superuser_reserved_connections="2"))
    address = with_ordinary_role(local.address)
    hold(stack, fill(address))
    return address


@case("too-many-connections", sqlstate="53300", transient=True)
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    local = stack.enter_context(own_server(request, max_connections="6", superuser_reserved_connections="2"))
    hold(stack, fill(local.address))
    return local.address


@case("starting-up", sqlstate="57P03", transient=True)
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    local = stack.enter_context(own_server(request))
    address = local.address
    local.stop()
    (local.data / "recovery.signal").touch()
    slow = replace(local, settings={**local.settings, "restore_command": "sleep 2; false"})
    slow._launch(int(address.port))
    wait_for_answer(address)
    return address


@case("recovery-mode", sqlstate="57P03", transient=True)
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    local = stack.enter_context(own_server(request))
    address = local.address
    stopped, killed = connect(address), connect(address)
    hold(stack, [stopped, killed])
    # the one that does not hear holds up the restart after the crash of the other, for 5 s at most
    os.kill(stopped.info.backend_pid, signal.SIGSTOP)
    os.kill(killed.info.backend_pid, signal.SIGKILL)
    time.sleep(0.3)
    return address


@case("shutting-down", sqlstate="57P03", transient=True)
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    local = stack.enter_context(own_server(request))
    hold(stack, [connect(local.address)])
    running = local.running
    assert running is not None
    os.kill(running.pid, signal.SIGTERM)  # a smart shutdown waits for the session
    time.sleep(0.3)
    return local.address


def wait_for_answer(address: DatabaseConfig) -> None:
    """Return when something listens there."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = try_session(address)
        if not isinstance(found, Diagnosis):
            found.close()
            return
        if found.cause.code != "connection-refused":
            return
        time.sleep(0.02)


# poolers


@case("pooler-unknown-database", sqlstate="08P01")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    address: DatabaseConfig = request.getfixturevalue("pgbouncer")()
    return replace(address, database="elsewhere")


@case("wrong-password: pooler", sqlstate="08P01")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    address: DatabaseConfig = request.getfixturevalue("pgbouncer")()
    return replace(address, password=Secret(PASSWORD))


@case("pooler-unknown-user", sqlstate="08P01")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    address: DatabaseConfig = request.getfixturevalue("pgbouncer")(auth_type="trust")
    return replace(address, user="stranger")


@case("pooler-full", sqlstate="08P01", transient=True)
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    address: DatabaseConfig = request.getfixturevalue("pgbouncer")(max_client_conn=1)
    hold(stack, [connect(address)])
    return address


@case("pooler-unsupported-parameter", sqlstate="08P01")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    address: DatabaseConfig = request.getfixturevalue("pgbouncer")()
    # PgBouncer knows `options` since 1.20, and then not every parameter in it
    return replace(address, options={"options": "-c geqo=off"})


@case("pooler-server-down", sqlstate="08P01", transient=True)
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    address: DatabaseConfig = request.getfixturevalue("pgbouncer")(
        behind=at(free_port()), client_login_timeout=1
    )
    return address


@case("pooler-wait-timeout", sqlstate="08P01", transient=True)
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    deaf = at(request.getfixturevalue("listen")(stay_silent))
    address: DatabaseConfig = request.getfixturevalue("pgbouncer")(behind=deaf, query_wait_timeout=1)
    return address


@case("pooler-tls-required", sqlstate="08P01")
def _(request: pytest.FixtureRequest, stack: ExitStack) -> DatabaseConfig:
    keys: Keys = request.getfixturevalue("keys")
    address: DatabaseConfig = request.getfixturevalue("pgbouncer")(
        client_tls_sslmode="require",
        client_tls_key_file=keys.file("server.key"),
        client_tls_cert_file=keys.file("server.crt"),
    )
    return replace(address, options={"sslmode": "disable"})


@pytest.mark.parametrize("each", CASES, ids=lambda each: each.name)
def test_a_refusal_is_told(each: Case, request: pytest.FixtureRequest) -> None:
    with ExitStack() as stack:
        config = each.provoke(request, stack)
        started = time.monotonic()
        found = try_session(config, timeout_seconds=each.timeout_seconds)
        took = time.monotonic() - started
        if not isinstance(found, Diagnosis):
            found.close()
    assert isinstance(found, Diagnosis), "the session was opened"
    assert found.cause.code == each.code, found
    assert found.sqlstate == each.sqlstate, found
    assert found.cause.transient == each.transient
    assert took < each.timeout_seconds + 1
    error = found.as_error()
    said = " ".join([str(error), error.why or "", error.fix or "", *error.next])
    assert "{" not in said
    assert PASSWORD not in said
    assert "w0rd" not in said
    assert error.message.startswith("cannot connect to ")


def test_every_row_of_the_table_is_provoked_or_listed_with_the_reason() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "connection-errors.md"
    text = page.read_text(encoding="utf-8")
    codes = {cause.code for cause in CAUSES}
    provoked = {each.code for each in CASES}
    listed = {line.split("`")[1] for line in text.partition("## Not provoked")[2].splitlines() if "`" in line}
    assert provoked <= codes
    assert codes - provoked <= listed
    for code in codes:
        assert f"`{code}`" in text
