"""Rehearse pending migrations on real data: observed once, then run as production would run them, with canaries."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from howdah.config.database import DatabaseConfig
from howdah.connect.session import open_session
from howdah.errors import MigrationFailed, RefusedError, UnsupportedError
from howdah.migrate.events import Event
from howdah.migrate.migrator import Migrator
from howdah.observe.amounts import say_bytes
from howdah.observe.canaries import Flock, Target, canaries
from howdah.observe.estimate import RATES
from howdah.observe.observer import Observer
from howdah.observe.read_sizes import read_stats
from howdah.observe.sizes import Stats
from howdah.pg.queries import load_queries
from howdah.rehearse.clone import Clone, Copying
from howdah.rehearse.data_failure import explain, hide_values
from howdah.rehearse.interrupts import raising_interrupts
from howdah.rehearse.measured import DataFailure, LiveMigration, LiveRehearsal, strongest_locks
from howdah.rehearse.observed import ObservedStatement, ObservedStep
from howdah.rehearse.probe import ObservingProbe
from howdah.rehearse.source import DataSource
from howdah.rehearse.throwaway import throwaway
from howdah.rehearse.timeline import StepTime, Timeline, tables_of
from howdah.schema.load import missing_role
from howdah.server.choice import Need
from howdah.server.find import find_programs

_QUERIES = Path(__file__).with_name("live.sql")
# Two sessions for each, of the hundred that a server of ours takes.
_MOST_WATCHED = 30
# What is written to the log is to be seen; and a restore is not to wait for checkpoints.
_SETTINGS = {"wal_level": "replica", "max_wal_size": "4GB"}

LiveEvent = Copying | Event


@dataclass(frozen=True, kw_only=True)
class LiveSettings:
    """How to rehearse on real data.

    Attributes:
        at: a server on which to make databases and drop them; None: one is started, and deleted at the end.
        allow_large: read a primary that is larger than `large_bytes`, too.
        large_bytes: a dump holds back vacuum for as long as it reads, and takes the disk's time.
        stats: the sizes of production, where the data is only a part of it.
        on_event: told how far it is.
    """

    at: DatabaseConfig | None = None
    allow_large: bool = False
    large_bytes: int = 10 << 30
    stats: Stats | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    on_event: Callable[[LiveEvent], None] = lambda _: None


def rehearse_on_data(
    source: DataSource, migrator: Migrator, *, settings: LiveSettings | None = None
) -> LiveRehearsal:
    """Run what is pending in a copy of the source, and measure it; the source is only read.

    `migrator` says the files, their format and the history; its database is not looked at. A migration that fails is
    a result, not an error.

    Raises:
        RefusedError: the source is a large primary; the disk has no room; the data cannot be restored whole.
        CommandError, UnsupportedError: there is no PostgreSQL here for it.
        SourceError, HistoryMismatch, DirtyDatabase: files and history of the copy do not fit.
    """
    settings = settings or LiveSettings()
    _refuse_large(source, settings)
    need = Need() if settings.at else _need(source, settings)
    own = {**_SETTINGS, "max_locks_per_transaction": str(source.lock_slots)}
    with (
        throwaway(need, at=settings.at, settings=own, is_small=False, environ=settings.environ) as server,
        server.database() as restored,
    ):
        began = time.monotonic()
        clone = Clone(source, server, restored, on_event=settings.on_event)
        notes = (*server.notes, *clone.restore())
        restore_seconds = time.monotonic() - began
        with open_session(restored) as session:
            sizes = read_stats(session)
            row = session.execute("SELECT pg_database_size(current_database())").fetchone()
            assert row is not None
        settings.on_event(Copying("copying", 0, row[0], 0.0))
        with server.copy(restored) as live:
            passes = _Passes(migrator, clone, restored, live, settings)
            migrations, unwatched = passes.run(sizes)
    return LiveRehearsal(
        source.name, server.version, row[0], restore_seconds, sizes, migrations, unwatched, notes
    )


@dataclass(frozen=True)
class _Passes:
    """The same migrations on two copies: one to observe, one to measure."""

    migrator: Migrator
    clone: Clone
    restored: DatabaseConfig
    live: DatabaseConfig
    settings: LiveSettings

    def run(self, sizes: Stats) -> tuple[tuple[LiveMigration, ...], tuple[str, ...]]:
        """What each migration did, and which tables were not watched."""
        observed, failed = self._observe()
        targets = self._targets(observed)
        with canaries(self.live, targets[:_MOST_WATCHED]) as flock:
            times = self._measure()
        found = self._gather(times, observed, flock, [each.relation for each in targets[:_MOST_WATCHED]])
        found = [replace(each, factor=self._factor(each, sizes)) for each in found]
        if failed is not None:
            found = [self._explained(each, failed) for each in found]
        return tuple(found), tuple(each.relation for each in targets[_MOST_WATCHED:])

    def _observe(self) -> tuple[dict[str, ObservedStep], MigrationFailed | None]:
        """The steps by version, as observed; roles that only setup makes are made as they are missed."""
        migrator = self._on(self.restored, self.settings.on_event)
        steps: dict[str, ObservedStep] = {}
        with Observer() as observer, open_session(self.restored) as session:
            observer.mark_in_use(session)
            while True:
                probe = ObservingProbe(observer)
                failed = None
                try:
                    with raising_interrupts():
                        replace(migrator, probe=probe).up()
                except MigrationFailed as error:
                    failed = error
                    probe.fail(error)
                steps |= {each.step.migration.version: each for each in probe.steps}
                if failed is None or not self._made_role(failed):
                    return steps, failed

    def _made_role(self, failed: MigrationFailed) -> bool:
        role = missing_role(failed.message, failed.sqlstate)
        if role is None or not self.clone.server.is_ours:
            return False
        self.clone.make_roles([role])
        return not failed.is_partial

    def _targets(self, observed: Mapping[str, ObservedStep]) -> list[Target]:
        """The tables to watch: those under the strongest locks first."""
        modes = strongest_locks(
            [statement.effect for step in observed.values() for statement in step.statements]
        )
        names = sorted(modes, key=lambda each: (-modes[each].strength, each))
        with open_session(self.live) as session:
            rows = session.execute(load_queries(_QUERIES)["targets"], {"names": names}).fetchall()
        found = {row[0]: Target(*row) for row in rows}
        return [found[each] for each in names if each in found]

    def _measure(self) -> tuple[StepTime, ...]:
        timeline = Timeline()
        # As in the first pass, which tells of it.
        with suppress(MigrationFailed), raising_interrupts():
            self._on(self.live, timeline).up()
        return timeline.steps()

    def _gather(
        self,
        times: Sequence[StepTime],
        observed: Mapping[str, ObservedStep],
        flock: Flock,
        watched: Sequence[str],
    ) -> list[LiveMigration]:
        found = []
        for each in times:
            migration = each.step.migration
            step = observed.get(migration.version)
            live = LiveMigration(migration.version, migration.name, migration.up, each.seconds)
            if step is not None:
                live = replace(
                    live,
                    statements=step.statements,
                    tables=tables_of(each, step, flock.stalls, watched=frozenset(watched)),
                    failure=step.failure,
                )
            found.append(live)
        return found

    def _explained(self, live: LiveMigration, failed: MigrationFailed) -> LiveMigration:
        if live.version != failed.failed:
            return live
        text = live.statements[-1].text if live.statements else ""
        migrator = self._on(self.restored, lambda _: None)
        data = explain(failed, text, migrator, self.live)
        hide_values(failed)
        return replace(live, statements=_without_values(live.statements, data), failure=failed, data=data)

    def _factor(self, live: LiveMigration, sizes: Stats) -> float | None:
        """How many times larger in production the tables are that it works on."""
        if self.settings.stats is None:
            return None
        worked = {
            work.relation
            for statement in live.statements
            for work in statement.effect.work
            if work.kind in RATES
        }
        there = sum(size.bytes for name in worked if (size := self.settings.stats.find(name)))
        here = sum(size.bytes for name in worked if (size := sizes.find(name)))
        return max(there / here, 1.0) if here and there else None

    def _on(self, database: DatabaseConfig, on_event: Callable[[Event], None]) -> Migrator:
        # Without a stall budget: the run would give up at it, and how long the stall really is would not be seen.
        patient = replace(self.migrator.settings, stall_seconds=0.0)
        return replace(
            self.migrator, database=database, is_throwaway=True, on_event=on_event, settings=patient
        )


def _without_values(
    statements: tuple[ObservedStatement, ...], data: DataFailure | None
) -> tuple[ObservedStatement, ...]:
    """The statements, with the words of the failure that tell no value of a row."""
    if data is None or not statements:
        return statements
    *before, last = statements
    return (*before, replace(last, effect=replace(last.effect, error=data.message)))


def _refuse_large(source: DataSource, settings: LiveSettings) -> None:
    if source.is_primary and source.bytes > settings.large_bytes and not settings.allow_large:
        raise RefusedError(
            f"{source.name} is a primary with {say_bytes(source.bytes)}: will not read all of it unasked",
            code="large-source",
            why="While a dump reads, no vacuum removes a row that it may still see, and it takes the disk's time.",
            fix="Name a replica or a dump; or go ahead, when the application has little to do.",
        )


def _need(source: DataSource, settings: LiveSettings) -> Need:
    """The source's version with its extensions; without them where no PostgreSQL here has them all."""
    need = Need(major=source.major or None, extensions=source.extensions)
    try:
        find_programs(need, environ=settings.environ)
    except UnsupportedError as error:
        if error.code != "no-programs" or not source.extensions:
            raise
        return replace(need, extensions=frozenset())
    return need
