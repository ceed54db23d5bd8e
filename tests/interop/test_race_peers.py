"""howdah and every other tool start together: each change happens once, and a loser leaves nothing half-done."""

from __future__ import annotations

import random
import time

import pytest

from fix_cli import Ran
from fix_db import connect
from fix_peers import MakeDatabase, MakeProject, Project, Proof, left_in, peers
from fix_peers_changes import entries
from fix_peers_tools import Call, Peer
from howdah.config.database import DatabaseConfig

pytestmark = pytest.mark.interop
_ROUNDS = 3
_CHANGES = entries(6, seconds=0.03)


def race(project: Project, calls: list[Call], *, seed: int, within_seconds: float) -> list[Ran]:
    """Start all at random moments, in random order; how they ended, in the order given."""
    chance = random.Random(seed)
    moments = {call: chance.uniform(0, within_seconds) for call in range(len(calls))}
    begin = time.monotonic()
    started = {}
    for number in sorted(moments, key=moments.__getitem__):
        time.sleep(max(0.0, begin + moments[number] - time.monotonic()))
        started[number] = project.start(calls[number])
    ended = []
    for number, call in enumerate(calls):
        stdout, stderr = started[number].communicate(timeout=120)
        ended.append(Ran(call.arguments, started[number].returncode, stdout, stderr))
    return ended


def log_rows(database: DatabaseConfig) -> list[int]:
    with connect(database) as connection:
        return [what for (what,) in connection.execute("SELECT what FROM log ORDER BY what")]


@peers()
@pytest.mark.proves("started together, each change happens once")
def test_started_together_each_change_happens_once(
    peer: Peer, make_project: MakeProject, make_database: MakeDatabase, proof: Proof
) -> None:
    project = make_project(_CHANGES)
    alone = make_database()
    proof.done(project.tool_up(alone))
    for seed in range(_ROUNDS):
        database = make_database()
        tool = peer.up(database, project.directory, None)
        ours = project.howdah_call(database, "up", "--lock-timeout", "60")
        ended = race(project, [ours, tool, ours], seed=seed, within_seconds=0.6)
        if peer.locks:
            for ran in ended:
                proof.done(ran)
        # Without a lock of its own the tool may lose, and say so; what it then leaves is whole.
        proof.done(project.tool_up(database))
        proof.done(project.howdah_up(database))
        proof.holds(log_rows(database) == list(range(2, 7)))
        proof.same(left_in(peer, database), left_in(peer, alone))
        proof.content(project, database)
