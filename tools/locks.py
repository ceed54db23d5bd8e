"""Write docs/reference/locks.md from the golden matrix, or check that it says just that.

    python tools/locks.py            rewrite the page
    python tools/locks.py --check    exit 1 and say what differs

The cases are what the page says; tests/conformance/ holds them against every version of the server.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from effect_cases import CASES, MAJORS, Case, Expected, Theme, read_themes
from howdah.observe.effect import WorkKind
from howdah.pg.locks import LockMode
from pages import bring_up

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "locks.md"
_HEAD = """\
# Locks and work of each statement

What {count} statements do to a database in use, on PostgreSQL {first} to {last}: which locks they take, what they
read and write, and who waits for how long.

{contents}

None of it is from memory. Written by `tools/locks.py` from the cases in `tests/cases/effects/`; each case is run on
each version, on empty tables and on full ones, and observed as `howdah check` observes a migration; a case that a
server does not agree with fails the tests. Where a statement is not in the list, `howdah check` runs it and says.

**Verdicts**, from the best to the worst:

| verdict | what to expect |
|---|---|
| safe | nobody waits, and it takes a moment |
| long | it takes time by the size of a table; nobody waits |
| brief | others wait, for a moment that does not depend on the size; see below |
| **breaking** | programs of before fail |
| **destructive** | data is gone |
| **unsafe** | others wait for as long as the table is large |
| **fails** | the server refuses it |

**Who waits**: readers are stopped by ACCESS EXCLUSIVE alone; writers (INSERT, UPDATE, DELETE) by SHARE and all above
it; other changes of the structure by SHARE UPDATE EXCLUSIVE and above. Locks on views, sequences and indexes are
named where somebody waits for them. A lock is held to the end of its transaction. Even a brief one has to be got
first: whoever comes behind a waiting statement waits with it, so `migrate up --max-stall` gives it a limit.

## Not as one would think

{notes}

## The tables

The statements work on these, and on more where a heading gives them:

```sql
{schema}```
"""
_STRONG = ("breaking", "destructive", "unsafe", "fails")
# Kinds of objects of more than one word.
_LONG_KINDS = ("materialized view", "foreign table", "enum value", "trigger function")
_KINDS = sorted((kind.value for kind in WorkKind), key=len, reverse=True)


def page(themes: Sequence[Theme]) -> str:
    """The page's text."""
    schema = (CASES / "schema.sql").read_text().split("\n", 1)[1]
    count = sum(len(theme.cases) for theme in themes)
    notes = "\n".join(
        f"- {_code(case.sql)}: {case.note}" for theme in themes for case in theme.cases if case.note
    )
    contents = " · ".join(f"[{theme.title}](#{_anchor(theme.title)})" for theme in themes)
    parts = [
        _HEAD.format(
            count=count, first=MAJORS[0], last=MAJORS[-1], schema=schema, notes=notes, contents=contents
        )
    ]
    parts.extend("\n".join(_theme(theme)) for theme in themes)
    return "\n".join(parts)


def _theme(theme: Theme) -> Iterator[str]:
    yield f"## {theme.title}\n"
    if theme.intro:
        yield f"{theme.intro}\n"
    if theme.setup:
        yield f"<details><summary>More tables</summary>\n\n```sql\n{theme.setup.strip()}\n```\n\n</details>\n"
    yield "| statement | locks | work | who waits | verdict |"
    yield "|---|---|---|---|---|"
    for case in theme.cases:
        yield _row(case)
    differences = [line for case in theme.cases for line in _differences(case)]
    if differences:
        yield "\nWhere versions, or empty and full tables, differ:\n"
        yield from differences
    yield ""


def _row(case: Case) -> str:
    expected = case.expected(case.majors[-1])
    told = [f"{case.name} *({case.since} and later)*" if case.since > MAJORS[0] else case.name]
    if case.setup:
        told.append(f"after {_code(case.setup)}")
    told.append(_code(case.sql))
    return f"| {'<br>'.join(told)} | {' | '.join(_effect(expected))} |"


def _code(text: str) -> str:
    """Statements as code that may stand in a table."""
    lines = (line.strip() for line in text.replace("|", "\\|").split("\n"))
    return "<br>".join(f"`{line}`" for line in lines if line)


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


