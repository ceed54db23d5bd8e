"""The `up` works on empty tables and fails on any table that has a row."""

from __future__ import annotations

from howdah.check.rules.trip_rule import TripRule, TripSays
from howdah.migrate.migration import Direction
from howdah.observe.verdict import Verdict
from howdah.rehearse.trip import RoundTrip


def _look(trip: RoundTrip) -> TripSays | None:
    found = [each for each in trip.fails_on_rows if each.is_certain and each.direction is Direction.UP]
    if not found:
        return None
    return TripSays(
        f"it fails wherever {found[0].table or 'the table'} has a row: {found[0].message}",
        f"The server refused it with SQLSTATE {found[0].sqlstate}, and took it only when the tables were empty.",
        "Give a new column a default, or add it without NOT NULL and demand it once the rows are filled.",
        direction=Direction.UP,
    )


RULE = TripRule("fails-on-any-row", Verdict.FAILS, _look)
