"""Hosts and ports are paired as libpq pairs them; looking a name up has a limit."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from howdah.config.database import DatabaseConfig
from howdah.connect.addresses import Address, is_local, resolve_address, session_passes, split_hosts
from howdah.connect.failures import Failure, Step


@pytest.mark.parametrize(
    ("host", "port", "hostaddr", "expected"),
    [
        ("", "", "", [Address()]),
        ("a", "", "", [Address("a")]),
        ("a,b", "1,2", "", [Address("a", "1"), Address("b", "2")]),
        ("a,b", "1", "", [Address("a", "1"), Address("b", "1")]),
        ("a,b", "", "", [Address("a"), Address("b")]),
        ("a,b", "1,", "", [Address("a", "1"), Address("b")]),
        ("a", "1", "10.0.0.1", [Address("a", "1", "10.0.0.1")]),
        ("", "1", "10.0.0.1,10.0.0.2", [Address("", "1", "10.0.0.1"), Address("", "1", "10.0.0.2")]),
    ],
)
def test_hosts_and_ports_are_paired(host: str, port: str, hostaddr: str, expected: list[Address]) -> None:
    options = {"hostaddr": hostaddr} if hostaddr else {}
    assert split_hosts(DatabaseConfig(host, port, options=options)) == expected


@pytest.mark.parametrize(
    ("host", "port"), [("a,b", "1,2,3"), ("a", "1,2"), ("a", "x"), ("a", "0"), ("a", "70000")]
)
def test_what_cannot_be_paired_is_refused(host: str, port: str) -> None:
    with pytest.raises(ValueError, match=r"servers|port"):
        split_hosts(DatabaseConfig(host, port))


def test_random_order_has_every_host() -> None:
    config = DatabaseConfig("a,b,c,d,e", "1", options={"load_balance_hosts": "random"})
    orders = {tuple(address.host for address in split_hosts(config)) for _ in range(50)}
    assert len(orders) > 1
    assert all(sorted(order) == list("abcde") for order in orders)


def test_prefer_standby_makes_two_passes() -> None:
    config = DatabaseConfig("a", options={"target_session_attrs": "prefer-standby"})
    assert [one["target_session_attrs"] for one in session_passes(config)] == ["standby", "any"]
    assert list(session_passes(DatabaseConfig("a"))) == [{}]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "fe80::1%eth0"])
def test_numbers_and_sockets_are_not_looked_up(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("looked up")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert resolve_address(Address(host, "1"), timeout_seconds=1) == [Address(host, "1", host)]
    assert resolve_address(Address("/run", "1"), timeout_seconds=1) == [Address("/run", "1")]


def test_a_resolver_that_hangs_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        over.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    started = time.monotonic()
    found = resolve_address(Address("db.example.test"), timeout_seconds=0.05)
    over.set()
    assert time.monotonic() - started < 2
    assert isinstance(found, Failure)
    assert (found.step, found.errno) == (Step.RESOLVE, socket.EAI_AGAIN)


@pytest.mark.parametrize("host", ["a" * 70 + ".test", "a..b", "\N{SNOWMAN}" * 70])
def test_what_cannot_be_a_name_is_not_found(host: str) -> None:
    found = resolve_address(Address(host), timeout_seconds=5)
    assert isinstance(found, Failure)
    assert found.step is Step.RESOLVE


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("/run", True),
        ("db", False),
        ("10.0.0.1", False),
    ],
)
def test_this_machine_is_known(host: str, local: bool) -> None:
    assert is_local(host) == local


def test_the_end_of_a_password_is_masked() -> None:
    assert Address("ss@db", "1").place == "***@db:1"
    assert Address("@abstract", "1").place == "@abstract/.s.PGSQL.1"
