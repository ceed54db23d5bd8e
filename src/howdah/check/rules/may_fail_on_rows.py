"""The statement works on empty tables, and failed with rows that were made up: it may with real ones."""

from __future__ import annotations

from howdah.check.rules.trip_rule import TripRule, TripSays
from howdah.migrate.migration import Direction
from howdah.observe.verdict import Verdict
from howdah.rehearse.trip import RoundTrip


def _look(trip: RoundTrip) -> TripSays | None:
    found = [each for each in trip.fails_on_rows if not each.is_certain]
    if not found:
        return None
    half = "`up`" if found[0].direction is Direction.UP else "`down`"
    return TripSays(
        f"its {half} may fail on rows that are there: {found[0].message}",
        "It failed on rows that were made up for this check, and took effect without them: real rows decide.",
        "Look for such rows in production, or rehearse it on a copy of it with --on.",
        direction=found[0].direction,
    )


RULE = TripRule("may-fail-on-rows", Verdict.UNKNOWN, _look)
