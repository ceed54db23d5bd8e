"""The events of a run as log lines, for programs that migrate when they start."""

from __future__ import annotations

import logging

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

_log = logging.getLogger("howdah.migrate")


def log_event(event: Event) -> None:
    """Log one event: results and waits at INFO, the rest at DEBUG."""
    match event:
        case Noted():
            _log.warning(
                "%s%s", f"{event.finding.where}: " if event.finding.where else "", event.finding.message
            )
        case Result():
            _log.info(
                "%s %s (%.0f ms)",
                event.step.direction.done,
                event.shown,
                event.seconds * 1000,
            )
        case WaitingForLock():
            _log.info("waiting for the migration lock, held by %s", event.holder)
        case StatementRunning():
            _log.info(
                "still running after %.0f s: %s, line %s%s",
                event.seconds,
                event.statement.step.migration.version,
                event.statement.line,
                "".join(f"; waits for {each}" for each in event.blockers),
            )
        case Retrying():
            _log.info(
                "trying %s_%s again: %s%s",
                event.step.migration.version,
                event.step.migration.name,
                event.reason,
                "".join(f"; in the way was {each}" for each in event.blockers),
            )
        case HeldUp():
            _log.info(
                "%s_%s waits, without queuing, for %.0f s%s",
                event.step.migration.version,
                event.step.migration.name,
                event.seconds,
                "".join(f"; for {each}" for each in event.blockers),
            )
        case ProgramSaid():
            _log.info("%s: %s", event.step.migration.version, event.line)
        case StepStarted():
            _log.debug("%s of %s: %s", event.number, event.total, event.step.migration.name)
        case StatementStarted():
            _log.debug("statement %s of %s, line %s", event.number, event.total, event.line)
