"""A new column that each row must be written for: a volatile default, an identity, a stored expression, a domain."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, held_through, nobody_can
from howdah.observe.effect import WorkKind
from howdah.observe.verdict import Verdict


def _look(seen: Seen) -> Says | None:
    if not seen.work(WorkKind.REWRITE) or not (seen.wording.starts("ALTER", "TABLE") and _adds_column(seen)):
        return None
    return Says(
        f"{nobody_can(seen.blocking)} while it is rewritten to fill the new column",
        f"{held_through(seen)} A value that is not the same for all rows cannot be kept in the catalogue alone.",
        "Add the column without a value, set the default for new rows, and fill the old rows in batches.",
    )


def _adds_column(seen: Seen) -> bool:
    """Whether one of its actions adds a column: ADD, and no constraint behind it."""
    top = [each.word for each in seen.wording.top]
    return any(
        word == "ADD" and following not in _CONSTRAINTS
        for word, following in zip(top, [*top[1:], ""], strict=True)
    )


_CONSTRAINTS = frozenset({"CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "FOREIGN", "EXCLUDE", "NOT"})

RULE = Rule("added-column-rewrites-table", Verdict.UNSAFE, _look)
