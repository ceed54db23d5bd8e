"""Kill the client, the server process, the whole server or both between any two messages; run again; nothing is lost.

Each point is a seed: which message, who dies, up or down.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from fingerprint import differences, fingerprint
from fix_cli import clean_environ, command
from fix_cutting_proxy import CuttingProxy
from fix_db import connect
from fix_golang_migrate import CHAIN, as_url
from fix_migrations import history, migrator
from fix_server import choose_test_programs, reachable_directory
from howdah.config.database import DatabaseConfig
from howdah.migrate.diagnosis import Diagnosis
from howdah.migrate.formats.golang_migrate import GOLANG_MIGRATE
from howdah.migrate.migration import Direction, Step
from howdah.migrate.script import Execution, load_script
from howdah.server.local import LocalServer

_MANY = {
    "000030_many.up.sql": """
CREATE INDEX CONCURRENTLY many_a ON users (kind);
CREATE INDEX CONCURRENTLY many_b ON users (id, name);
CREATE INDEX CONCURRENTLY many_c ON log (what);
""",
    "000030_many.down.sql": """
DROP INDEX CONCURRENTLY many_c;
DROP INDEX CONCURRENTLY many_b;
DROP INDEX CONCURRENTLY many_a;
""",
}
# What a body says about durability does not make us tell of what can be lost.
_LAST = {
    "000031_last.up.sql": "SET synchronous_commit = off;\nINSERT INTO log (what) VALUES ('31');\n",
    "000031_last.down.sql": "SET LOCAL synchronous_commit = off;\n",
}
FILES = {**CHAIN, **_MANY, **_LAST}
_INDEXES: Mapping[str, tuple[str, ...]] = {"8": ("users_name_idx",), "30": ("many_a", "many_b", "many_c")}
_VICTIMS = ("client", "backend", "server", "both", "network")
QUICK_POINTS = 20
SLOW_POINTS = 220
POINTS_A_TEST = 10


@dataclass
class CrashServer:
    """A server of our own, with the durability of a production server, that tests may kill."""

    local: LocalServer
    directory: Path
    undisturbed: dict[Direction, frozenset[str]]
    messages: dict[Direction, int]
    made: int = 0

    @property
    def address(self) -> DatabaseConfig:
        return replace(self.local.address, options={"sslmode": "disable", "gssencmode": "disable"})

    def make_database(self, template: str = "template0") -> DatabaseConfig:
        self.made += 1
        name = f"crash_{self.made}"
        with connect(self.address) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        return self.address.with_database(name)

    def drop_database(self, database: DatabaseConfig) -> None:
        with connect(self.address) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database.database))
            )

    def kill(self) -> None:
        """End every process of the server at once, as a power cut would."""
        running = self.local.running
        assert running is not None
        family = [running.pid, *_children(running.pid)]
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _wait_for(lambda: not any(_is_alive(pid) for pid in family))

    def wait_until_ready(self) -> None:
        """Start it where it is down, wait where it recovers."""

        def is_ready() -> bool:
            if self.local.running is None:
                self.local.start()
            try:
                with connect(self.address) as connection:
                    connection.execute("SELECT 1")
            except psycopg.OperationalError:
                return False
            return True

        _wait_for(is_ready)


def _children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _wait_for(condition: object, limit_seconds: float = 30) -> None:
    deadline = time.monotonic() + limit_seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


@contextmanager
def _running(config: pytest.Config, **settings: str) -> Iterator[CrashServer]:
    directory = reachable_directory()
    files = directory / "migrations"
    files.mkdir()
    for name, body in FILES.items():
        (files / name).write_bytes(body.encode() if isinstance(body, str) else body)
    # What is committed asynchronously stays in memory for long: a lost commit is a lost commit, every time.
    settings = {"wal_writer_delay": "10s", "max_connections": "30", "log_min_messages": "fatal", **settings}
    local = LocalServer(directory / "server", choose_test_programs(config), settings=settings)
    try:
        local.start()
        server = CrashServer(local, files, {}, {})
        _measure(server)
        yield server
    finally:
        local.destroy()
        shutil.rmtree(directory)


@pytest.fixture(scope="module")
def crash_server(pytestconfig: pytest.Config) -> Iterator[CrashServer]:
    """Without fsync: a killed process loses its memory, never what it has written to the kernel."""
    with _running(pytestconfig, fsync="off") as server:
        yield server


@pytest.fixture(scope="module")
def synced_server(pytestconfig: pytest.Config) -> Iterator[CrashServer]:
    """With every setting about durability as PostgreSQL has it."""
    with _running(pytestconfig) as server:
        yield server


def _measure(server: CrashServer) -> None:
    """Run up and down undisturbed: what is there afterwards, and how many messages it takes."""
    database = server.make_database()
    for direction in Direction:
        proxy = CuttingProxy(database)
        try:
            process = _start(server, database, direction, proxy)
            _, stderr = process.communicate(timeout=60)
            assert process.returncode == 0, stderr
        finally:
            proxy.close()
        server.undisturbed[direction] = fingerprint(database)
        server.messages[direction] = len(proxy.names)
        if direction is Direction.UP:
            with connect(server.address) as connection:
                connection.execute(
                    sql.SQL("CREATE DATABASE full_one TEMPLATE {}").format(sql.Identifier(database.database))
                )
    assert server.undisturbed[Direction.UP] != server.undisturbed[Direction.DOWN]


def _start(
    server: CrashServer, database: DatabaseConfig, direction: Direction, proxy: CuttingProxy
) -> subprocess.Popen[str]:
    address = replace(database, port=proxy.port)
    action = ("up",) if direction is Direction.UP else ("down", "--to", "0", "--confirm", database.database)
    return subprocess.Popen(
        command(
            "migrate",
            *action,
            "--url",
            as_url(address),
            "--dir",
            str(server.directory),
            "--lock-timeout",
            "60",
        ),
        env=clean_environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _crash_once(
    server: CrashServer, database: DatabaseConfig, direction: Direction, *, cut_after: int, victim: str
) -> list[int]:
    """Run, cut at a message, kill; the versions it had told of as applied or reverted."""
    started: list[subprocess.Popen[str]] = []

    def on_cut(proxy: CuttingProxy) -> None:
        if victim in ("client", "both"):
            started[0].kill()
        if victim == "backend" and proxy.backend_pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(proxy.backend_pid, signal.SIGKILL)
        if victim in ("server", "both"):
            server.kill()
            # A supervisor starts it again, while the client asks what became of its run.
            threading.Thread(target=server.wait_until_ready).start()

    proxy = CuttingProxy(database, cut_after, on_cut)
    try:
        started.append(_start(server, database, direction, proxy))
        stdout, stderr = started[0].communicate(timeout=60)
        # A client that is killed ends before the server does.
        assert not proxy.is_cut or proxy.cut_is_done.wait(30)
    finally:
        proxy.close()
    code = started[0].returncode
    assert code in (0, -signal.SIGKILL) or proxy.is_cut, stderr
    assert "Traceback" not in stderr, stderr
    assert code in ((0, -signal.SIGKILL) if victim in ("client", "both") else (0, 3, 4)), (code, stderr)
    assert code == 0 or stdout == "", "nothing is claimed at the end of a run that failed"
    if claimed := re.search(r"is at version (\w+)", stderr):
        assert claimed[1] == _version(database), "what a failed run says of the history is so"
    return [int(version) for version in re.findall(r"^(?:applied|reverted) +0*(\d+)_", stderr, re.MULTILINE)]


def _version(database: DatabaseConfig) -> str:
    try:
        rows = history(database)
    except psycopg.errors.UndefinedTable:
        rows = []
    return str(rows[0][0]) if rows else "none"


def _run_until_done(server: CrashServer, database: DatabaseConfig, direction: Direction) -> None:
    """Run again, and resolve what only a person can, as `resolve` says."""
    run = migrator(database, server.directory, lock_limit_seconds=60)
    if history_is_dirty(database):
        _resolve(server, database)
    if direction is Direction.UP:
        run.up()
    else:
        run.down(to=0)


def history_is_dirty(database: DatabaseConfig) -> bool:
    try:
        return any(dirty for _, dirty in history(database))
    except psycopg.errors.UndefinedTable:
        return False


def _resolve(server: CrashServer, database: DatabaseConfig) -> None:
    """Do what `howdah migrate resolve` says, after checking every word of it against the catalogue."""
    run = migrator(database, server.directory)
    _wait_for(lambda: not run.diagnose().holders)
    found = run.diagnose()
    (suspect,) = found.suspects
    # Only what PostgreSQL forbids in a transaction ever needs a person.
    script = load_script(GOLANG_MIGRATE, Step(suspect.migration, suspect.direction, None, None))
    assert script.execution is Execution.OUTSIDE
    version, names = suspect.migration.version, _INDEXES[suspect.migration.version]
    there, invalid = _indexes(database)
    assert {index.name for index in found.invalid_indexes} == {f"public.{name}" for name in invalid}
    is_up = suspect.direction is Direction.UP
    done = [
        name in there if is_up else name not in there | invalid for name in (names if is_up else names[::-1])
    ]
    _check_progress(found, done)
    with connect(database) as connection:
        for name in invalid:
            connection.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(sql.Identifier(name)))
        if all(done):
            run.resolve(version, applied=is_up)
            return
        # Not all of it: take back what there is, by hand, and say that none of it took effect.
        for name in names:
            if is_up:
                connection.execute(
                    sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(name))
                )
        if not is_up:
            again = load_script(GOLANG_MIGRATE, Step(suspect.migration, Direction.UP, None, None))
            for statement, name in zip(again.statements, names, strict=True):
                if name not in there:
                    connection.execute(statement.text.encode())
    run.resolve(version, applied=not is_up)


def _check_progress(found: Diagnosis, done: list[bool]) -> None:
    assert found.unfinished is not None
    counted = found.unfinished.statements_done
    assert done[:counted] == [True] * counted, "what it says took effect did"
    assert not any(done[counted + 1 :]), "at most one more than it says did"
    if counted < len(done):
        assert found.next_statement is not None


def _indexes(database: DatabaseConfig) -> tuple[set[str], set[str]]:
    """The valid and the invalid indexes of the schema public."""
    with connect(database) as connection:
        rows = connection.execute(
            "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE c.relnamespace = 'public'::regnamespace"
        ).fetchall()
    return {name for name, valid in rows if valid}, {name for name, valid in rows if not valid}


def _check_side_history(database: DatabaseConfig, direction: Direction) -> None:
    action = "apply" if direction is Direction.UP else "revert"
    with connect(database) as connection:
        twice = connection.execute(
            "SELECT version FROM howdah.history WHERE action = %s AND finished_at IS NOT NULL"
            " GROUP BY version HAVING count(*) > 1",
            [action],
        ).fetchall()
    assert twice == []


def _run_point(server: CrashServer, seed: int) -> None:
    chance = random.Random(seed)
    direction = chance.choice(list(Direction))
    victim = chance.choice(_VICTIMS)
    cut_after = chance.randrange(1, server.messages[direction] + 1)
    database = server.make_database("template0" if direction is Direction.UP else "full_one")
    try:
        told = _crash_once(server, database, direction, cut_after=cut_after, victim=victim)
        server.wait_until_ready()
        _check_told(database, direction, told)
        _run_until_done(server, database, direction)
        assert differences(server.undisturbed[direction], fingerprint(database)) == []
        _check_side_history(database, direction)
    finally:
        server.wait_until_ready()
        server.drop_database(database)


def _check_told(database: DatabaseConfig, direction: Direction, told: list[int]) -> None:
    """What was told of is still so after the crash."""
    if not told:
        return
    rows = history(database)
    at = rows[0][0] if rows else -1
    if direction is Direction.UP:
        assert at >= max(told), f"{max(told)} was told of as applied, and the history is at {at}"
    else:
        assert at < min(told), f"{min(told)} was told of as reverted, and the history is at {at}"


def _run_points(server: CrashServer, first: int) -> None:
    for seed in range(first, first + POINTS_A_TEST):
        try:
            _run_point(server, seed)
        except BaseException as error:
            error.add_note(f"at point {seed}")
            raise


@pytest.mark.parametrize("first", range(0, QUICK_POINTS, POINTS_A_TEST))
def test_a_killed_run_is_run_again(crash_server: CrashServer, first: int) -> None:
    _run_points(crash_server, first)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(QUICK_POINTS, QUICK_POINTS + SLOW_POINTS, POINTS_A_TEST))
def test_a_killed_run_is_run_again_at_many_points(synced_server: CrashServer, first: int) -> None:
    _run_points(synced_server, first)
