"""Decide which database comes next: pure, from what depends on what and how each one ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Schedule:
    """Databases that wait, run and have ended. Each starts once, after all that it depends on ended well.

    Attributes:
        depends_on: database -> what it depends on, without a circle; of several that may start, the first here does.
        running: those that run.
        ended: database -> whether it ended well.
    """

    depends_on: Mapping[str, Sequence[str]]
    running: frozenset[str] = frozenset()
    ended: Mapping[str, bool] = field(default_factory=dict)

    @property
    def following(self) -> str | None:
        """The database to start now; None where there is none, or none yet."""
        return next(
            (
                name
                for name, wanted in self.depends_on.items()
                if self._is_waiting(name) and all(self.ended.get(each) for each in wanted)
            ),
            None,
        )

    @property
    def is_over(self) -> bool:
        """Nothing runs, and nothing can start any more."""
        return not self.running and self.following is None

    def start(self, name: str) -> Schedule:
        """The schedule once this database runs."""
        return replace(self, running=self.running | {name})

    def end(self, name: str, *, is_well: bool) -> Schedule:
        """The schedule once this database has ended."""
        return replace(self, running=self.running - {name}, ended={**self.ended, name: is_well})

    def skipped(self) -> dict[str, tuple[str, ...]]:
        """What cannot start any more, with the databases that failed and that it depends on, directly or not."""
        causes: dict[str, set[str]] = {name: {name} for name, is_well in self.ended.items() if not is_well}
        for name in in_order(self.depends_on):
            if self._is_waiting(name):
                found = set().union(*(causes.get(each, ()) for each in self.depends_on[name]))
                causes |= {name: found} if found else {}
        return {
            name: tuple(each for each in self.depends_on if each in causes[name])
            for name in self.depends_on
            if name in causes and self._is_waiting(name)
        }

    def _is_waiting(self, name: str) -> bool:
        return name not in self.running and name not in self.ended


def in_order(depends_on: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The databases as a run of one at a time takes them: each behind all that it depends on, else as they stand."""
    schedule = Schedule(depends_on)
    while (name := schedule.following) is not None:
        schedule = schedule.end(name, is_well=True)
    return tuple(schedule.ended)