def _effect(expected: Expected) -> tuple[str, str, str, str]:
    """The cells about what it does."""
    verdicts = expected.verdicts or (expected.verdict,)
    return (
        told_locks(expected.locks),
        "<br>".join([*map(_work, sorted(expected.work, key=_importance)), *map(_change, expected.changes)]),
        who_waits(expected),
        ", then ".join(f"**{each}**" if each in _STRONG else each for each in verdicts),
    )


def told_locks(locks: Mapping[str, str]) -> str:
    """The relations by mode, the strongest first."""
    modes = sorted({LockMode(mode) for mode in locks.values()}, key=lambda mode: -mode.strength)
    return "<br>".join(
        f"{mode.value}: {_names(name for name, taken in locks.items() if taken == mode.value)}"
        for mode in modes
    )


def who_waits(expected: Expected) -> str:
    """Who, and for how long, in a few words; of which table, where that is not all the same."""
    if expected.verdict == "fails":
        return ""
    by_size = expected.verdict == "unsafe"
    locks = {name: LockMode(mode) for name, mode in (expected.held if by_size else expected.locks).items()}
    reads = [name for name, mode in locks.items() if mode.blocks_reads]
    writes = [name for name, mode in locks.items() if mode.blocks_writes and not mode.blocks_reads]
    if not (reads or writes) or expected.verdict in ("safe", "long"):
        return "nobody"
    told = f"reads and writes of {_names(reads)}, writes of {_names(writes)}"
    if not (reads and writes):
        told = "reads and writes" if reads else "writes"
    return f"{told}, {'**by the size**' if by_size else 'a moment'}"


def _differences(case: Case) -> Iterator[str]:
    newest = case.expected(case.majors[-1])
    for versions, _ in sorted(case.raw.get("versions", {}).items()):
        first, _, last = versions.partition("-")
        other = case.expected(int(first))
        yield f"- {case.name}, PostgreSQL {first}{f' to {last}' if last else ''}: {_told_apart(newest, other)}"
    if case.raw.get("filled"):
        full = case.expected(case.majors[-1], filled=True)
        yield f"- {case.name}, where there are rows: {_told_apart(newest, full)}"


def _told_apart(usual: Expected, other: Expected) -> str:
    if other.verdict == "fails":
        return "**fails**"
    names = ("locks", "work", "who waits", "verdict")
    pairs = zip(names, _effect(usual), _effect(other), strict=True)
    return "; ".join(f"{name}: {told or 'none'}" for name, known, told in pairs if known != told)


def _importance(told: str) -> tuple[int, str]:
    """A rewrite before the indexes that it brings along."""
    order = (WorkKind.REWRITE, WorkKind.TRUNCATE, WorkKind.INDEX_REBUILD, WorkKind.INDEX_BUILD, WorkKind.SCAN)
    return (
        next((place for place, kind in enumerate(order) if told.startswith(kind.value)), len(order)),
        told,
    )


def _work(told: str) -> str:
    kind = next(kind for kind in _KINDS if told.startswith(f"{kind} "))
    return f"{kind} {'to' if kind == WorkKind.ROWS.value else 'of'} {_names(told.removeprefix(f'{kind} ').split(', '))}"


def _change(told: str) -> str:
    """With the names as code: `dropped column users.bio with data`, `renamed table users to people`."""
    what, thing = told.split(" ", 1)
    kind = next((each for each in _LONG_KINDS if thing.startswith(each)), thing.split(" ", 1)[0])
    data = " with data" if thing.endswith(" with data") else ""
    name, arrow, to = thing.removeprefix(f"{kind} ").removesuffix(data).partition(" to ")
    return f"{what} {kind} `{name}`{f' to `{to}`' if arrow else ''}{data}"


def _names(names: Iterator[str] | Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def main() -> int:
    parser = argparse.ArgumentParser(description="The page about the locks and the work of each statement.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where the page differs")
    given = parser.parse_args()
    text = page(read_themes())
    return bring_up(PAGE, text, check=given.check, source="the cases", mend="python tools/locks.py")


if __name__ == "__main__":
    sys.exit(main())
