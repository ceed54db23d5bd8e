"""Try migrations up, down and up again, from nothing, and see what does not come back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from howdah.config.project import ForeignSettings
from howdah.errors import ForeignStep, HowdahError, MigrationError, MigrationFailed, SourceError
from howdah.migrate.migration import Step
from howdah.migrate.plan import shown
from howdah.rehearse.noise import part_noise
from howdah.rehearse.observed import ObservedStep
from howdah.rehearse.replay import PLAIN, Surroundings, replaying
from howdah.rehearse.stage import Stage, Touched, join_touched, staging
from howdah.rehearse.throwaway import Throwaway
from howdah.rehearse.trip import FailsOnRows, RoundTrip, RoundTrips, WayBack
from howdah.schema.compare import compare
from howdah.schema.model import Mark


@dataclass(frozen=True, kw_only=True)
class Travel:
    """Which migrations to try, and how.

    Attributes:
        only: versions to try; the others are only applied. None: all.
        has_down: try the way down, too.
        has_rows: put rows into the tables.
        surroundings: what the database has before its first migration.
        foreign: the commands for migrations that are no SQL.
        variables: what the files may put in; None: that is refused.
        on_step: told what begins.
    """

    only: Collection[str] | None = None
    has_down: bool = True
    has_rows: bool = True
    surroundings: Surroundings = PLAIN
    foreign: ForeignSettings = field(default_factory=ForeignSettings)
    variables: Mapping[str, str] | None = None
    on_step: Callable[[str], None] = lambda _: None


def try_round_trips(throwaway: Throwaway, of: str, directory: Path, travel: Travel) -> RoundTrips:
    """Replay a directory's migrations of the format `of`, and try those that are wanted up, down and up again.

    Raises:
        SourceError: the files are wrong.
        ConnectError, RefusedError: the server does not give a database.
    """
    return _Journey(throwaway, of, directory, travel).go()


@dataclass
class _Journey:
    throwaway: Throwaway
    of: str
    directory: Path
    travel: Travel
    _trips: list[RoundTrip] = field(default_factory=list, init=False)
    _without_rows: dict[str, str] = field(default_factory=dict, init=False)
    _way_back: WayBack | None = field(default=None, init=False)
    _is_doubtful: bool = field(default=False, init=False)

    def go(self) -> RoundTrips:
        at: int | None = 0
        failure: HowdahError | None = None
        while at is not None:
            try:
                with self._stage() as stage:
                    try:
                        at = self._go_on(stage, at)
                    finally:
                        self._is_doubtful = stage.is_doubtful
                    self._without_rows |= stage.seeds.without_rows
            except MigrationFailed as failed:
                failure, at = failed, None
        return RoundTrips(
            tuple(self._trips), self._way_back, failure, self._without_rows, is_doubtful=self._is_doubtful
        )

    @contextmanager
    def _stage(self) -> Iterator[Stage]:
        travel = self.travel
        with replaying(
            self.throwaway,
            self.of,
            self.directory,
            surroundings=travel.surroundings,
            variables=travel.variables,
        ) as run:
            migrator = replace(run.migrator, foreign=travel.foreign)
            with staging(replace(run, migrator=migrator), has_rows=travel.has_rows) as stage:
                yield stage

    def _go_on(self, stage: Stage, at: int) -> int | None:
        """Try what comes behind the first `at` steps; where to go on in a new database, None: all is done."""
        steps = stage.stepper.plan.steps
        base = next((number for number, each in enumerate(steps) if self._is_wanted(each)), len(steps))
        stage.apply(steps[:base])
        if self.travel.only is not None:
            stage.mark_in_use()
        stage.apply(steps[base:at])
        for number, step in enumerate(steps[max(at, base) :], max(at, base) + 1):
            self.travel.on_step(f"{number}/{len(steps)} {step.migration.version} {step.migration.name}")
            if not self._is_wanted(step):
                stage.apply([step])
                continue
            trip, is_sound = _Trip(stage, step, has_down=self.travel.has_down).go()
            self._trips.append(trip)
            if trip.up.failure is not None and not trip.is_unknown:
                return None
            if not is_sound:
                return number if number < len(steps) else None
        if self.travel.only is None and any(each.down for each in self._trips):
            self._way_back = self._go_back(stage)
        return None

    def _is_wanted(self, step: Step) -> bool:
        return self.travel.only is None or step.migration.version in self.travel.only

    def _go_back(self, stage: Stage) -> WayBack:
        """All the way down, without rows: what they do to a single down is known."""
        one_way = [each.migration.version for each in self._trips if each.down is None]
        if one_way:
            return WayBack(not_tried=f"no way down from {shown(one_way)}")
        failing = [each.migration.version for each in self._trips if each.down and each.down.failure]
        if failing:
            return WayBack(not_tried=f"the way down fails at {shown(failing)}")
        stage.take_rows_out()
        try:
            stage.stepper.run(stage.stepper.plan_down().steps)
        except MigrationError as error:
            return WayBack(failure=error)
        stage.model.read(None)
        return WayBack(*part_noise(compare(stage.start, stage.model.snapshot), start=stage.start))


@dataclass
class _Trip:
    """One migration on a stage where those before it are applied."""

    stage: Stage
    step: Step
    has_down: bool
    _facts: list[FailsOnRows] = field(default_factory=list, init=False)

    def go(self) -> tuple[RoundTrip, bool]:
        """What came of it; and whether the database is now as the up alone would have left it."""
        stage = self.stage
        start, is_doubtful = stage.model.mark, stage.is_doubtful
        up = self._run(self.step)
        trip = RoundTrip(self.step.migration, up, is_doubtful=is_doubtful)
        if isinstance(up.failure, ForeignStep):
            stage.skip(self.step)
            return replace(trip, is_unknown=True), True
        if up.failure is not None:
            return self._told(trip), False
        try:
            back = stage.stepper.back(self.step) if self.has_down else None
        except SourceError as error:
            trip, back = replace(trip, problem=error), None
        if back is None:
            stage.keep_rows(up.touched)
            return self._told(trip), True
        return self._go_back(trip, back, start)

    def _go_back(self, trip: RoundTrip, back: Step, start: Mark) -> tuple[RoundTrip, bool]:
        stage, up = self.stage, trip.up
        top, unproved, facts = stage.model.mark, stage.without_data(start), len(self._facts)
        stage.keep_rows(up.touched, refill=False)
        down = self._run(back)
        trip = replace(trip, down=down)
        if down.failure is not None:
            is_sound = not down.failure.is_partial
            if is_sound:
                stage.keep_rows(up.touched)
            return self._told(trip), is_sound
        left, noise = stage.differences(start)
        touched = join_touched(up, down)
        if len(self._facts) > facts:
            # Its rows were taken out for it: nothing can be said of them.
            unproved = stage.changed_tables(start, top)
        else:
            trip = replace(trip, lost=stage.lost(touched))
        trip = replace(trip, left=left, noise=noise, unproved=unproved)
        return self._go_up_again(trip, start, top, touched)

    def _go_up_again(
        self, trip: RoundTrip, start: Mark, top: Mark, touched: Touched
    ) -> tuple[RoundTrip, bool]:
        stage = self.stage
        is_mended = not trip.left
        if trip.left:
            mend, is_mended = stage.mend(trip.left, start)
            trip = replace(trip, mend=mend)
        if not is_mended and not stage.differences(top)[0]:
            # The down did nothing: what the up made is there.
            stage.stepper.record(self.step)
            stage.keep_rows(touched)
            return self._told(trip), True
        again = self._run(self.step)
        trip = replace(trip, again=again)
        if again.failure is not None:
            return self._told(trip), False
        trip = replace(trip, differs=stage.differences(top)[0])
        stage.keep_rows(join_touched(trip.up, trip.down, again))
        return self._told(trip), not trip.differs

    def _told(self, trip: RoundTrip) -> RoundTrip:
        return replace(trip, fails_on_rows=tuple(dict.fromkeys(self._facts)))

    def _run(self, step: Step) -> ObservedStep:
        """Run a step; once more without rows of ours where it fails on them."""
        stage = self.stage
        observed = stage.observe(step)
        failure = observed.failure
        is_server = failure is not None and failure.sqlstate is not None and not failure.is_partial
        if not is_server or not stage.seeds.oids:
            return observed
        fact = stage.why_not_on_rows(observed)
        stage.take_rows_out()
        without = stage.observe(step)
        if without.failure is None:
            self._facts.append(fact)
        return without
