"""The run over one database of many: what it did, whatever happened to it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from howdah.connect.known import as_howdah_error
from howdah.errors import ConfigError, HowdahError
from howdah.fleet.inventory import Found, address_of, make_migrator
from howdah.fleet.outcome import DatabaseOutcome, Ending, FleetEvent, Started, Told
from howdah.fleet.turns import Turns
from howdah.migrate.events import Event, Noted, Result
from howdah.migrate.formats.interface import OutOfOrder
from howdah.migrate.migrator import Migrator
from howdah.migrate.settings import RunSettings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class FleetSettings:
    """What holds for the run in every database: how patient it is, and what becomes of migrations out of order."""

    wait_seconds: float = 0
    out_of_order: OutOfOrder | None = None
    run_settings: RunSettings = RunSettings()  # noqa: RUF009 - frozen


class MigrateJob:
    """`migrate up` in one database. `run()` may be broken off anywhere; `end()` says how it ended."""

    def __init__(
        self,
        name: str,
        found: Found,
        *,
        settings: FleetSettings,
        turns: Turns,
        run_in_front: Callable[[Callable[[], None]], None],
        tell: Callable[[FleetEvent], None],
        on_end: Callable[[DatabaseOutcome], None],
    ) -> None:
        self.name = name
        self._target = address_of(found)
        self._notes = () if isinstance(found, ConfigError) else found.notes
        self._settings = settings
        self._turns = turns
        self._run_in_front = run_in_front
        self._tell = tell
        self._on_end = on_end
        self._results: list[Result] = []
        self._well: Ending | None = None
        self._started_at = 0.0
        # Made now, not in run(): it reads variables, which a migration of another database may change meanwhile.
        self._migrator: Migrator | HowdahError | None
        try:
            self._migrator = make_migrator(
                found,
                out_of_order=settings.out_of_order,
                run_settings=settings.run_settings,
                on_event=self._pass_on,
            )
        except HowdahError as error:
            self._migrator = error

    def run(self) -> None:
        """Apply what is pending."""
        self._started_at = time.monotonic()
        self._tell(Started(self.name))
        for note in self._notes:
            self._pass_on(Noted(note))
        if self._migrator is None:
            self._well = Ending.NO_MIGRATIONS
            return
        if isinstance(self._migrator, HowdahError):
            raise self._migrator
        migrator, wait_seconds = self._migrator, self._settings.wait_seconds

        def up() -> None:
            results = migrator.up(wait_seconds=wait_seconds)
            self._well = Ending.APPLIED if results else Ending.NOTHING_TO_DO

        with self._turns.hold(migrator, wait_seconds=wait_seconds) as is_alone:
            if is_alone:
                self._run_in_front(up)
            else:
                up()

    def end(self, error: BaseException | None) -> None:
        """Hand over how it ended."""
        known = as_howdah_error(error) if error else None
        self._on_end(
            DatabaseOutcome(
                self.name,
                self._ending(error, known),
                self._target,
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
        self._tell(Told(self.name, event))


def _mistake(error: BaseException | None) -> HowdahError | None:
    """A mistake of ours in one database is no reason to leave the others unreported."""
    if error is None or isinstance(error, KeyboardInterrupt):
        return None
    _log.error("a mistake of howdah's own; please report it", exc_info=error)
    return HowdahError(f"{type(error).__name__}: {error}")
