"""kill -9 in the middle of a step, of howdah or of the tool: the other finishes, and everything happened once."""

from __future__ import annotations

import time

import pytest

from fix_db import connect
from fix_peers import MakeDatabase, MakeProject, Project, Proof, left_in, peers
from fix_peers_changes import slow
from fix_peers_tools import Call, Peer
from howdah.config.database import DatabaseConfig

pytestmark = pytest.mark.interop
_SECONDS = 2.5
_CHANGES = slow(_SECONDS)


def kill_in_the_middle(project: Project, database: DatabaseConfig, call: Call) -> None:
    """Start a run, and kill it while it sleeps in its second change."""
    process = project.start(call)
    deadline = time.monotonic() + 30
    while not sleepers(database):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.communicate()
    assert sleepers(database), "the server goes on with the statement of a client that is gone"


def sleepers(database: DatabaseConfig) -> int:
    with connect(database) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(%%' AND state = 'active'"
            " AND pid <> pg_backend_pid() AND datname = current_database()"
        ).fetchone()
    return found[0] if found else 0


@peers()
@pytest.mark.proves("howdah killed in the middle of a step: the tool finishes")
def test_the_tool_finishes_what_a_killed_howdah_began(
    peer: Peer, make_project: MakeProject, make_database: MakeDatabase, proof: Proof
) -> None:
    project = make_project(_CHANGES)
    alone, database = make_database(), make_database()
    proof.done(project.tool_up(alone))
    kill_in_the_middle(project, database, project.howdah_call(database, "up"))
    ran = project.tool_up(database)
    if not peer.locks and ran.code != 0:
        # It waited for nothing, ran into what the server had not yet taken back, and says so.
        _wait_for_the_end(database)
        ran = project.tool_up(database)
    proof.done(ran)
    proof.same(left_in(peer, database), left_in(peer, alone))
    proof.content(project, database)


@peers()
@pytest.mark.proves("the tool killed in the middle of a step: howdah finishes")
def test_howdah_finishes_what_a_killed_tool_began(
    peer: Peer, make_project: MakeProject, make_database: MakeDatabase, proof: Proof
) -> None:
    project = make_project(_CHANGES)
    alone, database = make_database(), make_database()
    proof.done(project.tool_up(alone))
    kill_in_the_middle(project, database, peer.up(database, project.directory, None))
    ran = project.howdah(database, "up", "--lock-timeout", "30")
    if peer.format == "golang-migrate":
        # The statement went on in the server and was committed, with nobody left to say so.
        proof.holds(ran.code == 4 and "is dirty at version 2" in ran.stderr, ran)
        proof.done(project.howdah(database, "resolve", "2", "--applied"))
        ran = project.howdah_up(database)
    proof.done(ran)
    proof.same(left_in(peer, database), left_in(peer, alone))
    proof.content(project, database)


def _wait_for_the_end(database: DatabaseConfig) -> None:
    deadline = time.monotonic() + 30
    while sleepers(database):
        assert time.monotonic() < deadline
        time.sleep(0.05)
