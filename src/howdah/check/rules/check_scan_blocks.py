"""A CHECK constraint, of a table or of a domain, is checked for all rows behind a closed door."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, held_through, nobody_can
from howdah.observe.effect import WorkKind
from howdah.observe.verdict import Verdict


def _look(seen: Seen) -> Says | None:
    words = seen.wording
    named = words.has("CHECK") or words.starts("ALTER", "DOMAIN")
    if not seen.work(WorkKind.SCAN, WorkKind.INDEX_SCAN) or not named:
        return None
    return Says(
        f"{nobody_can(seen.blocking)} while all rows are checked",
        held_through(seen),
        "Add the constraint NOT VALID, which holds for new rows at once, and validate it in a migration of its own.",
    )


RULE = Rule("check-scan-blocks", Verdict.UNSAFE, _look)
