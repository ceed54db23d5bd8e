"""A column of a table in use has to be given from now on: NOT NULL, and no default."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, listed
from howdah.observe.effect import ChangeKind
from howdah.observe.verdict import Verdict


def _look(seen: Seen) -> Says | None:
    required = seen.changes(ChangeKind.REQUIRED)
    if not required:
        return None
    columns = listed(each.name for each in required)
    why = "It is NOT NULL and has no default. Programs that still run do not know of it."
    if not seen.wording.has("SET", "NOT", "NULL"):
        why += " Where the table has rows, a new column of this kind cannot be added at all."
    return Says(
        f"every INSERT that does not give {columns} fails from then on",
        why,
        "Give it a default, or add it without NOT NULL and demand it once all programs write it and the old rows"
        " are filled.",
    )


RULE = Rule("required-column", Verdict.BREAKING, _look)
