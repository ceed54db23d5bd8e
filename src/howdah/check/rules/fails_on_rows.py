"""The statement works on an empty table, and fails on one with rows."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen
from howdah.observe.verdict import Verdict

# Integrity constraints, and data that cannot be cast or does not fit.
_OF_DATA = ("23", "22")


def _look(seen: Seen) -> Says | None:
    if not seen.effect.error or not seen.effect.sqlstate.startswith(_OF_DATA):
        return None
    return Says(
        f"it fails on rows that are there: {seen.effect.error}",
        f"The server refused it with SQLSTATE {seen.effect.sqlstate}: the statement depends on what is in the table.",
        "Mend the rows first, in the same migration or an earlier one; or add the constraint NOT VALID, so that it"
        " holds for new rows, and validate it once the old ones are mended.",
    )


RULE = Rule("fails-on-rows", Verdict.FAILS, _look)
