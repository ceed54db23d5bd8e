"""Apply what is pending in every database of a project, several at a time, each behind what it depends on."""

from __future__ import annotations

import threading
from collections.abc import Callable

from howdah.config.project import Project
from howdah.fleet.crew import Crew
from howdah.fleet.inventory import address_of, find_addresses
from howdah.fleet.job import FleetSettings, MigrateJob
from howdah.fleet.outcome import DatabaseOutcome, Ended, Ending, FleetEvent, Outcome
from howdah.fleet.schedule import Schedule
from howdah.fleet.turns import Turns
from howdah.migrate.formats.interface import OutOfOrder
from howdah.migrate.settings import RunSettings


def migrate_all(
    project: Project,
    *,
    parallel: int = 1,
    wait_seconds: float = 0,
    out_of_order: OutOfOrder | None = None,
    run_settings: RunSettings | None = None,
    on_event: Callable[[FleetEvent], None] = lambda _: None,
) -> Outcome:
    """Apply what is pending in every database of the project, `parallel` of them at a time.

    A database comes behind those that it depends on. Where one fails, what depends on it is skipped, and the others
    go on. At Ctrl-C no other is begun, and what runs is cancelled as in a run over one database. Two entries that
    mean one database take turns. `on_event` is called by one thread at a time.

    What goes wrong in a database is not raised: the outcome has it.

    Raises:
        ConfigError: nothing says where any of them is; nothing was tried.
    """
    settings = FleetSettings(
        wait_seconds=wait_seconds, out_of_order=out_of_order, run_settings=run_settings or RunSettings()
    )
    found = find_addresses(project)
    turns = Turns(address for each in found.values() if (address := address_of(each)))
    telling = threading.Lock()

    def tell(event: FleetEvent) -> None:
        with telling:
            on_event(event)

    def end(outcome: DatabaseOutcome) -> None:
        if outcome.ending is Ending.INTERRUPTED:
            crew.interrupt()
        line.end(outcome)

    line = _Line(Schedule({each.name: each.depends_on for each in project.databases}), tell)
    crew = Crew(max(1, min(parallel, len(found))), take=line.take, stop=line.stop)
    for name, where in found.items():
        line.add(
            MigrateJob(
                name,
                where,
                settings=settings,
                turns=turns,
                run_in_front=crew.run_in_front,
                tell=tell,
                on_end=end,
            )
        )
    crew.work()
    return line.outcome()


class _Line:
    """The databases in the order of the schedule, and how each ended; shared by the threads."""

    def __init__(self, schedule: Schedule, tell: Callable[[FleetEvent], None]) -> None:
        self._schedule = schedule
        self._tell = tell
        self._jobs: dict[str, MigrateJob] = {}
        self._outcomes: dict[str, DatabaseOutcome] = {}
        self._changed = threading.Condition()
        self._is_stopped = False

    def add(self, job: MigrateJob) -> None:
        """A database, before the threads begin."""
        self._jobs[job.name] = job

    def take(self) -> MigrateJob | None:
        """The next database, as soon as one may start; None where there will be none."""
        with self._changed:
            while not self._is_stopped and not self._schedule.is_over:
                name = self._schedule.following
                if name is not None:
                    self._schedule = self._schedule.start(name)
                    return self._jobs[name]
                self._changed.wait()
            return None

    def stop(self) -> None:
        """Start no more."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    def end(self, outcome: DatabaseOutcome) -> None:
        """Keep the outcome of a database that ran; what waited for it may start, or is skipped."""
        with self._changed:
            self._keep(outcome)
            self._schedule = self._schedule.end(outcome.name, is_well=outcome.ending.is_well)
            if not self._is_stopped:
                for name, because_of in self._schedule.skipped().items():
                    self._keep(DatabaseOutcome(name, Ending.SKIPPED, because_of=because_of))
            self._changed.notify_all()

    def outcome(self) -> Outcome:
        """How it ended everywhere."""
        return Outcome(tuple(self._outcomes.get(name) or self._without_end(name) for name in self._jobs))

    def _without_end(self, name: str) -> DatabaseOutcome:
        is_running = name in self._schedule.running
        return DatabaseOutcome(name, Ending.INTERRUPTED if is_running else Ending.NOT_STARTED)

    def _keep(self, outcome: DatabaseOutcome) -> None:
        is_new = outcome.name not in self._outcomes
        self._outcomes[outcome.name] = outcome
        if is_new:
            self._tell(Ended(outcome))
