"""A second `up`, behind the `down`, fails or builds something else than the first."""

from __future__ import annotations

from howdah.check.rules.trip_rule import TripRule, TripSays, shown, told
from howdah.migrate.migration import Direction
from howdah.observe.verdict import Verdict
from howdah.rehearse.trip import RoundTrip


def _look(trip: RoundTrip) -> TripSays | None:
    if trip.again is not None and trip.again.failure is not None:
        return TripSays(
            f"its `up` fails behind its `down`: {trip.again.failure.message}",
            "It was run up, down and up again. Who reverts it cannot apply it any more.",
            "Mend the `down`, so that it takes back exactly what the `up` does.",
        )
    if not trip.differs:
        return None
    if not trip.left and not trip.noise:
        return TripSays(
            f"its `up` builds something else each time: {shown(trip.differs)}",
            f"It was run up, down and up again: {told(trip.differs)}. The `down` had given back the schema of before.",
            "Write down what it is to build: no random names, no time of day.",
            Direction.UP,
        )
    return TripSays(
        f"its `up` builds something else behind its `down`: {shown(trip.differs)}",
        f"It was run up, down and up again: {told(trip.differs)}.",
        "Mend the `down`, so that it takes back exactly what the `up` does.",
    )


RULE = TripRule("up-differs-after-down", Verdict.BREAKING, _look)
