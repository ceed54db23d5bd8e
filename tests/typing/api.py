"""Only type-checked, never run: what a program that uses the public names may rely on."""

from __future__ import annotations

from pathlib import Path

from howdah import (
    CheckSettings,
    DatabaseConfig,
    HowdahError,
    Migrator,
    Rehearsal,
    RunSettings,
    check_migrations,
    find_subjects,
    load_project,
    migrate_all,
    read_statuses,
)


def migrate_at_start() -> list[str]:
    database = DatabaseConfig(
        host="localhost", port="5432", database="app", options={"sslmode": "verify-full"}
    )
    settings = RunSettings(lock_limit_seconds=60, stall_seconds=1)
    migrator = Migrator(database=database, directory=Path("migrations"), settings=settings)
    results = migrator.up_at_start(switch="APP_AUTO_MIGRATE", wait_seconds=30, lock_limit_seconds=600)
    return [f"{result.file.name} {result.seconds:.1f} s" for result in results]


def go_to(migrator: Migrator, version: int) -> tuple[int, int]:
    planned = len(migrator.plan(to=version).steps)
    done = migrator.up(to=version)
    return planned, sum(result.statements for result in done)


def come_back(migrator: Migrator) -> list[str]:
    return [result.step.migration.version for result in migrator.down()]


def pending(migrator: Migrator) -> list[str]:
    return [entry.version for entry in migrator.status().pending]


def explain(error: HowdahError) -> str:
    place = f"{error.where.file}:{error.where.line}" if error.where else ""
    return "\n".join([error.code, error.message, place, error.why or "", error.fix or "", *error.next])


def every_database() -> list[str]:
    project = load_project()
    states = [f"{each.name} {each.condition.value} {each.pending}" for each in read_statuses(project)]
    outcome = migrate_all(project, parallel=4, on_event=print)
    return states + [f"{each.name} {each.ending.value} {each.error}" for each in outcome.databases]


def what_fails(base: str) -> dict[str, list[str]]:
    settings = CheckSettings(base=base, rehearsal=Rehearsal(), tries_down=False)
    reports = {subject.name: check_migrations(subject, settings) for subject in find_subjects(load_project())}
    return {
        name: [each.finding.message for each in report.all_findings]
        for name, report in reports.items()
        if not report.is_ok()
    }
