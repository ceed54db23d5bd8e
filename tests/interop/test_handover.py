"""howdah and every other tool take turns on one database: at every version, upwards and downwards."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fix_peers import Left, MakeDatabase, MakeProject, Project, Proof, left_in, peers
from fix_peers_changes import CHANGES
from fix_peers_tools import Peer

pytestmark = pytest.mark.interop


@dataclass(frozen=True)
class Alone:
    """What the tool leaves where howdah is not there: after each change upwards, after each downwards."""

    upwards: dict[int, Left]
    downwards: dict[int, Left]


_seen: dict[str, Alone] = {}


@pytest.fixture
def project(peer: Peer, make_project: MakeProject) -> Project:
    # Where the tool itself runs every change, each is a process, and what it says is none of ours.
    return make_project(CHANGES[:5] if peer.runs_all_itself else CHANGES)


@pytest.fixture
def alone(peer: Peer, project: Project, make_database: MakeDatabase) -> Alone:
    if peer.name not in _seen:
        database, found = make_database(), Alone({}, {})
        for number in project.numbers:
            ran = project.tool_up(database, number)
            assert ran.code == 0, ran
            found.upwards[number] = left_in(peer, database)
        for number in reversed(project.numbers):
            ran = project.tool_down(database, number)
            assert ran.code == 0, ran
            found.downwards[project.below(number)] = left_in(peer, database)
        _seen[peer.name] = found
    return _seen[peer.name]


@peers()
@pytest.mark.proves("each finishes upwards what the other began, at every version")
def test_each_finishes_upwards_what_the_other_began(
    peer: Peer, project: Project, alone: Alone, make_database: MakeDatabase, proof: Proof
) -> None:
    last = project.numbers[-1]
    for number in project.numbers[:-1]:
        theirs_first, ours_first = make_database(), make_database()

        proof.done(project.tool_up(theirs_first, number))
        proof.done(project.library_up(theirs_first))

        proof.done(project.library_up(ours_first, number))
        proof.same(left_in(peer, ours_first), alone.upwards[number])
        proof.done(project.tool_up(ours_first))

        for database in (theirs_first, ours_first):
            proof.same(left_in(peer, database), alone.upwards[last])
            proof.content(project, database)
            proof.same(left_in(peer, database), alone.upwards[last])


@peers()
@pytest.mark.proves("each finishes downwards what the other began, at every version")
def test_each_finishes_downwards_what_the_other_began(
    peer: Peer, project: Project, alone: Alone, make_database: MakeDatabase, proof: Proof
) -> None:
    for number in project.numbers[:-1]:
        above = [each for each in reversed(project.numbers) if each > number]
        upto = [each for each in reversed(project.numbers) if each <= number]
        theirs_first, ours_first = make_database(), make_database()

        proof.done(project.library_up(theirs_first))
        for each in above:
            proof.done(project.tool_down(theirs_first, each))
        proof.same(left_in(peer, theirs_first), alone.downwards[number])
        proof.done(project.library_down(theirs_first, 0))

        proof.done(project.tool_up(ours_first))
        proof.done(project.library_down(ours_first, number))
        proof.same(left_in(peer, ours_first), alone.downwards[number])
        for each in upto:
            proof.done(project.tool_down(ours_first, each))

        for database in (theirs_first, ours_first):
            proof.same(left_in(peer, database), alone.downwards[0])


@peers()
@pytest.mark.proves("every single step of howdah leaves what the tool's leaves")
def test_every_single_step_leaves_what_the_tool_leaves(
    peer: Peer, project: Project, alone: Alone, make_database: MakeDatabase, proof: Proof
) -> None:
    database = make_database()
    for number in project.numbers:
        proof.done(project.library_up(database, number))
        proof.same(left_in(peer, database), alone.upwards[number])
    proof.content(project, database)
    for number in reversed(project.numbers):
        proof.done(project.library_down(database))
        proof.same(left_in(peer, database), alone.downwards[project.below(number)])


@peers()
@pytest.mark.proves("they take turns, step by step, up and down and up again")
def test_they_take_turns(
    peer: Peer, project: Project, alone: Alone, make_database: MakeDatabase, proof: Proof
) -> None:
    database = make_database()
    for turn, number in enumerate(project.numbers):
        proof.done((project.howdah_up, project.tool_up)[turn % 2](database, number))
        proof.same(left_in(peer, database), alone.upwards[number])
    for turn, number in enumerate(reversed(project.numbers)):
        proof.done(project.howdah_down(database) if turn % 2 else project.tool_down(database, number))
        proof.same(left_in(peer, database), alone.downwards[project.below(number)])
    for turn, number in enumerate(project.numbers):
        proof.done((project.tool_up, project.howdah_up)[turn % 2](database, number))
    proof.content(project, database)
    last = project.numbers[-1]
    proof.holds(left_in(peer, database).rows == alone.upwards[last].rows)
