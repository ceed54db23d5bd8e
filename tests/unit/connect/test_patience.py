"""How long somebody goes on trying: in hundredths of a second."""

from __future__ import annotations

import time

from howdah.connect.patience import Patience


def pauses(patience: Patience, count: int) -> list[float]:
    taken = []
    for _ in range(count):
        before = time.monotonic()
        patience.pause()
        taken.append(time.monotonic() - before)
    return taken


def test_pauses_grow_up_to_the_longest() -> None:
    first, second, third, fourth = pauses(Patience(60, first_seconds=0.005, longest_seconds=0.015), count=4)

    assert first >= 0.005
    assert second >= 0.01
    assert min(third, fourth) >= 0.015


def test_jitter_cuts_a_pause_by_half_at_most() -> None:
    taken = pauses(Patience(60, first_seconds=0.01, longest_seconds=0.01, jitter=True), count=5)

    assert min(taken) >= 0.005


def test_no_pause_ends_behind_the_limit() -> None:
    patience = Patience(0.02, first_seconds=10, longest_seconds=10)

    assert sum(pauses(patience, count=3)) < 5
    assert patience.left_seconds <= 0


def test_it_is_over_once_the_next_pause_does_not_fit() -> None:
    assert Patience(0).is_over
    assert Patience(0.09).is_over
    assert not Patience(60).is_over
    assert Patience(0).left_seconds <= 0 < Patience(0.09).left_seconds
