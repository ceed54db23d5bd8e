"""A table that was in use is emptied."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, listed
from howdah.observe.effect import WorkKind
from howdah.observe.verdict import Verdict


def _look(seen: Seen) -> Says | None:
    emptied = seen.work(WorkKind.TRUNCATE)
    if not emptied:
        return None
    return Says(
        f"all rows of {listed(dict.fromkeys(each.relation for each in emptied))} are gone",
        "With CASCADE it empties the tables that refer to it, too, and no `down` brings rows back.",
        "Delete the rows that are meant, and keep a backup.",
    )


RULE = Rule("truncates-table", Verdict.DESTRUCTIVE, _look)
