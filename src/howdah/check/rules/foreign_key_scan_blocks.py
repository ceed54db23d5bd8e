"""A foreign key is checked for all rows while nobody may write either table."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, held_through, nobody_can
from howdah.observe.effect import WorkKind
from howdah.observe.verdict import Verdict
from howdah.pg.locks import LockMode


def _look(seen: Seen) -> Says | None:
    words = seen.wording
    named = words.has("FOREIGN", "KEY") or words.has("REFERENCES")
    unnamed = not words.starts("ALTER") and {each.mode for each in seen.taken} == {
        LockMode.SHARE_ROW_EXCLUSIVE
    }
    if not seen.work(WorkKind.SCAN, WorkKind.INDEX_SCAN) or not (named or unnamed):
        return None
    return Says(
        f"{nobody_can(seen.blocking)} while all rows are checked for the foreign key",
        held_through(seen),
        "Add the foreign key NOT VALID, which holds for new rows at once, and validate it in a migration of its own.",
    )


RULE = Rule("foreign-key-scan-blocks", Verdict.UNSAFE, _look)
