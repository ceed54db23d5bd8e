"""Many databases: `howdah migrate up --all`, one and four at a time, against a process for each; `howdah status`.

    python benchmarks/many_databases.py [--databases 9 90] [--migrations 10] [--rounds 3] [--slow-sync]

Each measured command is a whole process, its start included, on a server with PostgreSQL's default, durable settings.
The ways take turns; what is printed are medians.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from migrate_speed import HOWDAH, SLOW_SYNC_MS, report, run, servers
from migrations import write_golang_migrate
from servers import Server, running_server


@contextmanager
def project(server: Server, scratch: Path, databases: int, migrations: Path) -> Iterator[Path]:
    """A folder with a howdah.toml of so many empty databases."""
    with ExitStack() as stack, tempfile.TemporaryDirectory(dir=scratch) as name:
        text = ""
        for number in range(databases):
            url = stack.enter_context(server.fresh_database(f"shop_{number}"))
            text += f'[database.shop_{number}]\nurl = "{url}"\nmigrations = "{migrations}"\n'
        (Path(name) / "howdah.toml").write_text(text)
        server.settle()
        yield Path(name)


def up_all(parallel: int) -> Callable[[Path, int], float]:
    command: list[str | Path] = [HOWDAH, "migrate", "up", "--all", "--parallel", str(parallel), "--quiet"]
    return lambda folder, _: run(command, cwd=folder).seconds


def up_each(folder: Path, databases: int) -> float:
    """What a shell loop does."""
    return sum(
        run([HOWDAH, "migrate", "up", "--db", f"shop_{number}", "--quiet"], cwd=folder).seconds
        for number in range(databases)
    )


WAYS: dict[str, Callable[[Path, int], float]] = {
    "--parallel 1": up_all(1),
    "--parallel 4": up_all(4),
    "a process for each": up_each,
}


def measure(server: Server, scratch: Path, databases: int, migrations: Path, rounds: int) -> None:
    full: dict[str, list[float]] = {way: [] for way in WAYS}
    idle: dict[str, list[float]] = {way: [] for way in WAYS}
    status: list[float] = []
    for number in range(rounds):
        turn = number % len(WAYS)
        for way in [*list(WAYS)[turn:], *list(WAYS)[:turn]]:
            with project(server, scratch, databases, migrations) as folder:
                full[way].append(WAYS[way](folder, databases))
                idle[way].append(WAYS[way](folder, databases))
                status.append(run([HOWDAH, "status"], cwd=folder).seconds)
    for what, taken in (("from empty", full), ("nothing to do", idle)):
        for way, seconds in taken.items():
            report(
                f"{what}, {way} ({min(seconds):.2f} to {max(seconds):.2f})", statistics.median(seconds), "s"
            )
        one = statistics.median(taken["--parallel 1"])
        report(f"{what}, --parallel 4 : --parallel 1", statistics.median(taken["--parallel 4"]) / one, "")
        report(
            f"{what}, --parallel 1 : a process for each",
            one / statistics.median(taken["a process for each"]),
            "",
        )
    report("howdah status", statistics.median(status), "s")


def main() -> None:
    parser = argparse.ArgumentParser(description="Many databases, one and several at a time.")
    parser.add_argument("--databases", type=int, nargs="+", default=[9, 90])
    parser.add_argument("--migrations", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--slow-sync",
        action="store_true",
        help=f"every sync of the server takes {SLOW_SYNC_MS} ms longer (gcc)",
    )
    given = parser.parse_args()
    programs = servers()[0]
    slow_sync_ms = SLOW_SYNC_MS if given.slow_sync else 0
    with tempfile.TemporaryDirectory() as name, running_server(programs, slow_sync_ms=slow_sync_ms) as server:
        scratch = Path(name)
        migrations = write_golang_migrate(scratch / "migrations", given.migrations)
        for databases in given.databases:
            disk = f", every sync {slow_sync_ms} ms slower" if slow_sync_ms else ""
            print(
                f"{databases} databases, {given.migrations} migrations each, PostgreSQL {programs.version}{disk}"
            )
            measure(server, scratch, databases, migrations, given.rounds)


if __name__ == "__main__":
    main()
