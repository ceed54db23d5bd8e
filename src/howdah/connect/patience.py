"""How long to go on trying, and how long to pause between two tries."""

from __future__ import annotations

import random
import time

_SHORTEST_SECONDS = 0.01


class Patience:
    """A limit in time, which begins at once, and pauses that grow.

    With `jitter` a pause is cut at random, by half at most, so that many instances do not come back in step.
    """

    def __init__(
        self,
        limit_seconds: float,
        *,
        first_seconds: float = 0.1,
        longest_seconds: float = 5.0,
        growth: float = 2.0,
        jitter: bool = False,
    ) -> None:
        self._started = time.monotonic()
        self.deadline = self._started + limit_seconds
        self.next_seconds = first_seconds
        """The length of the next pause, before jitter and limit cut it."""
        self._longest_seconds = longest_seconds
        self._growth = growth
        self._jitter = jitter

    @property
    def waited_seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._started

    @property
    def left_seconds(self) -> float:
        """Until the limit; negative behind it."""
        return self.deadline - time.monotonic()

    def pause(self) -> None:
        """Sleep until the next try, and not beyond the limit."""
        seconds = self.next_seconds * (random.uniform(0.5, 1.0) if self._jitter else 1.0)
        time.sleep(min(seconds, max(self.left_seconds, _SHORTEST_SECONDS)))
        self.next_seconds = min(self.next_seconds * self._growth, self._longest_seconds)
