"""The other tools by themselves: the same changes in each one's words give the same database."""

from __future__ import annotations

import pytest

from fingerprint import differences
from fix_peers import MakeDatabase, MakeProject, left_in
from fix_peers_changes import CHANGES
from fix_peers_tools import PEERS, Peer

pytestmark = pytest.mark.interop
_HISTORIES = tuple({each.table for each in PEERS})


@pytest.fixture(scope="module")
def seen() -> dict[str, frozenset[str]]:
    return {}


@pytest.mark.parametrize("peer", PEERS, indirect=True, ids=lambda peer: peer.name.replace(" ", "-"))
def test_the_changes_mean_the_same_to_every_tool(
    peer: Peer, make_project: MakeProject, make_database: MakeDatabase, seen: dict[str, frozenset[str]]
) -> None:
    project = make_project(CHANGES)
    at_once, in_steps = make_database(), make_database()
    ran = project.tool_up(at_once)
    assert ran.code == 0, ran
    for number in project.numbers:
        ran = project.tool_up(in_steps, number)
        assert ran.code == 0, ran
    ran = project.tool_status(in_steps)
    assert peer.is_content(ran), ran
    assert left_in(peer, in_steps) == left_in(peer, at_once)

    without_history = frozenset(
        line for line in left_in(peer, at_once).content if not any(name in line for name in _HISTORIES)
    )
    assert differences(next(iter(seen.values()), without_history), without_history) == []
    seen[peer.name] = without_history

    for number in reversed(project.numbers):
        ran = project.tool_down(in_steps, number)
        assert ran.code == 0, ran
    assert not any("public.people" in line for line in left_in(peer, in_steps).content)
