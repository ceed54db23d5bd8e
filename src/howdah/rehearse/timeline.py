"""From the events of a run and the stalls of canaries to what each migration did to each table."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from howdah.migrate.events import Event, Result, StatementStarted, StepStarted
from howdah.migrate.migration import Step
from howdah.observe.canaries import Stall
from howdah.rehearse.measured import LiveTable, strongest_locks
from howdah.rehearse.observed import ObservedStep


@dataclass(frozen=True, slots=True)
class StatementTime:
    """When a statement began; it ended when the next one did, or its step."""

    number: int
    line: int
    began: float


@dataclass(frozen=True, slots=True)
class StepTime:
    """When a step ran, on the monotonic clock."""

    step: Step
    began: float
    ended: float
    statements: tuple[StatementTime, ...]

    @property
    def seconds(self) -> float:
        """How long."""
        return self.ended - self.began

    def cause(self, stall: Stall) -> StatementTime | None:
        """The statement that ran for most of a stall."""
        return max(self.statements, key=lambda each: self._overlap(each, stall), default=None)

    def end_of(self, number: int) -> float:
        """When a statement ended."""
        following = (each.began for each in self.statements if each.number > number)
        return min(following, default=self.ended)

    def shares(self, stall: Stall) -> float:
        """For how much of a stall the step ran."""
        return min(stall.ended, self.ended) - max(stall.began, self.began)

    def _overlap(self, statement: StatementTime, stall: Stall) -> float:
        return min(stall.ended, self.end_of(statement.number)) - max(stall.began, statement.began)


@dataclass
class Timeline:
    """Takes the events of a run and remembers when they came."""

    _events: list[tuple[float, Event]] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """An event of the run."""
        self._events.append((time.monotonic(), event))

    def steps(self) -> tuple[StepTime, ...]:
        """The steps of the run, which has just ended. What is told of together ended when the next one began."""
        now = time.monotonic()
        starts = [(at, event) for at, event in self._events if isinstance(event, StepStarted)]
        ends = [*(at for at, _ in starts[1:]), self._last_end(now)]
        return tuple(
            StepTime(event.step, at, end, self._statements(event.step))
            for (at, event), end in zip(starts, ends, strict=False)
        )

    def _last_end(self, now: float) -> float:
        """The last step's result comes with its end; where it failed, there is none."""
        at, event = self._events[-1] if self._events else (now, None)
        return at if isinstance(event, Result) else now

    def _statements(self, step: Step) -> tuple[StatementTime, ...]:
        # Of what was tried again, the last try counts.
        found = {
            event.number: StatementTime(event.number, event.line, at)
            for at, event in self._events
            if isinstance(event, StatementStarted) and event.step is step
        }
        return tuple(sorted(found.values(), key=lambda each: each.number))


def tables_of(
    times: StepTime, observed: ObservedStep, stalls: Sequence[Stall], *, watched: frozenset[str]
) -> tuple[LiveTable, ...]:
    """Each table that a step locked: for how long, and who waited; the longest stall first."""
    modes = strongest_locks([each.effect for each in observed.statements])
    own = [each for each in stalls if times.shares(each) > each.seconds / 2]
    held = _held_seconds(times, observed)
    locked = (LiveTable(each, mode, held_seconds=held.get(each, 0.0)) for each, mode in modes.items())
    tables = [_with_waits(each, own, times, is_watched=each.relation in watched) for each in locked]
    return tuple(sorted(tables, key=lambda each: (-each.stall_seconds, -each.held_seconds, each.relation)))


def _with_waits(table: LiveTable, stalls: Sequence[Stall], times: StepTime, *, is_watched: bool) -> LiveTable:
    """With who waited for it, and which statement made them."""
    own = [each for each in stalls if each.relation == table.relation]
    longest = max(own, key=lambda each: each.seconds, default=None)
    cause = times.cause(longest) if longest else None

    def waited(*, is_writer: bool) -> float | None:
        if not is_watched:
            return None
        return max((each.seconds for each in own if each.is_writer is is_writer), default=0.0)

    return replace(
        table,
        reader_seconds=waited(is_writer=False),
        writer_seconds=waited(is_writer=True),
        statement=cause.number if cause else 0,
        line=cause.line if cause else 0,
    )


def _held_seconds(times: StepTime, observed: ObservedStep) -> dict[str, float]:
    """How long writers were shut out of each table."""
    began = {each.number: each.began for each in times.statements}
    found: dict[str, float] = {}
    for statement in observed.statements:
        start = began.get(statement.number)
        if start is None:
            continue
        end = times.ended if observed.transactional else times.end_of(statement.number)
        for lock in (*statement.effect.taken, *statement.effect.held):
            is_first = lock.relation not in found or not observed.transactional
            if lock.mode.blocks_writes and is_first:
                found[lock.relation] = max(end - start, found.get(lock.relation, 0.0))
    return found
