"""howdah beside every tool whose history it keeps, each on its own files, taking turns in one run.

    python benchmarks/every_peer.py [--sizes 10 100 1000] [--rounds 3] [--only goose ...]

Prints, for each number of migrations: the time from empty, with nothing to do, the peak memory, and the round
trips: how often the client waited for the server, counted by a relay between them. Needs
`python tools/peers.py install`.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from migrate_speed import HOWDAH, peers_path, report, run, servers
from migrations import write_alembic, write_dbmate, write_golang_migrate, write_goose, write_sqlx
from relay import counting_relay
from servers import Server, clean_environment, running_server

# No peer may be faster than 0.9 x ours at 1,000 migrations.
BUDGET, BUDGET_AT = 1 / 0.9, 1000


@dataclass(frozen=True)
class Peer:
    """A tool: how its files are written, and its command for a folder and a database."""

    name: str
    write: Callable[[Path, int], Path]
    command: Callable[[Path, str], Sequence[str | Path]]


def all_peers() -> list[Peer]:
    def alembic(folder: Path, url: str) -> Sequence[str | Path]:
        address = url.replace("postgresql:", "postgresql+psycopg:")
        config = folder / "alembic.ini"
        config.write_text(f"[alembic]\nscript_location = %(here)s\nsqlalchemy.url = {address}\n")
        return [peers_path("alembic"), "-c", config, "upgrade", "head"]

    goose, sqlx, migrate, dbmate = map(peers_path, ("goose", "sqlx", "migrate", "dbmate"))
    return [
        Peer(
            "golang-migrate",
            write_golang_migrate,
            lambda d, url: [migrate, "-path", d, "-database", url, "up"],
        ),
        Peer("goose", write_goose, lambda d, url: [goose, "-dir", d, "postgres", url, "up"]),
        Peer("sqlx", write_sqlx, lambda d, url: [sqlx, "migrate", "run", "--source", d, "-D", url]),
        Peer(
            "dbmate", write_dbmate, lambda d, url: [dbmate, "--no-dump-schema", "-d", d, "-u", url, "migrate"]
        ),
        Peer("alembic", write_alembic, alembic),
    ]


@dataclass
class Figures:
    """What the rounds gave for one program."""

    full: list[float]
    idle: list[float]
    memory_mb: float = 0
    round_trips: int = 0


def measure(server: Server, peer: Peer, folder: Path, rounds: int) -> dict[str, Figures]:
    """howdah and the peer on the same files."""
    commands: dict[str, Callable[[str], Sequence[str | Path]]] = {
        "howdah": lambda url: [HOWDAH, "migrate", "up", "--format", peer.name, "--url", url, "--dir", folder],
        peer.name: lambda url: peer.command(folder, url),
    }
    found = {name: Figures([], []) for name in commands}
    for number in range(rounds):
        for name in [*commands][:: 1 if number % 2 else -1]:
            with server.fresh_database(f"bench_{number}") as url:
                server.settle()
                found[name].full.append(run(commands[name](url)).seconds)
                found[name].idle.append(run(commands[name](url)).seconds)
    for name, command in commands.items():
        with server.fresh_database("bench_trips") as url, counting_relay(server.port) as relay:
            found[name].memory_mb = peak_memory_mb(
                command(url.replace(f":{server.port}/", f":{relay.port}/"))
            )
            found[name].round_trips = relay.round_trips
    return found


def peak_memory_mb(command: Sequence[str | Path]) -> float:
    """The most that a process had resident; what wait4() says begins at what its parent had, and hides a small one."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environment()
    )
    status, peak = Path(f"/proc/{process.pid}/status"), 0
    while process.poll() is None:
        with contextlib.suppress(OSError):
            found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
            peak = int(found[1]) if found else peak
        time.sleep(0.005)
    if process.returncode:
        sys.exit(f"{command} exited with {process.returncode}")
    return peak / 1024


def show(peer: Peer, found: dict[str, Figures], count: int) -> None:
    ours, theirs = found["howdah"], found[peer.name]
    for name, figures in found.items():
        low, high = min(figures.full), max(figures.full)
        label = f"{name} on {peer.name}'s files" if name == "howdah" else name
        report(f"{label}, from empty ({low:.2f} to {high:.2f})", statistics.median(figures.full), "s")
        report("    nothing to do", statistics.median(figures.idle) * 1000, "ms")
        report("    peak memory", figures.memory_mb, "MB")
        report("    round trips", figures.round_trips, "")
    ratio = statistics.median(ours.full) / statistics.median(theirs.full)
    report(f"howdah : {peer.name}", ratio, "", BUDGET if count == BUDGET_AT else None)


def main() -> None:
    parser = argparse.ArgumentParser(
        description="howdah and every peer, on the peer's own files, in one run."
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", metavar="PEER")
    given = parser.parse_args()
    peers = [peer for peer in all_peers() if given.only is None or peer.name in given.only]
    if not peers:
        sys.exit("no such peer")
    programs = servers()[0]
    with tempfile.TemporaryDirectory() as scratch, running_server(programs) as server:
        for count in given.sizes:
            print(f"{count} migrations, PostgreSQL {programs.version}")
            for peer in peers:
                folder = peer.write(Path(scratch) / f"{peer.name}-{count}", count)
                show(peer, measure(server, peer, folder, given.rounds), count)


if __name__ == "__main__":
    main()
