"""Lengths of time."""

from __future__ import annotations

import re

import pytest

from howdah.config.durations import DURATION, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("2s", 2), ("2", 2), ("1.5 s", 1.5), ("1min", 60), ("1h", 3600), ("0", 0)],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds
    assert re.search(DURATION, text)


@pytest.mark.parametrize("text", ["", "-1s", "2 weeks", "s", "1m", "nan", "inf", "1e9"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)
    assert not re.search(DURATION, text)
