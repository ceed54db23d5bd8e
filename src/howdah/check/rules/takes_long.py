"""Work by the size of a table that keeps nobody waiting: a note, so that nobody wonders at a long deployment."""

from __future__ import annotations

from collections.abc import Sequence

from howdah.check.rules.rule import Says, Seen, StepRule, listed
from howdah.observe.verdict import Verdict


def _look(step: Sequence[Seen]) -> Says | None:
    long = [seen for seen in step if seen.verdict is Verdict.LONG and not seen.writes_rows]
    if not long:
        return None
    work = [each for seen in long for each in seen.effect.work]
    tables = listed(dict.fromkeys(each.relation for each in work))
    kinds = listed(dict.fromkeys(f"a {each.kind.value} of {each.index or each.relation}" for each in work))
    seen_work = kinds.replace("a index", "an index")
    return Says(
        f"it takes the longer the larger {tables} is; nobody waits for it",
        f"It was seen to do {seen_work}, under locks that readers and writers do not notice.",
        "",
        line=long[0].statement.line,
    )


RULE = StepRule("takes-long", Verdict.LONG, _look)
