"""The run over one database of many: what it did, whatever happened to it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from howdah.config.project import DatabaseSettings
from howdah.connect.known import as_howdah_error
from howdah.dev.needs import migrations_of
from howdah.errors import ConfigError, HowdahError
from howdah.fleet.address import Found, address_of
from howdah.fleet.outcome import DatabaseOutcome, Ending, FleetEvent, Started, Told
from howdah.fleet.turns import Turns
from howdah.migrate.events import Event, Noted, Result
from howdah.migrate.migrator import Migrator
from howdah.migrate.settings import RunSettings

_log = logging.getLogger(__name__)


@dataclass
class MigrateJob:
    """`migrate up` in one database. `run()` may be broken off anywhere; `end()` says how it ended."""

    settings: DatabaseSettings
    found: Found
    turns: Turns
    run_settings: RunSettings
    wait_seconds: float
    tell: Callable[[FleetEvent], None]
    on_end: Callable[[DatabaseOutcome], None]
    _results: list[Result] = field(default_factory=list, init=False)
    _well: Ending | None = field(default=None, init=False)
    _started_at: float = field(default=0.0, init=False)

    def run(self) -> None:
        """Apply what is pending."""
        self._started_at = time.monotonic()
        self.tell(Started(self.settings.name))
        if isinstance(self.found, ConfigError):
            raise self.found
        for note in self.found.notes:
            self._pass_on(Noted(note))
        directory = migrations_of(self.settings, self.found.project)
        if directory is None:
            self._well = Ending.NO_MIGRATIONS
            return
        migrator = Migrator.of(
            self.settings,
            self.found.direct or self.found.database,
            root=self.found.project.root,
            directory=directory,
            run_settings=self.run_settings,
            on_event=self._pass_on,
        )
        with self.turns.hold(migrator, wait_seconds=self.wait_seconds):
            results = migrator.up(wait_seconds=self.wait_seconds)
        self._well = Ending.APPLIED if results else Ending.NOTHING_TO_DO

    def end(self, error: BaseException | None) -> None:
        """Hand over how it ended."""
        known = as_howdah_error(error) if error else None
        self.on_end(
            DatabaseOutcome(
                self.settings.name,
                self._ending(error, known),
                address_of(self.found),
                tuple(self._results),
                None if self._well else known or _mistake(error),
                seconds=time.monotonic() - self._started_at,
            )
        )

    def _ending(self, error: BaseException | None, known: HowdahError | None) -> Ending:
        if self._well:
            return self._well
        is_interrupted = isinstance(error, KeyboardInterrupt) or (known and known.code == "interrupted")
        return Ending.INTERRUPTED if is_interrupted else Ending.FAILED

    def _pass_on(self, event: Event) -> None:
        # A result is told of once it is durable: that is what an outcome may claim.
        if isinstance(event, Result):
            self._results.append(event)
        self.tell(Told(self.settings.name, event))


def _mistake(error: BaseException | None) -> HowdahError | None:
    """A mistake of ours in one database is no reason to leave the others unreported."""
    if error is None or isinstance(error, KeyboardInterrupt):
        return None
    _log.error("a mistake of howdah's own; please report it", exc_info=error)
    return HowdahError(f"{type(error).__name__}: {error}")
