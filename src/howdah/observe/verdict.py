"""The verdict on what was observed: the worst that it does to an application. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from howdah.observe.effect import ChangeKind, Effect, WorkKind

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
        "function",
        "procedure",
        "type",
        "domain",
        "schema",
        "sequence",
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
    """The verdict on one statement."""
    if effect.error:
        return Verdict.FAILS
    is_by_size = any(each.kind in _BY_SIZE for each in effect.work)
    blocks = any(each.mode.blocks_writes for each in (effect.held if is_by_size else effect.taken))
    if blocks and is_by_size:
        return Verdict.UNSAFE
    found = [Verdict.LONG if is_by_size else Verdict.SAFE, Verdict.BRIEF if blocks else Verdict.SAFE]
    if any(each.kind is WorkKind.TRUNCATE for each in effect.work) or any(
        each.holds_data and each.kind is ChangeKind.DROPPED for each in effect.changes
    ):
        found.append(Verdict.DESTRUCTIVE)
    if any(_breaks(each.kind, each.object) for each in effect.changes):
        found.append(Verdict.BREAKING)
    return worst(found)


def _breaks(kind: ChangeKind, object: str) -> bool:
    return kind is ChangeKind.REQUIRED or (
        kind in (ChangeKind.DROPPED, ChangeKind.RENAMED) and object in _NAMED_BY_PROGRAMS
    )
