"""A partition is attached or made: its rows, or those of the default partition, are checked behind a closed door."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, held_through, listed, nobody_can
from howdah.observe.effect import WorkKind
from howdah.observe.verdict import Verdict


def _look(seen: Seen) -> Says | None:
    scanned = seen.work(WorkKind.SCAN, WorkKind.INDEX_SCAN)
    words = seen.wording
    makes = words.starts("CREATE", "TABLE") and words.has("PARTITION", "OF")
    if not scanned or not (makes or words.has("ATTACH", "PARTITION")):
        return None
    tables = listed(sorted({each.relation for each in scanned}))
    return Says(
        f"{nobody_can(seen.blocking)} while the rows of {tables} are checked",
        held_through(seen),
        "Add a CHECK constraint that says what the partition's bounds say, NOT VALID, validate it in a migration of its"
        " own, and then attach: a valid constraint is believed without a look at the rows.",
    )


RULE = Rule("partition-scan-blocks", Verdict.UNSAFE, _look)
