"""How long to go on trying, and how long to pause between two tries."""

from __future__ import annotations

import random
import time


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
        self._next_seconds = first_seconds
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

    @property
    def is_over(self) -> bool:
        """Less is left than the next pause takes. Who wants one last try right at the limit asks for what is left."""
        return self.left_seconds < self._next_seconds

    def pause(self) -> None:
        """Sleep until the next try, and not beyond the limit."""
        seconds = self._next_seconds * (random.uniform(0.5, 1.0) if self._jitter else 1.0)
        time.sleep(min(seconds, max(self.left_seconds, 0.0)))
        self._next_seconds = min(self._next_seconds * self._growth, self._longest_seconds)
