"""A table, or another relation with rows, is dropped."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, listed
from howdah.observe.effect import ChangeKind
from howdah.observe.verdict import Verdict


def _look(seen: Seen) -> Says | None:
    gone = [each for each in seen.changes(ChangeKind.DROPPED) if each.holds_data and each.object != "column"]
    if not gone:
        return None
    return Says(
        f"{listed(f'{each.object} {each.name}' for each in gone)} is gone, with all rows",
        "No `down` brings rows back; and programs that still run and name it fail from then on.",
        "Release programs that no longer name it first, keep a backup, and drop it in a later migration.",
    )


RULE = Rule("drops-table", Verdict.DESTRUCTIVE, _look)
