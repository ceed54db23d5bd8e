"""Histories that old versions of the tools wrote: the old tool, the new one and howdah agree about them."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace

import pytest

from fingerprint import fingerprint
from fix_db import connect
from fix_peers import MakeDatabase, MakeProject, Proof, left_in, peers
from fix_peers_changes import CHANGES, slow
from fix_peers_tools import PEERS, Peer
from howdah.config.database import DatabaseConfig

pytestmark = pytest.mark.interop


def named(name: str) -> Peer:
    return next(each for each in PEERS if each.name == name)


def only_history(peer: Peer, database: DatabaseConfig) -> list[str]:
    return sorted(
        line for line in fingerprint(database) if peer.table in line and not line.startswith("row ")
    )


@peers("goose 3.21")
@pytest.mark.proves("the table as goose made it before 3.22 stays as it is")
def test_an_old_goose_table_is_shared_by_all_and_stays_as_it_is(
    peer: Peer, make_project: MakeProject, make_database: MakeDatabase, proof: Proof
) -> None:
    old = make_project(CHANGES)
    new, provider = replace(old, peer=named("goose")), replace(old, peer=named("goose Provider"))
    alone, database = make_database(), make_database()
    proof.done(old.tool_up(alone))
    proof.done(old.tool_up(database, 1))
    made = only_history(peer, database)
    proof.holds(any("nextval" in line for line in made), made)

    proof.done(old.howdah_up(database, 2))
    proof.done(new.tool_up(database, 3))
    proof.done(old.howdah_up(database, 5))
    proof.done(provider.tool_up(database, 8))
    proof.done(old.howdah_up(database, 9))
    proof.done(old.tool_up(database, 10))
    proof.done(old.howdah_up(database))

    proof.same(left_in(peer, database), left_in(peer, alone))
    proof.holds(only_history(peer, database) == made)
    for project in (old, new, provider):
        proof.content(project, database)


# What sqlx 0.6 made and wrote: the same columns; the time of execution in the row from the beginning.
_SQLX_06 = """
CREATE TABLE _sqlx_migrations (
  version BIGINT PRIMARY KEY,
  description TEXT NOT NULL,
  installed_on TIMESTAMPTZ NOT NULL DEFAULT now(),
  success BOOLEAN NOT NULL,
  checksum BYTEA NOT NULL,
  execution_time BIGINT NOT NULL
)
"""


@peers("sqlx", "sqlx migrate!")
@pytest.mark.proves("rows of sqlx 0.6 are valid, and gone on from")
def test_rows_of_an_old_sqlx_are_gone_on_from(
    peer: Peer, make_project: MakeProject, make_database: MakeDatabase, proof: Proof
) -> None:
    project = make_project(CHANGES)
    alone, database = make_database(), make_database()
    proof.done(project.tool_up(alone))
    with connect(database) as connection:
        connection.execute(_SQLX_06)
        for change in CHANGES[:3]:
            file = project.directory / f"{peer.version(change.number)}_{change.name}.up.sql"
            connection.execute(file.read_bytes())
            connection.execute(
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)"
                " VALUES (%s, %s, TRUE, %s, 1234567)",
                (peer.version(change.number), change.name, hashlib.sha384(file.read_bytes()).digest()),
            )
    proof.done(project.howdah_up(database, 5))
    proof.done(project.tool_up(database, 8))
    proof.done(project.howdah_up(database))
    proof.same(left_in(peer, database), left_in(peer, alone))
    proof.content(project, database)


@peers("sqlx", "sqlx migrate!")
@pytest.mark.proves("howdah fills in the durations, as sqlx does")
def test_durations_are_filled_in_as_sqlx_does(
    peer: Peer, make_project: MakeProject, make_database: MakeDatabase, proof: Proof
) -> None:
    project = make_project(CHANGES)
    for up in (project.tool_up, project.howdah_up):
        database = make_database()
        proof.done(up(database))
        with connect(database) as connection:
            rows = connection.execute("SELECT execution_time > 0 FROM _sqlx_migrations").fetchall()
        proof.holds(rows == [(True,)] * len(CHANGES), rows)


@peers("golang-migrate 4.14")
@pytest.mark.proves("the lock of golang-migrate before 4.15 is honoured, and held")
def test_the_lock_of_an_old_golang_migrate_is_honoured_and_held(
    peer: Peer, make_project: MakeProject, make_database: MakeDatabase, proof: Proof
) -> None:
    project = make_project(slow(2))
    theirs, ours = make_database(), make_database()

    tool = project.start(peer.up(theirs, project.directory, None))
    _wait_for_sleep(theirs)
    refused = project.howdah(theirs, "up", "--lock-timeout", "0.3")
    proof.holds(refused.code == 4 and "lock-timeout" in refused.stderr, refused)
    _, stderr = tool.communicate(timeout=60)
    proof.holds(tool.returncode == 0, stderr)

    howdah = project.start(project.howdah_call(ours, "up"))
    _wait_for_sleep(ours)
    begin = time.monotonic()
    proof.done(project.tool_up(ours))
    proof.holds(time.monotonic() - begin > 0.5, "it waited for howdah")
    _, stderr = howdah.communicate(timeout=60)
    proof.holds(howdah.returncode == 0, stderr)
    for database in (theirs, ours):
        proof.content(project, database)


def _wait_for_sleep(database: DatabaseConfig) -> None:
    deadline = time.monotonic() + 30
    with connect(database) as connection:
        while connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(%%' AND state = 'active'"
            " AND pid <> pg_backend_pid() AND datname = current_database()"
        ).fetchone() == (0,):
            assert time.monotonic() < deadline
            time.sleep(0.02)
