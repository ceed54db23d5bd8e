"""An UPDATE or DELETE over a whole table in one transaction: a note, for what it does goes by the rows it meets."""

from __future__ import annotations

from collections.abc import Sequence

from howdah.check.rules.rule import Says, Seen, StepRule, listed
from howdah.observe.verdict import Verdict


def _look(step: Sequence[Seen]) -> Says | None:
    long = [seen for seen in step if seen.verdict is Verdict.LONG and seen.writes_rows]
    if not long:
        return None
    tables = listed(dict.fromkeys(each.relation for seen in long for each in seen.effect.work))
    return Says(
        f"it reads all of {tables}, and who writes a row that it wrote waits until the migration is done",
        "Rows stay locked until the transaction ends; each old version stays in the table until a vacuum, and all of it"
        " goes to the replicas at once.",
        "Write them in batches of some thousand rows, each in a transaction of its own, outside of the migration.",
        line=long[0].statement.line,
    )


RULE = StepRule("rows-written-at-once", Verdict.LONG, _look)
