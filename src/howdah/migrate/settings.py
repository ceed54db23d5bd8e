"""How patient a run is."""

from __future__ import annotations

from dataclasses import dataclass, replace

DEFAULT_STALL_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Limits of one run.

    Attributes:
        lock_limit_seconds: how long to wait for another run to end.
        stall_seconds: the stall budget: how long a statement of the application may wait because of ours. 0: without
            limit; None: what the project says, else 2 s.
        retry_limit_seconds: how long to go on trying one step when somebody is in its way, or a deadlock hits us.
            It ends later by one try at most.
    """

    lock_limit_seconds: float = 15.0
    stall_seconds: float | None = None
    retry_limit_seconds: float = 60.0

    @property
    def stall_budget_seconds(self) -> float:
        """The stall budget that holds; 0: without limit."""
        return DEFAULT_STALL_SECONDS if self.stall_seconds is None else self.stall_seconds

    def or_stall(self, seconds: float | None) -> RunSettings:
        """With this stall budget where nobody has said one."""
        return self if self.stall_seconds is not None else replace(self, stall_seconds=seconds)
