"""Which migrations a database shows to have been applied, where its history is one number and cannot say. Pure.

golang-migrate never runs a file that is older than the current version, and says nothing of it. That a version was
applied is proved by the side history, or by what it made: the live schema has it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from howdah.migrate.history import History
from howdah.migrate.migration import Migration
from howdah.schema.compare import Difference

Made = frozenset[tuple[str, str]]
"""Kind and name of the objects that a step made, changed or dropped."""


@dataclass(frozen=True)
class StepSeen:
    """One migration of a replay: what it did to the schema, and whether it has any statement at all."""

    migration: Migration
    made: Made
    is_empty: bool


@dataclass(frozen=True)
class Doubt:
    """A migration that counts as applied, and of which the database does not show that it was."""

    migration: Migration
    lacking: tuple[Difference, ...]

    def __str__(self) -> str:
        name = f"{self.migration.version} ({self.migration.name})"
        if self.lacking:
            return f"{name}: the database lacks what it makes: {'; '.join(str(each) for each in self.lacking[:3])}"
        return f"{name}: it changes no structure, so nothing shows whether it ran"


def find_doubts(
    steps: Sequence[StepSeen], drift: Collection[Difference], *, proved: Collection[str]
) -> tuple[Doubt, ...]:
    """The versions that nothing proves; `drift` is what the live schema has otherwise than a replay."""
    by_object = {(each.kind, each.name): each for each in drift}
    doubts = []
    for step in steps:
        if step.migration.version in proved or step.is_empty:
            continue
        lacking = tuple(by_object[each] for each in sorted(step.made) if each in by_object)
        if len(lacking) == len(step.made):
            doubts.append(Doubt(step.migration, lacking))
    return tuple(doubts)


def proved_by_history(history: History) -> frozenset[str]:
    """The versions of which a run of ours, or a person, said that they were applied; and the current one."""
    said = {
        version
        for version, record in history.records.items()
        if record.action in {"apply", "resolve-applied"} and record.finished_at is not None
    }
    return frozenset({*said, *([history.version] if history.version else [])})
