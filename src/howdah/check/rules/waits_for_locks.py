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
    why = f"It takes {listed(f'{mode.value} on {name}' for name, mode in sorted(locks.items()))}, for no longer than"
    why += " it takes to change the catalogue; but it queues behind whoever uses the table, and others queue behind it."
    if len(locks) > 1:
        why += " The first table stays locked while it waits for the next."
    return Says(
        f"others wait for a moment at {listed(sorted(locks))}",
        why,
        "Nothing to do where howdah applies it: `migrate up` does not queue for longer than --max-stall.",
        line=brief[0].statement.line,
    )


RULE = StepRule("waits-for-locks", Verdict.BRIEF, _look)
