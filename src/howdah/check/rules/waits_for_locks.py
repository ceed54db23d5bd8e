"""Others wait for a moment that does not depend on the size of a table: a note."""

from __future__ import annotations

from collections.abc import Sequence

from howdah.check.rules.rule import Says, Seen, StepRule, listed
from howdah.observe.verdict import Verdict


def _look(step: Sequence[Seen]) -> Says | None:
    brief = [
        seen
        for seen in step
        if seen.taken and seen.verdict in (Verdict.BRIEF, Verdict.BREAKING, Verdict.DESTRUCTIVE)
    ]
    if not brief:
        return None
    locks = {each.relation: each.mode for seen in brief for each in seen.taken}
    modes = listed(sorted({mode.value for mode in locks.values()}))
    why = f"It takes {modes} for a moment, but queues for it, and others queue behind:"
    why += " `migrate up --max-stall` bounds that."
    if len(locks) > 1:
        why += " The first table stays locked while it waits for the next."
    return Says(f"others wait for a moment at {listed(sorted(locks))}", why, "", line=brief[0].statement.line)


RULE = StepRule("waits-for-locks", Verdict.BRIEF, _look)
