"""What a rehearsal from nothing says of each migration: what it does, and whether its `down` takes it back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from howdah.check.advice.advise import advise
from howdah.check.judgement import (
    Judged,
    Weigh,
    doubt,
    doubted,
    judge_step,
    judge_trip,
    judge_way_back,
    unweighed,
)
from howdah.check.report import MigrationReport, RuleFinding
from howdah.errors import HowdahError, Where
from howdah.findings import Finding, Severity
from howdah.migrate.migration import Source
from howdah.observe.effect import Effect
from howdah.observe.estimate import follow, weigh
from howdah.observe.sizes import Stats
from howdah.observe.verdict import Verdict, judge
from howdah.rehearse.replay import replaying, surroundings_of
from howdah.rehearse.round_trip import Travel, try_round_trips
from howdah.rehearse.throwaway import throwaway
from howdah.rehearse.trip import RoundTrip, RoundTrips
from howdah.rehearse.verify import Chain
from howdah.server.choice import Need

if TYPE_CHECKING:
    from howdah.check.settings import CheckSettings
    from howdah.check.subject import Subject


@dataclass(frozen=True)
class Rehearsed:
    """What was seen.

    Attributes:
        server: the version it ran on.
        reports: by version, of what was tried.
        findings: about no single migration.
    """

    server: str
    reports: Mapping[str, MigrationReport]
    findings: tuple[RuleFinding, ...] = ()


def rehearse(
    subject: Subject, source: Source, settings: CheckSettings, *, new: Collection[str] | None
) -> Rehearsed:
    """Run all migrations on a throwaway server, trying those that are new up, down and up again; None: all.

    What is there before the first new one is in use. Without a base it is what is there before each.

    Raises:
        UnsupportedError: no PostgreSQL here has what they need.
    """
    assert settings.rehearsal is not None, "there is a place to run them"
    surroundings = surroundings_of(subject.settings.setup)
    need = Need(settings.major, Chain(subject.format, source).extensions | set(surroundings.extensions))
    travel = Travel(
        only=new,
        has_down=settings.tries_down,
        surroundings=surroundings,
        foreign=subject.settings.foreign,
        variables=subject.variables,
        on_step=settings.rehearsal.on_step,
    )
    with throwaway(need, at=settings.rehearsal.at, environ=settings.rehearsal.environ) as server:
        found = try_round_trips(server, subject.format, subject.directory, travel)
        judged = _judge(found.trips, settings.stats, is_ahead=new is not None)
        with replaying(
            server,
            subject.format,
            subject.directory,
            surroundings=surroundings,
            variables=subject.variables,
        ) as run:
            judged = advise(judged, run, subject.tool)
    reports = {
        trip.migration.version: _report(trip, each) for trip, each in zip(found.trips, judged, strict=True)
    }
    notes = (RuleFinding(each, Verdict.SAFE) for each in server.notes)
    return Rehearsed(server.version, reports, (*notes, *_of_chain(found)))


def _judge(trips: Sequence[RoundTrip], stats: Stats | None, *, is_ahead: bool) -> tuple[Judged, ...]:
    """`is_ahead`: production has not seen them; where it has, its sizes are those behind them already."""
    judge_effect = unweighed if stats is None else _weighing(stats, is_ahead=is_ahead)
    judged = ((each, judge_step(each.up, weigh=judge_effect)) for each in trips)
    return tuple(doubted(of) if trip.is_doubtful else of for trip, of in judged)


def _weighing(stats: Stats, *, is_ahead: bool) -> Weigh:
    """Weighs effects in the order they come: what one renames is found by its new name behind it."""
    now = stats

    def weigh_effect(effect: Effect) -> tuple[Verdict, str]:
        nonlocal now
        weighed = weigh(effect, judge(effect), now)
        if is_ahead:
            now = follow(now, effect)
        return weighed.verdict, weighed.why

    return weigh_effect


def _report(trip: RoundTrip, judged: Judged) -> MigrationReport:
    migration = trip.migration
    return MigrationReport(
        migration.version,
        migration.name,
        migration.path,
        is_new=True,
        is_run=True,
        statements=judged.statements,
        reversible=trip.reversible,
        findings=(*judged.findings, *judge_trip(trip), *_unseen(trip)),
        is_unknown=trip.is_unknown or not trip.up.is_seen,
    )


def _unseen(trip: RoundTrip) -> tuple[RuleFinding, ...]:
    """That nobody saw what a program's statements do: what was not looked at is not called safe."""
    if trip.up.is_seen or trip.up.failure:
        return ()
    finding = Finding(
        "not-observed",
        f"{trip.migration.version} ({trip.migration.name}) ran, and nobody saw what its statements lock and rewrite",
        Severity.WARNING,
        Where(str(trip.migration.path)),
        why="A program makes them. Only the schema and the rows before and behind it were compared.",
        fix="Look at the SQL that it makes; of Alembic, `alembic upgrade FROM:TO --sql` prints it.",
    )
    return (RuleFinding(finding, Verdict.UNKNOWN),)


def _of_chain(found: RoundTrips) -> tuple[RuleFinding, ...]:
    way_back = judge_way_back(found.way_back) if found.way_back else ()
    failing = map(_failing, filter(None, [found.failure]))
    return (*(map(doubt, failing) if found.is_doubtful else failing), *way_back)


def _failing(error: HowdahError) -> RuleFinding:
    return RuleFinding(replace(Finding.of(error), code="migration-fails"), Verdict.FAILS)
