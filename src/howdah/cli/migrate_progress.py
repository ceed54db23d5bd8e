"""The events of a run on a terminal: a line for each result, one updating line for what is going on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from howdah.cli.answer import progress_line
from howdah.cli.render import Talk, duration
from howdah.findings import Finding
from howdah.migrate.events import (
    Event,
    HeldUp,
    Noted,
    ProgramSaid,
    Result,
    Retrying,
    StatementRunning,
    StatementStarted,
    StepStarted,
    WaitingForLock,
)


class RunProgress:
    """Call it with each event; `noted()` are the findings among them, to be shown at the end, once each."""

    def __init__(self, progress: Talk, verb: str) -> None:
        self._progress = progress
        self._verb = verb
        self._waiting_for = ""
        self._findings: dict[Finding, None] = {}

    def noted(self) -> tuple[Finding, ...]:
        """What the run had to say that stopped nothing."""
        return tuple(self._findings)

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case Noted():
                self._findings[event.finding] = None
            case Result():
                self._progress.note(f"{self._verb} {event.shown}  {duration(event.seconds)}")
            case StepStarted():
                migration = event.step.migration
                self._progress.doing(f"{event.number}/{event.total} {migration.version} {migration.name} …")
            case StatementStarted():
                text = _one_line(event)
                self._progress.doing(
                    f"{event.step.migration.version}, line {event.line},"
                    f" statement {event.number}/{event.total}: {text}"
                )
            case StatementRunning():
                self._running(event)
            case Retrying():
                self._progress.note(
                    f"trying {event.step.migration.version} again: {event.reason}"
                    f" (for {duration(event.seconds)})"
                )
                for blocker in event.blockers:
                    self._progress.note(f"  in the way was {blocker}")
            case HeldUp():
                self._progress.note(
                    f"{event.step.migration.version} waits, without holding anybody up, for {duration(event.seconds)}"
                )
                for blocker in event.blockers:
                    self._progress.note(f"  for {blocker}")
            case ProgramSaid():
                self._progress.note(f"  {event.line}")
            case WaitingForLock():
                self._wait(event.holder)

    def _running(self, event: StatementRunning) -> None:
        started = event.statement
        text = _one_line(started)
        self._progress.note(
            f"still running after {duration(event.seconds)}: {started.step.migration.version},"
            f" line {started.line}: {text}"
        )
        for blocker in event.blockers:
            self._progress.note(f"  waits for {blocker}")

    def _wait(self, holder: str) -> None:
        # The same holder is named once; its age would make every line a new one.
        who = holder.split(",", maxsplit=1)[0]
        if who != self._waiting_for:
            self._waiting_for = who
            self._progress.note(f"waiting for the migration lock, held by {holder}")


def _one_line(started: StatementStarted) -> str:
    from howdah.pg.statements import shorten

    return shorten(started.text, limit=60)


@contextmanager
def progress_of(direction: str) -> Iterator[RunProgress]:
    """Show a run's events on stderr while it goes."""
    with progress_line() as progress:
        yield RunProgress(progress, "applied " if direction == "up" else "reverted")
