"""All migrations reverted, newest first, do not come back to where the first began."""

from __future__ import annotations

from howdah.check.rules.trip_rule import ChainRule, TripSays, shown, told
from howdah.observe.verdict import Verdict
from howdah.rehearse.trip import WayBack


def _look(way: WayBack) -> TripSays | None:
    if way.failure is not None:
        return TripSays(
            f"the way back of all migrations fails: {way.failure.message}",
            "They were reverted one by one, newest first, on a database that they had built.",
            "Mend the `down` that fails.",
        )
    if not way.left:
        return None
    return TripSays(
        f"all migrations reverted do not come back to the beginning: {shown(way.left)}",
        f"What is there other than before the first: {told(way.left)}.",
        "Mend the `down` of the migration that makes it.",
    )


RULE = ChainRule("chain-leaves-behind", Verdict.BREAKING, _look)
