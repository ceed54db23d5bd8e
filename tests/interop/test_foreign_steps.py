"""Steps in Go among goose's SQL: howdah stops at them, hands them to the application, and sees them in the history."""

from __future__ import annotations

import pytest

from fix_db import connect
from fix_peers import MakeDatabase, MakeProject, Project, Proof, left_in, peers
from fix_peers_changes import Change, noted
from fix_peers_tools import Peer
from howdah.config.database import DatabaseConfig

pytestmark = pytest.mark.interop
_CHANGES = (
    Change(
        1,
        "log",
        up=noted(1, "CREATE TABLE log (what text NOT NULL)"),
        down=("DROP TABLE log",),
    ),
    Change(2, "a", up=noted(2, "CREATE TABLE a (id int)"), down=noted(-2, "DROP TABLE a")),
    Change(4, "b", up=noted(4, "CREATE TABLE b (id int)"), down=noted(-4, "DROP TABLE b")),
    Change(6, "c", up=noted(6, "CREATE TABLE c (id int)"), down=noted(-6, "DROP TABLE c")),
)
_IN_GO = (3, 5)
_ORDER = (1, 2, 3, 4, 5, 6)


@pytest.fixture
def project(make_project: MakeProject) -> Project:
    project = make_project(_CHANGES)
    for number in _IN_GO:
        (project.directory / f"{number:05}_by_the_application.go").write_text(
            "package migrations\n\n"
            'import (\n\t"context"\n\t"database/sql"\n\n\t"github.com/pressly/goose/v3"\n)\n\n'
            "func init() {\n\tgoose.AddMigrationContext(up, down)\n}\n\n"
            "func up(ctx context.Context, tx *sql.Tx) error { return nil }\n"
            "func down(ctx context.Context, tx *sql.Tx) error { return nil }\n"
        )
    return project


def configure(project: Project, peer: Peer) -> None:
    """Name the application's own commands in howdah.toml."""
    words = [str(peer.program), str(project.directory)]
    file = project.root / "howdah.toml"
    up, down = [*words, "up-to", "{version}"], [*words, "down"]
    lines = ["[database.app.foreign]", f"up = {up!r}", f"down = {down!r}"]
    file.write_text(file.read_text() + "\n".join(lines) + "\n")


def log_of(database: DatabaseConfig) -> list[str]:
    with connect(database) as connection:
        return [what for (what,) in connection.execute("SELECT what FROM log")]


@peers("goose Provider")
@pytest.mark.proves("a step in Go without a command: told and stopped at, what came before is done")
def test_a_step_in_go_without_a_command_is_stopped_at(
    peer: Peer, project: Project, make_database: MakeDatabase, proof: Proof
) -> None:
    database = make_database()
    ran = project.howdah_up(database)
    proof.holds(ran.code != 0 and "00003_by_the_application.go" in ran.stderr, ran)
    before = make_database()
    proof.done(project.tool_up(before, 2))
    proof.same(left_in(peer, database), left_in(peer, before))

    proof.done(project.tool_up(database, 3))
    ran = project.howdah_up(database)
    proof.holds(ran.code != 0 and "00005_by_the_application.go" in ran.stderr, ran)
    proof.holds(log_of(database) == ["1", "2", "go 3", "4"])
    proof.done(project.tool_up(database))
    proof.content(project, database)


@peers("goose Provider")
@pytest.mark.proves("a step in Go handed to the application, up and down")
def test_a_step_in_go_is_handed_to_the_application(
    peer: Peer, project: Project, make_database: MakeDatabase, proof: Proof
) -> None:
    configure(project, peer)
    theirs, ours = make_database(), make_database()
    proof.done(project.tool_up(theirs))
    proof.done(project.howdah_up(ours))
    proof.holds(log_of(ours) == ["1", "2", "go 3", "4", "go 5", "6"])
    proof.same(left_in(peer, ours), left_in(peer, theirs))
    proof.content(project, ours)
    for _ in _ORDER:
        proof.done(project.run(peer.down(theirs, project.directory, 0)))
        proof.done(project.howdah_down(ours))
        proof.same(left_in(peer, ours), left_in(peer, theirs))


@peers("goose Provider")
@pytest.mark.proves("a step in Go: hand-over at every version")
def test_steps_in_go_and_in_sql_are_handed_over_at_every_version(
    peer: Peer, project: Project, make_database: MakeDatabase, proof: Proof
) -> None:
    configure(project, peer)
    alone = make_database()
    proof.done(project.tool_up(alone))
    for number in _ORDER[:-1]:
        theirs_first, ours_first = make_database(), make_database()
        proof.done(project.tool_up(theirs_first, number))
        proof.done(project.howdah_up(theirs_first))
        proof.done(project.howdah_up(ours_first, number))
        proof.done(project.tool_up(ours_first))
        for database in (theirs_first, ours_first):
            proof.same(left_in(peer, database), left_in(peer, alone))
            proof.content(project, database)
