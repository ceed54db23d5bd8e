"""After the `down` there is something that the `up` made."""

from __future__ import annotations

from howdah.check.rules.trip_rule import TripRule, TripSays, mending, shown, told
from howdah.observe.verdict import Verdict
from howdah.rehearse.trip import RoundTrip


def _look(trip: RoundTrip) -> TripSays | None:
    left = [each for each in trip.left if each.before is None]
    if not left:
        return None
    return TripSays(
        f"its `down` leaves behind: {shown(left)}",
        f"The schema after up and down is not the one before: {told(left)}.",
        mending(trip.mend),
        mend=trip.mend,
    )


RULE = TripRule("down-leaves-behind", Verdict.BREAKING, _look)
