"""Write docs/reference/interop.md from what the tests with other tools proved, or check that it says just that.

pytest -m interop --interop-report build/interop.json
python tools/interop.py build/interop.json           rewrite the page
python tools/interop.py --check build/interop.json   exit 1 and say what differs
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pages import bring_up
from peers import TOOLS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "interop.md"
_HEAD = """\
# Interop, proved

Written by `tools/interop.py` from a run of `tests/interop/`; do not edit. Every tool here is the real program,
run in turns with howdah on the same databases, PostgreSQL {server}. At every hand-over

- the history has the rows that the tool alone writes (ids, times and durations aside),
- the database has the structure and the rows that the tool alone leaves,
- and in the end the tool's own `status`, `info`, `show` or `validate` finds everything applied and nothing
  wrong, and so does `howdah migrate status`.

The migrations: tables, a function in dollar quotes, an enum, a view, a partial index, an index built
concurrently with the tool's own directive, a partitioned table made by a `DO` block, a function with
`BEGIN ATOMIC`, comments and strings with semicolons, names and text beyond ASCII.
"""
_TAIL = """\
goose, sqlx's command line, dbmate, Alembic and TypeORM take no lock. Started together with howdah, one of them
may lose: it fails, says so, and leaves nothing half-done; the next run finishes. golang-migrate, killed in the
middle of a step, leaves its history dirty and the step to be judged: `howdah migrate resolve` does that.
Alembic's and TypeORM's migrations run in the tool itself, started by howdah.
"""


@dataclass(frozen=True)
class Tested:
    """One test about one tool."""

    peer: str
    tool: str
    format: str
    claim: str
    checks: int
    passed: bool
    server: int | None = None


def read_report(file: Path) -> list[Tested]:
    """What a run of the tests wrote. Several tests may prove one thing of one tool."""
    rows: Iterable[dict[str, Any]] = json.loads(file.read_text())
    return [
        Tested(
            row["peer"],
            row["tool"],
            row["format"],
            row["proves"],
            row["checks"],
            row["passed"],
            row.get("server"),
        )
        for row in rows
    ]


def page(tests: Sequence[Tested]) -> str:
    """The page's text."""
    servers = ", ".join(str(each) for each in sorted({test.server for test in tests if test.server}))
    parts = [_HEAD.format(server=servers), *_tools(tests), "", "## What was proved", "", *_claims(tests), ""]
    return "\n".join([*parts, _TAIL])


def _tools(tests: Sequence[Tested]) -> list[str]:
    lines = ["| tool | version | format | tests | checks | result |", "|---|---|---|---|---|---|"]
    for peer in _peers(tests):
        own = [test for test in tests if test.peer == peer]
        failed = sum(not test.passed for test in own)
        cells = (
            peer,
            TOOLS[own[0].tool].version.removeprefix("v"),
            f"`{own[0].format}`",
            len(own),
            sum(test.checks for test in own),
            f"{failed} failed" if failed else "all hold",
        )
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


def _claims(tests: Sequence[Tested]) -> list[str]:
    lines = ["| what | checks for each tool |", "|---|---|"]
    for claim in sorted({test.claim for test in tests}):
        told = []
        for peer in _peers(tests):
            own = [test for test in tests if test.peer == peer and test.claim == claim]
            if own:
                checks = sum(test.checks for test in own)
                told.append(f"{peer} {checks if all(test.passed for test in own) else '**failed**'}")
        lines.append(f"| {claim} | {' · '.join(told)} |")
    return lines


def _peers(tests: Sequence[Tested]) -> list[str]:
    """The tools in the order of tools/peers.py."""
    order = list(TOOLS)
    return sorted({test.peer for test in tests}, key=lambda peer: order.index(_tool(tests, peer)))


def _tool(tests: Sequence[Tested], peer: str) -> str:
    return next(test.tool for test in tests if test.peer == peer)


def main() -> int:
    parser = argparse.ArgumentParser(description="The page about what was proved with other tools.")
    parser.add_argument("report", type=Path, help="what `pytest --interop-report` wrote")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where the page differs")
    given = parser.parse_args()
    text = page(read_report(given.report))
    mend = f"python tools/interop.py {given.report}"
    return bring_up(PAGE, text, check=given.check, source="the proofs of this run", mend=mend)


if __name__ == "__main__":
    sys.exit(main())
