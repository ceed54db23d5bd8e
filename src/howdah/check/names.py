"""What the names of the files in a folder of migrations say: copies, gaps, widths, cases. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from howdah.check.report import RuleFinding
from howdah.errors import Where
from howdah.findings import Finding, Severity
from howdah.migrate.migration import Migration
from howdah.observe.verdict import Verdict

# What editors, file managers, merges and hurried people leave behind, by the end or the beginning of the name.
_STRAY = re.compile(
    r"""
      .*(~|\.(orig|rej|bak|old|save|tmp|temp|sw[a-p]|backup|copy|patch|disabled))(\.sql)?
    | \._.* | \.\#.* | \#.*\# | \.DS_Store.+
    | copy\ of\ .* | .*\ (-\ )?copy(\ ?\(?[0-9]+\)?)?(\.[^.]+){0,2}
    | .*\ ?\([0-9]+\)(\.[^.]+){0,2}
    | .*(?-i:_(BASE|LOCAL|REMOTE|BACKUP)_[0-9]+)(\.[^.]+){0,2}
    | .*\.(mine|theirs|ours|r[0-9]+)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_NUMBER = re.compile(r"[0-9]+")
# A number of this many digits is a moment, and nobody counts those.
_SEQUENTIAL_DIGITS = 8
# Of a sequence with more gaps than one in so many, nobody counts.
_MOST_GAPS = 4


def stray_copies(paths: Iterable[Path]) -> Iterator[RuleFinding]:
    """Files that look as if somebody, or a program, made them of another."""
    for path in paths:
        if _STRAY.fullmatch(path.name):
            yield note(
                "stray-copy",
                f"{path.name} looks like a copy that was left behind",
                path,
                Severity.WARNING,
                why="Some tools take any file whose name begins with a number, and then there are two of one version.",
                fix="Delete it, or move it to another folder.",
            )


def same_but_for_case(paths: Iterable[Path]) -> Iterator[RuleFinding]:
    """Names that are one on a disk that does not tell capital letters from small ones."""
    known: dict[tuple[Path, str], Path] = {}
    for path in paths:
        first = known.setdefault((path.parent, path.name.casefold()), path)
        if first is not path:
            yield note(
                "names-differ-in-case",
                f"{first.name} and {path.name} differ only in capital letters",
                path,
                Severity.WARNING,
                why="On macOS and Windows only one of them can be checked out.",
                fix="Rename one of them.",
            )


def gaps(migrations: Sequence[Migration]) -> Iterator[RuleFinding]:
    """Numbers that are left out where the others are counted on one by one."""
    numbered = [(number, each) for each in migrations if (number := sequential_number(each)) is not None]
    steps = [(one, two) for one, two in pairwise(numbered) if two[0] - one[0] > 1]
    if len(numbered) < len(migrations) or len(steps) * _MOST_GAPS > len(numbered):
        return
    for (before, _), (after, migration) in steps:
        missing = str(before + 1) if after - before == 2 else f"{before + 1} to {after - 1}"
        yield note(
            "gap-in-numbers",
            f"there is no migration {missing} between {before} and {after}",
            migration.path,
            why="A file may have been forgotten or deleted, or come later from a branch, and then be out of order.",
        )


def uneven_widths(migrations: Sequence[Migration]) -> Iterator[RuleFinding]:
    """Numbers with more or fewer digits than most, so that a listing by name has another order than the run."""
    by_width = defaultdict(list)
    for each in migrations:
        if sequential_number(each) is not None and (written := _NUMBER.match(each.path.name)):
            by_width[len(written[0])].append(each)
    if len(by_width) < 2:
        return
    usual = max(by_width, key=lambda width: (len(by_width[width]), width))
    # One to nine without a zero, then 10: people who pad nothing have no usual width.
    padded = any(each.path.name.startswith("0") for each in by_width[usual])
    if not padded:
        return
    for width, odd in by_width.items():
        if width == usual or (width > usual and not odd[0].path.name.startswith("0")):
            continue
        for each in odd:
            yield note(
                "uneven-number-width",
                f"the number of {each.path.name} has {width} digits, the others have {usual}",
                each.path,
                why="It runs by its number; a listing by name shows it elsewhere.",
                fix="Where no database has run it, write it with as many digits as the others.",
            )


def differing_halves(migrations: Iterable[Migration]) -> Iterator[RuleFinding]:
    """Pairs whose halves have different words: perhaps halves of two migrations with one number."""
    for each in migrations:
        if each.up is None or each.down is None or each.up == each.down:
            continue
        up, down = each.up.name.replace(".up.", "."), each.down.name.replace(".down.", ".")
        if up != down:
            yield note(
                "halves-differ-in-name",
                f"the halves of migration {each.version} have different names: {each.up.name}, {each.down.name}",
                each.down,
                Severity.WARNING,
                why="They are one migration by their number; perhaps two were meant.",
                fix="Give both the same name, or the other one a number of its own.",
            )


def sequential_number(migration: Migration) -> int | None:
    """The number of a migration that is counted; None: it is a moment, or no number."""
    version = migration.version
    if migration.foreign and not version.isdigit():
        return None
    return int(version) if _NUMBER.fullmatch(version) and len(version) < _SEQUENTIAL_DIGITS else None


def note(
    code: str,
    message: str,
    path: Path,
    severity: Severity = Severity.INFO,
    *,
    why: str | None = None,
    fix: str | None = None,
    verdict: Verdict = Verdict.SAFE,
    line: int | None = None,
) -> RuleFinding:
    """What is said of a file without stopping anything, unless a verdict is given."""
    return RuleFinding(
        Finding(code, message, severity, where=Where(str(path), line), why=why, fix=fix), verdict
    )
