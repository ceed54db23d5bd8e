"""The verdict on what was observed: the worst that it does to an application. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum

from howdah.observe.effect import Change, ChangeKind, Effect, WorkKind

# In proportion to what is in the table; TRUNCATE is not, and rows are as many as the statement says.
_BY_SIZE = frozenset(
    {
        WorkKind.SCAN,
        WorkKind.INDEX_SCAN,
        WorkKind.INDEX_BUILD,
        WorkKind.INDEX_REBUILD,
        WorkKind.REWRITE,
    }
)
# Without one of these a program fails that knew it; an index or a constraint it does not name.
_NAMED_BY_PROGRAMS = frozenset(
    {
        "table",
        "column",
        "view",
        "materialized view",
        "foreign table",
        "function",
        "procedure",
        "aggregate",
        "type",
        "domain",
        "schema",
        "sequence",
        "enum value",
        "attribute",
        "extension",
    }
)


class Verdict(Enum):
    """What to expect, from the best to the worst."""

    SAFE = "safe"
    LONG = "long"  # takes time by the size of a table; nobody waits
    BRIEF = "brief"  # others wait, for a moment that does not depend on the size: wants a stall budget
    UNKNOWN = "unknown"  # it could not be observed
    BREAKING = "breaking"  # programs of before fail
    DESTRUCTIVE = "destructive"  # data is gone
    UNSAFE = "unsafe"  # others wait for as long as the table is large
    FAILS = "fails"

    @property
    def rank(self) -> int:
        """0 is the best."""
        return _RANK[self]


_RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of them; SAFE where there is none."""
    return max(verdicts, key=lambda each: each.rank, default=Verdict.SAFE)


def judge(effect: Effect) -> Verdict:
    """The verdict on one statement: the worst of what it does."""
    return worst(_verdicts(effect))


def _verdicts(effect: Effect) -> Iterator[Verdict]:
    if effect.error:
        yield Verdict.FAILS
    is_by_size = any(each.kind in _BY_SIZE for each in effect.work)
    is_held_up = any(each.blocks for each in (*effect.held, *effect.taken))
    if is_by_size:
        # Whoever waits for a lock of an earlier statement waits for this one, too.
        yield Verdict.UNSAFE if is_held_up else Verdict.LONG
    if any(each.blocks for each in effect.taken) or (is_held_up and effect.work):
        yield Verdict.BRIEF
    if any(each.kind is WorkKind.TRUNCATE for each in effect.work):
        yield Verdict.DESTRUCTIVE
    for change in effect.changes:
        if change.kind is ChangeKind.DROPPED and change.holds_data:
            yield Verdict.DESTRUCTIVE
        if _breaks(change):
            yield Verdict.BREAKING


def _breaks(change: Change) -> bool:
    return change.kind is ChangeKind.REQUIRED or (
        change.kind in (ChangeKind.DROPPED, ChangeKind.RENAMED) and change.object in _NAMED_BY_PROGRAMS
    )
