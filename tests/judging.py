"""Run a folder of migrations on a throwaway database as a check does, and let the rules judge what was observed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fix_db import connect
from howdah.check.advice.advise import advise
from howdah.check.judgement import Judged, judge_step
from howdah.check.report import RuleFinding
from howdah.config.database import DatabaseConfig
from howdah.errors import MigrationFailed, RefusedError
from howdah.migrate.formats import find_format
from howdah.observe.observer import Observer
from howdah.rehearse.probe import ObservingProbe
from howdah.rehearse.replay import replaying
from howdah.rehearse.throwaway import Throwaway


def throwaway_at(address: DatabaseConfig) -> Throwaway:
    """The tests' server, to be thrown away."""
    with connect(address) as connection:
        version = connection.info.parameter_status("server_version") or ""
    return Throwaway(address, version, is_ours=False)


def judge_files(
    throwaway: Throwaway, directory: Path, *, format: str = "golang-migrate", base: str | None = None
) -> list[Judged]:
    """What the rules say of the steps behind `base`; what stands then is in use."""
    with Observer() as observer:
        probe = ObservingProbe(observer)
        with replaying(throwaway, format, directory, probe=probe) as run:
            if base is not None:
                run.up(to=base)
                with connect(run.database) as connection:
                    observer.mark_in_use(connection)
            ran = len(probe.steps)
            try:
                run.up()
            except RefusedError as error:
                if not isinstance(error.__cause__, MigrationFailed):
                    raise
                probe.fail(error.__cause__)
        return [judge_step(each) for each in probe.steps[ran:]]


def advised(
    throwaway: Throwaway, directory: Path, judged: Sequence[Judged], *, format: str = "golang-migrate"
) -> tuple[Judged, ...]:
    """The same with proved steps."""
    with replaying(throwaway, format, directory) as run:
        return advise(judged, run, find_format(format))


def all_findings(judged: Sequence[Judged]) -> list[RuleFinding]:
    """Of the statements and of the steps."""
    return [
        finding
        for step in judged
        for finding in (*(f for each in step.statements for f in each.findings), *step.findings)
    ]
