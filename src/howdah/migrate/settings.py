"""How patient a run is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Limits of one run.

    Attributes:
        lock_limit_seconds: how long to wait for another run to end.
        stall_seconds: the stall budget: how long a statement of ours may queue for a lock and make the application wait
            behind it. 0: without limit.
        retry_limit_seconds: how long to go on trying when the stall budget runs out, or a deadlock hits us.
    """

    lock_limit_seconds: float = 15.0
    stall_seconds: float = 2.0
    retry_limit_seconds: float = 60.0
