"""Rows or values of before the `up` are not there after the `down`, and no statement says that it drops them."""

from __future__ import annotations

from collections.abc import Iterator

from howdah.check.rules.trip_rule import TripRule, TripSays
from howdah.observe.effect import ChangeKind, WorkKind
from howdah.observe.verdict import Verdict
from howdah.rehearse.trip import RoundTrip


def _look(trip: RoundTrip) -> TripSays | None:
    told = {name.replace('"', "") for name in _dropped(trip)}
    lost = [
        each
        for each in trip.lost
        if told.isdisjoint({_plain(each.table), _plain(f"{each.table}.{each.column}")})
    ]
    if not lost:
        return None
    listed = "; ".join(str(each) for each in lost[:4]) + ("; ..." if len(lost) > 4 else "")
    return TripSays(
        f"its `down` does not bring back data: {listed}",
        "Rows were put into the tables before the `up`, and compared with what was there after the `down`.",
        "Keep what the `up` overwrites in a column or table beside it, or say in the file that there is no way back.",
    )


def _dropped(trip: RoundTrip) -> Iterator[str]:
    """What the `up` drops or empties, as other rules tell."""
    for statement in trip.up.statements:
        for change in statement.effect.changes:
            if change.kind is ChangeKind.DROPPED:
                yield change.name
        for work in statement.effect.work:
            if work.kind is WorkKind.TRUNCATE:
                yield work.relation


def _plain(name: str) -> str:
    return name.replace('"', "")


RULE = TripRule("down-loses-data", Verdict.SAFE, _look)
