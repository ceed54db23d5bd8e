"""Which address is meant, and which place gave it."""

from __future__ import annotations

from howdah.config.tls import check_tls
from howdah.doctor.checks.check import Outcome, refused
from howdah.doctor.examination import Examination


def check(examination: Examination) -> Outcome:
    """The place that won, and the parts that came from elsewhere."""
    if diagnosis := examination.refusal("configuration"):
        return refused(examination, diagnosis)
    subject = examination.subject
    return Outcome(_summary(examination), (*subject.notes, *check_tls(subject.database)))


def _summary(examination: Examination) -> str:
    subject = examination.subject
    places: dict[str, list[str]] = {}
    for part, place in subject.database.origin.items():
        places.setdefault(place, []).append(part)
    if len(places) <= 1:
        return f"from {subject.source or next(iter(places), 'defaults')}"
    return "; ".join(f"{', '.join(parts)} from {place}" for place, parts in places.items())
