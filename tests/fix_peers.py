"""Take turns with the real programs: a project that both they and howdah understand, and what each leaves."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fingerprint import differences, fingerprint
from fix_cli import Ran, clean_environ, command
from fix_db import connect
from fix_peers_changes import Change
from fix_peers_tools import PEERS, Call, Peer, plain_url
from fix_server import RunningServer
from howdah.config.database import DatabaseConfig
from howdah.config.project import ForeignSettings
from howdah.findings import Severity
from howdah.migrate.migrator import Migrator

MakeDatabase = Callable[[], DatabaseConfig]
MakeProject = Callable[[tuple[Change, ...]], "Project"]


def peers(*names: str) -> pytest.MarkDecorator:
    """Parametrize a test over the tools of these names, or all."""
    chosen = [each for each in PEERS if not names or each.name in names]
    return pytest.mark.parametrize(
        "peer", chosen, ids=lambda peer: peer.name.replace(" ", "-"), indirect=True
    )


@dataclass(frozen=True)
class Left:
    """What runs left: the rows of the history without times and ids, and everything else in the database."""

    rows: tuple[tuple[object, ...], ...]
    content: frozenset[str]


def left_in(peer: Peer, database: DatabaseConfig) -> Left:
    """What is in a database now."""
    with connect(database) as connection:
        exists = connection.execute("SELECT to_regclass(%s)", (peer.table,)).fetchone() != (None,)
        query = f"SELECT {peer.columns} FROM {peer.table} ORDER BY {peer.order}"
        rows = connection.execute(query.encode()).fetchall() if exists else []
    # Where an old version of the tool made its table otherwise, who made it is seen, and that is no difference here.
    own = f"public.{peer.table}" if peer.is_old else f" of public.{peer.table}: "
    return Left(tuple(rows), frozenset(line for line in fingerprint(database) if own not in line))


@dataclass(frozen=True)
class Project:
    """A folder with migrations of a tool, which the tool and howdah run on databases."""

    peer: Peer
    root: Path
    changes: tuple[Change, ...]

    @property
    def directory(self) -> Path:
        return self.root / "migrations"

    @property
    def numbers(self) -> list[int]:
        return [change.number for change in self.changes]

    def below(self, number: int) -> int:
        """The number of the change before one, 0 where there is none."""
        return max((each for each in self.numbers if each < number), default=0)

    def write(self) -> Project:
        """Write the files; those of before that are no longer in `changes` stay."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.peer.write(self.directory, self.changes)
        settings = ["[database.app]", 'migrations = "migrations"', f'format = "{self.peer.format}"']
        foreign = self.peer.foreign(self.directory)
        settings += ["[database.app.foreign]"] if foreign else []
        settings += [f"{key} = {json.dumps(value)}" for key, value in foreign.items()]
        (self.root / "howdah.toml").write_text("\n".join(settings) + "\n")
        return self

    def cut(self, number: int) -> Project:
        """The same as it was when a change was the newest: for tools that always apply all they see."""
        kept = tuple(each for each in self.changes if each.number <= number)
        return Project(self.peer, self.root / f"until-{number}", kept).write()

    def run(self, call: Call) -> Ran:
        """Run a program to its end."""
        process = self.start(call)
        stdout, stderr = process.communicate(timeout=120)
        return Ran(call.arguments, process.returncode, stdout, stderr)

    def start(self, call: Call) -> subprocess.Popen[str]:
        """Start a program and return at once."""
        home = {"HOME": str(self.root), "HOWDAH_STATE_DIR": str(self.root / "state"), "NO_COLOR": "1"}
        return subprocess.Popen(
            call.arguments,
            cwd=self.root,
            env={**clean_environ(), **home, **call.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def tool_up(self, database: DatabaseConfig, to: int | None = None) -> Ran:
        """The tool applies what is pending, up to a change."""
        project = self.cut(to) if to is not None and not self.peer.has_target else self
        return project.run(self.peer.up(database, project.directory, to))

    def tool_down(self, database: DatabaseConfig, number: int) -> Ran:
        """The tool reverts a change, which is the newest applied one."""
        return self.run(self.peer.down(database, self.directory, self.below(number)))

    def tool_status(self, database: DatabaseConfig) -> Ran:
        """The tool's own judgement."""
        return self.run(self.peer.status(database, self.directory))

    def library(self, database: DatabaseConfig) -> Migrator:
        """howdah in this process: a tenth of the time of a program."""
        commands = {way: tuple(words) for way, words in self.peer.foreign(self.directory).items()}
        return Migrator(
            database=database,
            directory=self.directory,
            format=self.peer.format,
            foreign=ForeignSettings(**commands),  # type: ignore[arg-type]
        )

    def library_up(self, database: DatabaseConfig, to: int | None = None) -> Ran:
        """howdah applies what is pending, up to a change."""
        results = self.library(database).up(to=None if to is None else self.peer.version(to))
        return Ran((), 0 if results else 1, str(results), "")

    def library_down(self, database: DatabaseConfig, to: int | None = None) -> Ran:
        """howdah reverts the newest applied change, or all above one; 0: all."""
        target = None if to is None else self.peer.version(to) if to else "0"
        results = self.library(database).down(to=target)
        return Ran((), 0 if results else 1, str(results), "")

    def howdah(self, database: DatabaseConfig, *words: str) -> Ran:
        """Run `howdah migrate WORDS`."""
        return self.run(self.howdah_call(database, *words))

    def howdah_up(self, database: DatabaseConfig, to: int | None = None) -> Ran:
        """howdah applies what is pending, up to a change."""
        return self.howdah(database, "up", *(("--to", self.peer.version(to)) if to is not None else ()))

    def howdah_down(self, database: DatabaseConfig, to: int | None = None) -> Ran:
        """howdah reverts the newest applied change, or all above one; 0: all."""
        if to is None:
            return self.howdah(database, "down")
        version = self.peer.version(to) if to else "0"
        return self.howdah(database, "down", "--to", version, "--confirm", database.database)

    def howdah_call(self, database: DatabaseConfig, *words: str) -> Call:
        """The command line of `howdah migrate WORDS`."""
        where = ("--url", plain_url(database), "--dir", str(self.directory), "--format", self.peer.format)
        return Call(tuple(command("migrate", *words, *where)))


class Proof:
    """Counts what a test compared, for the published table (`--interop-report`)."""

    def __init__(self) -> None:
        self.checks = 0

    def done(self, ran: Ran) -> Ran:
        """The command ended with exit code 0."""
        assert ran.code == 0, ran
        self.checks += 1
        return ran

    def content(self, project: Project, database: DatabaseConfig) -> None:
        """The tool finds everything applied and nothing wrong; so does howdah."""
        ran = project.tool_status(database)
        assert project.peer.is_content(ran), ran
        ours = project.library(database).status()
        assert not ours.pending, ours
        bad = [each for each in ours.findings if each.severity in (Severity.WARNING, Severity.ERROR)]
        assert not bad, bad
        self.checks += 2

    def same(self, found: Left, expected: Left) -> None:
        """Rows and structure are those that the tool alone leaves."""
        assert found.rows == expected.rows
        assert differences(expected.content, found.content) == []
        self.checks += 2

    def holds(self, claim: object, why: object = "") -> None:
        """Anything else."""
        assert claim, why
        self.checks += 1


@pytest.fixture
def proof(request: pytest.FixtureRequest, peer: Peer, server: RunningServer) -> Iterator[Proof]:
    """Counts the checks of a test about a peer; the test's marker `proves("...")` says of what."""
    counting = Proof()
    yield counting
    marker = request.node.get_closest_marker("proves")
    assert marker, "a test with `proof` says what it proves: @pytest.mark.proves(...)"
    told = {
        "peer": peer.name,
        "tool": peer.tool,
        "format": peer.format,
        "server": server.major,
        "proves": marker.args[0],
        "checks": counting.checks,
    }
    request.node.user_properties.append(("interop", told))


@pytest.fixture
def peer(request: pytest.FixtureRequest) -> Peer:
    """The tool of this run of the test; skipped where its program is not here."""
    found: Peer = request.param
    if not found.program.exists():
        reason = f"no {found.name} here; `make tools` installs it"
        if os.environ.get("CI") == "true" or os.environ.get("HOWDAH_REQUIRE_TOOLS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture
def make_project(peer: Peer, tmp_path: Path) -> MakeProject:
    """Write the migrations of a project in the tool's form."""

    def make(changes: tuple[Change, ...]) -> Project:
        return Project(peer, tmp_path / "project", changes).write()

    return make
