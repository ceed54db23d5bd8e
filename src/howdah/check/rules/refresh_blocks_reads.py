"""REFRESH MATERIALIZED VIEW keeps readers out until the view is filled again."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, held_through, nobody_can
from howdah.observe.verdict import Verdict


def _look(seen: Seen) -> Says | None:
    if not seen.wording.starts("REFRESH", "MATERIALIZED"):
        return None
    return Says(
        f"{nobody_can(seen.blocking)} while it is filled again",
        held_through(seen),
        "Say REFRESH MATERIALIZED VIEW CONCURRENTLY. It needs a unique index over plain columns of the view.",
    )


RULE = Rule("refresh-blocks-reads", Verdict.UNSAFE, _look)
