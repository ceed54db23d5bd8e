"""Ports of local servers."""

from __future__ import annotations

import socket
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from howdah.server.ports import is_free, loopback_addresses, ports_for


@given(st.text())
def test_a_name_gives_the_same_ports_always_and_all_are_below_the_ephemeral_range(name: str) -> None:
    ports = list(ports_for(name))
    assert ports == list(ports_for(name))
    assert sorted(ports) == list(range(20000, 30000))


def test_two_names_rarely_share_a_port() -> None:
    first = {next(ports_for(f"/home/anna/.local/state/howdah/project-{number}")) for number in range(100)}
    assert len(first) > 95
    assert list(islice(ports_for("a"), 2)) != list(islice(ports_for("b"), 2))


def test_a_port_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        assert not is_free(stranger.getsockname()[1])


def test_a_port_taken_on_the_other_loopback_address_is_not_free() -> None:
    if "::1" not in loopback_addresses():
        assert loopback_addresses() == ["127.0.0.1"]
        return
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as stranger:
        assert not is_free(stranger.getsockname()[1])
