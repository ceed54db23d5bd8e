"""Amounts as people say them: durations, sizes, and ranges of them, no more precise than they are known."""

from __future__ import annotations

from dataclasses import dataclass

_UNITS = ((1 << 40, "TB"), (1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB"))


@dataclass(frozen=True, slots=True)
class Range:
    """From the least to the most that is to be expected, in seconds."""

    low: float
    high: float

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def __mul__(self, factor: float) -> Range:
        return Range(self.low * factor, self.high * factor)

    def __str__(self) -> str:
        low, high = say_seconds(self.low), say_seconds(self.high)
        return low if low == high else f"{low} to {high}"


def say_seconds(seconds: float) -> str:
    """A duration with one or two figures: "3 ms", "40 s", "3 min", "5 h"."""
    if seconds < 0.001:
        return "under 1 ms"
    for limit, size, unit in ((1, 0.001, "ms"), (100, 1, "s"), (6000, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{_rounded(seconds / size)} {unit}"
    return f"{_rounded(seconds / 86400)} days"


def say_bytes(count: float) -> str:
    """A size: "184 MB"; in powers of 1024, as PostgreSQL says it."""
    for size, unit in _UNITS:
        if count >= size:
            amount = count / size
            return f"{amount:.1f} {unit}" if amount < 10 else f"{amount:.0f} {unit}"
    return f"{count:.0f} bytes"


def say_count(count: float) -> str:
    """A number with two figures: "1,200"."""
    return f"{round(float(f'{count:.2g}')):,}"


def _rounded(amount: float) -> str:
    """Two figures; one behind the point only below 3."""
    return f"{amount:.1f}".removesuffix(".0") if amount < 3 else f"{float(f'{amount:.2g}'):.0f}"
