"""What a rehearsal on real data says: what fails on the rows, and who waited longer than they may."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from howdah.check.report import RuleFinding
from howdah.config.database import DatabaseConfig
from howdah.errors import Where
from howdah.findings import Finding, Severity
from howdah.migrate.migrator import Migrator
from howdah.migrate.settings import RunSettings
from howdah.observe.amounts import Range
from howdah.observe.verdict import Verdict
from howdah.rehearse.live import LiveSettings, rehearse_on_data
from howdah.rehearse.measured import LiveMigration, LiveRehearsal, LiveTable
from howdah.rehearse.source import find_source

if TYPE_CHECKING:
    from howdah.check.settings import CheckSettings
    from howdah.check.subject import Subject


@dataclass(frozen=True)
class Live:
    """A rehearsal on real data, and what is found in it."""

    rehearsal: LiveRehearsal
    findings: tuple[RuleFinding, ...]


def rehearse_live(subject: Subject, settings: CheckSettings) -> Live:
    """Run what is pending in a copy of `settings.data`.

    Raises:
        ConfigError, ConnectError: there is no such data, or it cannot be reached.
        RefusedError: it may not be read, or is too large.
        HistoryMismatch, DirtyDatabase: its history does not fit the files.
    """
    assert settings.data is not None, "there is data to rehearse on"
    assert settings.rehearsal is not None, "there is a place to rehearse on"
    migrator = Migrator.of(
        subject.settings,
        DatabaseConfig(),
        root=subject.root,
        directory=subject.directory,
        format=subject.format,
    )
    how = LiveSettings(
        at=settings.rehearsal.at,
        stats=settings.stats,
        environ=settings.rehearsal.environ,
        on_event=settings.on_data,
        allow_large=settings.allow_large,
    )
    found = rehearse_on_data(find_source(settings.data), migrator, settings=how)
    budget = RunSettings().or_stall(subject.settings.max_stall_seconds).stall_budget_seconds
    notes = tuple(RuleFinding(each, Verdict.SAFE) for each in found.notes)
    return Live(found, (*notes, *(one for each in found.migrations for one in judge_live(each, budget))))


def judge_live(live: LiveMigration, budget_seconds: float) -> Iterator[RuleFinding]:
    """What is to be said of a migration on real data; a wait within the stall budget is none of it."""
    if live.failure is not None:
        yield RuleFinding(_failure(live), Verdict.FAILS)
    for table in live.tables:
        expected = live.expected(table.stall_seconds)
        if (expected.high if expected else table.stall_seconds) > budget_seconds:
            yield RuleFinding(_stall(live, table, expected, budget_seconds), Verdict.UNSAFE)


def _failure(live: LiveMigration) -> Finding:
    assert live.failure is not None, "it failed"
    found = replace(Finding.of(live.failure), code="fails-on-data", next=())
    data = live.data
    if data is None:
        return found
    count = "" if data.count is None else f" {data.count} rows stand in the way"
    examples = f", such as {', '.join(data.examples)}" if data.examples and count else ""
    return replace(
        found,
        message=f"fails on {data.kind.value}: {data.message}",
        why=f"{data.detail}{count}{examples}.".strip() if data.detail or count else found.why,
        fix=f"Mend these rows first; this finds them all:\n{data.query}" if data.query else found.fix,
    )


def _stall(live: LiveMigration, table: LiveTable, expected: Range | None, budget_seconds: float) -> Finding:
    who = "readers and writers" if (table.reader_seconds or 0.0) > budget_seconds else "writers"
    there = f", which in production is {expected}" if expected else ""
    return Finding(
        "stalls-application",
        f"{who} of {table.relation} wait for {table.stall_seconds:.1f} s{there}",
        Severity.ERROR,
        Where(str(live.file), table.line or None) if live.file else None,
        why=f"{table.mode.value} was held for {table.held_seconds:.1f} s, as canaries saw from beside it.",
        fix="Take the way that is advised at the statement, or choose a time when nobody uses the table.",
    )
