"""A partition is attached or made: its rows, or those of the default partition, are checked behind a closed door."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, held_through, listed, nobody_can
from howdah.observe.effect import WorkKind
from howdah.observe.verdict import Verdict


def _look(seen: Seen) -> Says | None:
    scanned = seen.work(WorkKind.SCAN, WorkKind.INDEX_SCAN)
    words = seen.wording
    makes = words.starts("CREATE", "TABLE") and words.has("PARTITION", "OF")
    built = seen.work(WorkKind.INDEX_BUILD)
    if not (scanned or built) or not (makes or words.has("ATTACH", "PARTITION")):
        return None
    tables = listed(sorted({each.relation for each in scanned or built}))
    doing = "checked" if scanned else "read for the indexes that it lacks"
    return Says(
        f"{nobody_can(seen.blocking)} while the rows of {tables} are {doing}",
        held_through(seen),
        "Add a CHECK constraint that says what the partition's bounds say, NOT VALID, validate it in a migration of its"
        " own, and then attach: a valid constraint is believed without a look at the rows. Build the indexes that it"
        " lacks on it first, with CREATE INDEX CONCURRENTLY.",
    )


RULE = Rule("partition-scan-blocks", Verdict.UNSAFE, _look)
