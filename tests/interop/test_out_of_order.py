"""A file that turns up below the newest applied one: what the tool does with it, howdah does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fix_db import connect
from fix_peers import MakeDatabase, MakeProject, Project, Proof, left_in, peers
from fix_peers_changes import Change
from fix_peers_tools import PEERS, Peer
from howdah.config.database import DatabaseConfig

pytestmark = pytest.mark.interop
_CHANGES = tuple(
    Change(number, f"t{number}", up=(f"CREATE TABLE t{number} (id int)",), down=(f"DROP TABLE t{number}",))
    for number in (1, 2, 3, 4)
)
_LATE = 2
_ORDERED = [each.name for each in PEERS if each.out_of_order]
_KEEPING_EACH = [each.name for each in PEERS if each.out_of_order in ("refuse", "apply")]


def has_late_table(database: DatabaseConfig) -> bool:
    with connect(database) as connection:
        return connection.execute("SELECT to_regclass('t2')").fetchone() != (None,)


@pytest.fixture
def begun(make_project: MakeProject) -> Project:
    """A project without its second migration, before it turns up."""
    return make_project(tuple(each for each in _CHANGES if each.number in (1, 3)))


@peers(*_ORDERED)
@pytest.mark.proves("a file out of order: howdah does what the tool does")
@pytest.mark.parametrize("beginner", ["tool", "howdah"])
def test_howdah_does_with_a_file_out_of_order_what_the_tool_does(
    peer: Peer, begun: Project, beginner: str, make_database: MakeDatabase, proof: Proof
) -> None:
    theirs, ours = make_database(), make_database()
    for database in (theirs, ours):
        proof.done(begun.tool_up(database) if beginner == "tool" else begun.howdah_up(database))
    project = replace(begun, changes=_CHANGES).write()

    their_run = project.tool_up(theirs)
    our_run = project.howdah_up(ours)

    is_refused = peer.out_of_order == "refuse"
    proof.holds((their_run.code != 0) == is_refused, their_run)
    proof.holds((our_run.code != 0) == is_refused, our_run)
    # A history of one number that golang-migrate wrote does not say that the file never ran.
    if peer.out_of_order != "skip" or beginner == "howdah":
        proof.holds("t2" in our_run.stdout + our_run.stderr, our_run)
    proof.holds(has_late_table(theirs) == (peer.out_of_order == "apply"))
    proof.same(left_in(peer, ours), left_in(peer, theirs))


@peers(*_KEEPING_EACH)
@pytest.mark.proves("a file out of order applied because howdah was told to: the tool agrees")
def test_the_tool_agrees_with_a_file_applied_out_of_order_on_request(
    peer: Peer, begun: Project, make_database: MakeDatabase, proof: Proof
) -> None:
    database = make_database()
    proof.done(begun.tool_up(database))
    project = replace(begun, changes=_CHANGES).write()
    proof.done(project.howdah(database, "up", "--out-of-order", "apply"))
    proof.holds(has_late_table(database))
    proof.content(project, database)


@peers("golang-migrate", "golang-migrate 4.14")
@pytest.mark.proves("a file out of order on request: refused, the history cannot say it")
def test_a_file_out_of_order_on_request_is_refused_where_the_history_cannot_say_it(
    peer: Peer, begun: Project, make_database: MakeDatabase, proof: Proof
) -> None:
    database = make_database()
    proof.done(begun.tool_up(database))
    project = replace(begun, changes=_CHANGES).write()
    before = left_in(peer, database)
    refused = project.howdah(database, "up", "--out-of-order", "apply")
    proof.holds(refused.code == 2, refused)
    proof.same(left_in(peer, database), before)


@peers(*_KEEPING_EACH)
@pytest.mark.proves("after a file out of order both go down the same way")
def test_after_a_file_out_of_order_both_go_down_the_same_way(
    peer: Peer, begun: Project, make_database: MakeDatabase, proof: Proof
) -> None:
    theirs, ours = make_database(), make_database()
    for database in (theirs, ours):
        proof.done(begun.tool_up(database))
    project = replace(begun, changes=_CHANGES).write()
    for database in (theirs, ours):
        proof.done(project.howdah(database, "up", "--out-of-order", "apply"))
    for _ in _CHANGES:
        their_run = project.tool_down(theirs, newest(peer, theirs))
        our_run = project.howdah_down(ours)
        proof.done(their_run)
        proof.done(our_run)
        proof.same(left_in(peer, ours), left_in(peer, theirs))


def newest(peer: Peer, database: DatabaseConfig) -> int:
    """The highest applied change: what tools with a target are told to go below."""
    tables = [each.number for each in _CHANGES]
    with connect(database) as connection:
        here = [
            number
            for number in tables
            if connection.execute("SELECT to_regclass(%s)", (f"t{number}",)).fetchone() != (None,)
        ]
    return max(here, default=1)
