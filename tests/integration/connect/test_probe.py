"""The probe says how far one gets without a password, within its limit, whoever answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fix_gate import Gate
from fix_proxy import Conversation, dribble, say, stay_silent
from fix_tls import Keys
from howdah.config.database import DatabaseConfig
from howdah.connect.failures import Step
from howdah.connect.probe import AddressProbe, probe
from howdah.connect.session import open_session
from howdah.errors import ConnectError

Listen = Callable[[Conversation], int]


def one(config: DatabaseConfig, *, timeout_seconds: float = 5) -> AddressProbe:
    (found,) = probe(config, timeout_seconds=timeout_seconds)
    return found


def test_a_server_that_asks_for_a_password_is_left_without_one(gate: Gate) -> None:
    found = one(gate.address("app", password="right"))
    assert found.failure is None
    assert found.method == "scram-sha-256"
    assert set(found.seconds) == {Step.RESOLVE, Step.CONNECT, Step.TLS, Step.LOGIN}


def test_a_server_that_trusts_lets_the_probe_in(gate: Gate) -> None:
    assert one(gate.address("open")).method == "trust"


@pytest.mark.parametrize(
    ("user", "database", "sqlstate", "routine"),
    [
        ("ghost", "postgres", "28000", "InitializeSessionUserId"),
        ("banned", "postgres", "28000", "ClientAuthentication"),
        ("open", "nowhere", "3D000", "InitPostgres"),
        ("open", "private", "42501", "CheckMyDatabase"),
    ],
)
def test_refusals_have_their_code_and_routine(
    gate: Gate, user: str, database: str, sqlstate: str, routine: str
) -> None:
    failure = one(gate.address(user, database=database)).failure
    assert failure is not None
    assert (failure.step, failure.sqlstate, failure.routine) == (Step.LOGIN, sqlstate, routine)


def test_a_socket_is_probed(gate: Gate) -> None:
    found = one(replace(gate.local.socket_address, user="open"))
    assert (found.failure, found.method, found.tls_offered) == (None, "trust", None)


def test_tls_is_shown_with_the_certificate(tls_gate: Gate, keys: Keys) -> None:
    config = tls_gate.address("app", sslmode="verify-full", sslrootcert=keys.file("ca.crt"))
    found = one(config)
    assert found.failure is None
    assert found.tls is not None
    assert found.tls.version.startswith("TLSv1")
    assert found.tls.distrust is None
    certificate = found.tls.certificate
    assert certificate is not None
    assert certificate.names == ("localhost", "127.0.0.1")
    assert certificate.issuer == "howdah test authority"
    assert timedelta(days=89) < certificate.expires - datetime.now(UTC) < timedelta(days=90)


@pytest.mark.parametrize(
    ("server", "root", "distrust"),
    [
        ("expired_gate", "ca.crt", "expired on"),
        ("tls_gate", "stranger.crt", "by howdah test authority, not vouched for"),
    ],
)
def test_a_certificate_that_is_refused_is_shown_with_the_reason(
    request: pytest.FixtureRequest, keys: Keys, server: str, root: str, distrust: str
) -> None:
    gate: Gate = request.getfixturevalue(server)
    found = one(gate.address("app", sslmode="verify-ca", sslrootcert=keys.file(root)))
    assert found.failure is not None
    assert found.failure.step is Step.TLS
    assert found.tls is not None
    assert found.tls.certificate is not None
    assert found.tls.distrust is not None
    assert distrust in found.tls.distrust


def test_a_certificate_for_another_name_is_distrusted(tls_gate: Gate, keys: Keys) -> None:
    options = {"sslmode": "verify-full", "sslrootcert": keys.file("ca.crt"), "hostaddr": "127.0.0.1"}
    found = one(replace(tls_gate.address("app"), host="db.example.test", options=options))
    assert found.tls is not None
    assert found.tls.distrust == "the certificate is for localhost, 127.0.0.1, not for db.example.test"


@pytest.mark.parametrize(("mode", "encrypted"), [("disable", False), ("prefer", True), ("require", True)])
def test_sslmode_decides_about_encryption(tls_gate: Gate, mode: str, encrypted: bool) -> None:
    assert (one(tls_gate.address("app", sslmode=mode)).tls is not None) == encrypted


def test_allow_encrypts_where_the_server_wants_it(tls_gate: Gate) -> None:
    found = one(tls_gate.address("needs_tls", sslmode="allow"))
    assert (found.failure, found.tls is not None, found.method) == (None, True, "scram-sha-256")


@pytest.mark.parametrize("conversation", [stay_silent, dribble])
def test_the_limit_holds_whoever_answers(listen: Listen, conversation: Conversation) -> None:
    started = time.monotonic()
    config = DatabaseConfig("127.0.0.1", str(listen(conversation)), "x", "app")
    failure = one(config, timeout_seconds=0.5).failure
    assert failure is not None
    assert failure.message == "no answer within 0.5 s"
    assert time.monotonic() - started < 2


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answer=st.binary(max_size=120), mode=st.sampled_from(["disable", "prefer", "require"]))
def test_any_answer_is_survived(listen: Listen, answer: bytes, mode: str) -> None:
    config = DatabaseConfig("127.0.0.1", str(listen(say(answer))), "x", "app", options={"sslmode": mode})
    found = one(config, timeout_seconds=1)
    assert found.failure is None or found.failure.message
    with pytest.raises(ConnectError, match="cannot connect to x on"):
        open_session(config, timeout_seconds=1)


def test_every_number_of_every_host_is_probed(gate: Gate) -> None:
    port = gate.superuser.port
    config = replace(
        gate.address("open"), host="127.0.0.1,nowhere.invalid,/nowhere", port=f"{port},{port},{port}"
    )
    found = probe(config)
    assert [each.failure.step if each.failure else None for each in found] == [
        None,
        Step.RESOLVE,
        Step.CONNECT,
    ]


def test_nothing_is_probed_where_only_libpq_knows_the_address() -> None:
    assert probe(DatabaseConfig(database="x")) == []
