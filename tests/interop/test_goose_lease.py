"""howdah and a Provider with goose's table locker: they wait for each other, and outlive each other's kill -9.

The changes run outside a transaction, so that nothing but the lease keeps the two apart: what ran twice is there twice.
"""

from __future__ import annotations

import random
import subprocess
import time

import pytest

from fix_db import connect
from fix_migrations import scalar
from fix_peers import MakeDatabase, MakeProject, Project, left_in, peers
from fix_peers_changes import Change, noted
from fix_peers_tools import Call, Peer, plain_url
from howdah.config.database import DatabaseConfig

pytestmark = pytest.mark.interop
_FIRST = Change(1, "log", up=("CREATE TABLE log (what text)",), down=("DROP TABLE log",))
_LOGGED = "SELECT string_agg(what, ' ') FROM log"
_OURS = "SELECT locked AND locked_by LIKE 'howdah-%' FROM goose_lock"
_THEIRS = "SELECT locked AND locked_by NOT LIKE 'howdah-%' FROM goose_lock"


def changes(seconds: float, *, count: int = 3) -> tuple[Change, ...]:
    return (
        _FIRST,
        *(
            Change(
                number,
                f"entry_{number}",
                up=(f"SELECT pg_sleep({seconds})", *noted(number)),
                down=(),
                transactional=False,
            )
            for number in range(2, count + 1)
        ),
    )


def provider(peer: Peer, project: Project, database: DatabaseConfig, *words: str) -> Call:
    """The Provider with a lease of two seconds."""
    arguments = (str(peer.program), "-lease", "2s", str(project.directory), *words)
    return Call(arguments, {"DATABASE_URL": plain_url(database)})


def begun(peer: Peer, project: Project, database: DatabaseConfig) -> DatabaseConfig:
    """A database with the first change, and the lock table that the Provider makes when it first runs."""
    ran = project.run(provider(peer, project, database, "up-to", "1"))
    assert ran.code == 0, ran
    return database


def start_until(project: Project, call: Call, database: DatabaseConfig, query: str) -> subprocess.Popen[str]:
    """Start a program; return once a query says true."""
    process = project.start(call)
    deadline = time.monotonic() + 30
    while scalar(database, query) is not True:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


@peers("goose Provider")
def test_howdah_waits_for_the_provider_and_names_it(
    peer: Peer, make_project: MakeProject, make_database: MakeDatabase
) -> None:
    project = make_project(changes(1.5))
    database = begun(peer, project, make_database())
    theirs = start_until(project, provider(peer, project, database, "up"), database, _THEIRS)

    hasty = project.howdah(database, "up", "--lock-timeout", "0.2")
    assert hasty.code != 0
    assert 'holds the lease in "public"."goose_lock"' in hasty.stderr
    assert f"-{theirs.pid}-" in hasty.stderr  # its name for itself
    patient = project.howdah(database, "up", "--lock-timeout", "30")

    assert (patient.code, theirs.wait(30)) == (0, 0), (patient, theirs.communicate())
    theirs.communicate()
    assert scalar(database, _LOGGED) == "2 3"


@peers("goose Provider")
def test_the_provider_waits_for_howdah(
    peer: Peer, make_project: MakeProject, make_database: MakeDatabase
) -> None:
    project = make_project(changes(1.5))
    database = begun(peer, project, make_database())
    ours = start_until(project, project.howdah_call(database, "up"), database, _OURS)

    theirs = project.run(provider(peer, project, database, "up"))

    assert (theirs.code, ours.wait(30)) == (0, 0), (theirs, ours.communicate())
    ours.communicate()
    assert scalar(database, _LOGGED) == "2 3"


@peers("goose Provider")
@pytest.mark.parametrize("seed", range(3))
def test_started_together_each_change_happens_once(
    peer: Peer, make_project: MakeProject, make_database: MakeDatabase, seed: int
) -> None:
    project = make_project(changes(0.1, count=5))
    alone, database = make_database(), begun(peer, project, make_database())
    assert project.run(provider(peer, project, alone, "up")).code == 0
    ours = project.howdah_call(database, "up", "--lock-timeout", "60")
    theirs = provider(peer, project, database, "up")
    calls = [ours, theirs, ours, theirs]
    chance = random.Random(seed)
    chance.shuffle(calls)
    started = []
    for call in calls:
        started.append(project.start(call))
        time.sleep(chance.uniform(0, 0.3))

    for process in started:
        said = process.communicate(timeout=120)
        assert process.returncode == 0, said

    assert left_in(peer, database).rows == left_in(peer, alone).rows
    assert scalar(database, _LOGGED) == "2 3 4 5"


@peers("goose Provider")
def test_the_lease_of_a_killed_provider_expires(
    peer: Peer, make_project: MakeProject, make_database: MakeDatabase
) -> None:
    project = make_project(changes(0.5))
    database = begun(peer, project, make_database())
    theirs = start_until(project, provider(peer, project, database, "up"), database, _THEIRS)
    theirs.kill()
    theirs.communicate()

    assert project.howdah(database, "up", "--lock-timeout", "0").code != 0
    assert project.howdah(database, "up", "--lock-timeout", "30").code == 0


@peers("goose Provider")
def test_the_lease_of_a_killed_howdah_expires(
    peer: Peer, make_project: MakeProject, make_database: MakeDatabase
) -> None:
    project = make_project(changes(0.5))
    database = begun(peer, project, make_database())
    ours = start_until(project, project.howdah_call(database, "up"), database, _OURS)
    ours.kill()
    ours.communicate()

    theirs = project.start(provider(peer, project, database, "up"))
    time.sleep(2)
    assert theirs.poll() is None  # it waits for those thirty seconds
    with connect(database) as connection:
        connection.execute("UPDATE goose_lock SET lease_expires_at = now() - interval '1 second'")
    said = theirs.communicate(timeout=30)
    assert theirs.returncode == 0, said


@peers("goose Provider")
def test_a_step_in_go_is_handed_to_a_provider_that_takes_the_lease(
    peer: Peer, make_project: MakeProject, make_database: MakeDatabase
) -> None:
    project = make_project((*changes(0, count=2), Change(4, "last", up=noted(4), down=())))
    (project.directory / "00003_by_the_application.go").write_text("package migrations\n")
    database = begun(peer, project, make_database())
    words = list(provider(peer, project, database, "up-to", "{version}").arguments)
    file = project.root / "howdah.toml"
    file.write_text(f"{file.read_text()}[database.app.foreign]\nup = {words!r}\n")

    ran = project.howdah_up(database)

    assert ran.code == 0, ran
    assert scalar(database, _LOGGED) == "2 go 3 4"
