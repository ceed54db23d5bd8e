"""After the `down` something is missing, or other than before the `up`."""

from __future__ import annotations

from howdah.check.rules.trip_rule import TripRule, TripSays, mending, shown, told
from howdah.observe.verdict import Verdict
from howdah.rehearse.trip import RoundTrip


def _look(trip: RoundTrip) -> TripSays | None:
    lost = [each for each in trip.left if each.before is not None]
    if not lost:
        return None
    mend = trip.mend if len(lost) == len(trip.left) else ()
    elsewhere = "The statements that mend it are shown with what the `down` leaves behind."
    return TripSays(
        f"its `down` does not bring back: {shown(lost)}",
        f"The schema after up and down is not the one before: {told(lost)}.",
        elsewhere if trip.mend and not mend else mending(mend),
        mend=mend,
    )


RULE = TripRule("down-loses-schema", Verdict.BREAKING, _look)
