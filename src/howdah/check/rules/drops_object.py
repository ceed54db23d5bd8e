"""A view, function, type or other object that programs name is dropped."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, listed
from howdah.observe.effect import ChangeKind
from howdah.observe.verdict import Verdict


def _look(seen: Seen) -> Says | None:
    gone = seen.breaking(ChangeKind.DROPPED)
    if not gone:
        return None
    return Says(
        f"{listed(f'{each.object} {each.name}' for each in gone)} is gone",
        "Programs that still run and name it fail from then on.",
        "Release programs that no longer name it first, and drop it in a later migration.",
    )


RULE = Rule("drops-object", Verdict.BREAKING, _look)
