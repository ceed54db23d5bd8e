"""The way down cannot be gone."""

from __future__ import annotations

from howdah.check.rules.trip_rule import TripRule, TripSays
from howdah.migrate.migration import Direction
from howdah.observe.verdict import Verdict
from howdah.rehearse.trip import RoundTrip


def _look(trip: RoundTrip) -> TripSays | None:
    if trip.problem is not None:
        message, why = trip.problem.message, trip.problem.why
    elif trip.down is not None and trip.down.failure is not None:
        message, why = trip.down.failure.message, None
    else:
        on_rows = [
            each for each in trip.fails_on_rows if each.direction is Direction.DOWN and each.is_certain
        ]
        if not on_rows:
            return None
        message, why = f"on a table with rows: {on_rows[0].message}", None
    return TripSays(
        f"its `down` fails: {message}",
        why or "It was run right behind its `up`. On the day it is needed nobody has time to mend it.",
        "Mend the `down`, or take it away where there is no way back.",
    )


RULE = TripRule("down-fails", Verdict.BREAKING, _look)
