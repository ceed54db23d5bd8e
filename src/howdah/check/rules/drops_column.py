"""A column is dropped, with what was in it."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, listed
from howdah.observe.effect import ChangeKind
from howdah.observe.verdict import Verdict


def _look(seen: Seen) -> Says | None:
    gone = [each for each in seen.changes(ChangeKind.DROPPED) if each.holds_data and each.object == "column"]
    if not gone:
        return None
    return Says(
        f"column {listed(each.name for each in gone)} is gone, with what was in it",
        "No `down` brings the values back; and programs that still run and name the column, as ORMs do in every"
        " SELECT, fail from then on.",
        "Release programs that no longer name the column first, and drop it in a later migration.",
    )


RULE = Rule("drops-column", Verdict.DESTRUCTIVE, _look)
