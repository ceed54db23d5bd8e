"""Lengths of time as people and PostgreSQL write them: 500ms, 2s, 1min; a bare number is seconds."""

from __future__ import annotations

import re

DURATION = r"^(0|[0-9]+(\.[0-9]+)? ?(ms|s|min|h)?)$"
_UNITS = {"ms": 0.001, "s": 1.0, "": 1.0, "min": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float:
    """The seconds of a duration. Raises ValueError: it is none."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?(ms|s|min|h)?", text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a duration such as 500ms, 2s or 1min")
    return float(found[1]) * _UNITS[found[2] or ""]
