"""Whatever else keeps others waiting for as long as a table is large."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, held_through, nobody_can
from howdah.observe.verdict import Verdict


def _look(seen: Seen) -> Says | None:
    return Says(
        f"{nobody_can((*seen.taken, *seen.inherited))} for as long as this statement runs",
        f"{held_through(seen)} How long that takes goes by the size of the table.",
        "Look for a way in smaller steps, or run it while the application is stopped.",
    )


RULE = Rule("blocks-for-long", Verdict.UNSAFE, _look)
