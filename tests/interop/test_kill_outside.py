"""kill -9 while an index is built concurrently, outside any transaction: what the other says, and how it goes on."""

from __future__ import annotations

import subprocess
import time

import pytest

from fix_db import connect
from fix_peers import MakeDatabase, MakeProject, Project, Proof, left_in, peers
from fix_peers_changes import Change
from fix_peers_tools import PEERS, Call, Peer
from howdah.config.database import DatabaseConfig

pytestmark = pytest.mark.interop
_CHANGES = (
    Change(1, "log", up=("CREATE TABLE log (what int)",), down=("DROP TABLE log",)),
    Change(
        2,
        "index",
        up=("CREATE INDEX CONCURRENTLY log_what ON log (what)",),
        down=("DROP INDEX CONCURRENTLY log_what",),
        transactional=False,
    ),
    Change(3, "last", up=("INSERT INTO log VALUES (3)",), down=("DELETE FROM log WHERE what = 3",)),
)


def kill_while_building(project: Project, database: DatabaseConfig, call: Call) -> None:
    """Kill a run that waits in its build; the server goes on with it, and ends it."""
    with connect(database) as writer:
        writer.execute("BEGIN")
        writer.execute("LOCK TABLE log IN ROW EXCLUSIVE MODE")
        process = project.start(call)
        _wait(database, process, 1)
        process.kill()
        process.communicate()
        writer.execute("COMMIT")
    _wait(database, None, 0)


def _wait(database: DatabaseConfig, process: subprocess.Popen[str] | None, builders: int) -> None:
    deadline = time.monotonic() + 30
    with connect(database) as connection:
        while connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%CREATE INDEX CONCURRENTLY%%'"
            " AND state = 'active' AND pid <> pg_backend_pid() AND datname = current_database()"
        ).fetchone() != (builders,):
            assert process is None or process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)


@peers()
@pytest.mark.proves("the tool killed in a concurrent build: howdah says so, is told, and finishes")
def test_howdah_finishes_after_a_tool_killed_in_a_concurrent_build(
    peer: Peer, make_project: MakeProject, make_database: MakeDatabase, proof: Proof
) -> None:
    project = make_project(_CHANGES)
    alone, database = make_database(), make_database()
    proof.done(project.tool_up(alone))
    proof.done(project.tool_up(database, 1))
    kill_while_building(project, database, peer.up(database, project.directory, None))

    ran = project.howdah_up(database)
    told = "is dirty at version 2" if peer.format == "golang-migrate" else '"log_what" already exists'
    proof.holds(ran.code == 4 and told in ran.stderr, ran)
    proof.done(project.howdah(database, "resolve", _second(project), "--applied"))
    proof.done(project.howdah_up(database))

    proof.same(left_in(peer, database), left_in(peer, alone))
    proof.content(project, database)


@peers(*(each.name for each in PEERS if not each.runs_all_itself))
@pytest.mark.proves("howdah killed in a concurrent build: it goes on by itself, then the tool finishes")
def test_the_tool_finishes_after_howdah_was_killed_in_a_concurrent_build(
    peer: Peer, make_project: MakeProject, make_database: MakeDatabase, proof: Proof
) -> None:
    project = make_project(_CHANGES)
    alone, database = make_database(), make_database()
    proof.done(project.tool_up(alone))
    proof.done(project.howdah_up(database, 1))
    kill_while_building(project, database, project.howdah_call(database, "up"))

    ran = project.howdah_up(database, 2)
    proof.done(ran)
    proof.holds("had stopped half-way" in ran.stderr, ran)
    proof.done(project.tool_up(database))

    proof.same(left_in(peer, database), left_in(peer, alone))
    proof.content(project, database)


def _second(project: Project) -> str:
    return project.peer.version(2)
