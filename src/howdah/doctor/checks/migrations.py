"""Whether the history is clean, and what is pending."""

from __future__ import annotations

from howdah.doctor.checks.check import Outcome
from howdah.doctor.examination import Examination
from howdah.errors import ConfigError
from howdah.findings import Finding, Severity
from howdah.migrate.discover import directory_of
from howdah.migrate.migrator import Migrator


def check(examination: Examination) -> Outcome:
    """The version, what is pending, and everything `migrate status` finds wrong."""
    subject = examination.subject
    try:
        directory = directory_of(subject.settings, subject.project)
    except ConfigError as error:
        if error.code == "no-migrations-directory":
            return Outcome("no migrations in this project", next=(*error.next, "howdah status")[0])
        if error.code == "several-migrations-directories" and subject.project.file is None:
            return Outcome(
                "not looked at: several folders here hold migrations", next="howdah migrate status --dir DIR"
            )
        raise
    migrator = Migrator.of(
        subject.settings,
        subject.direct or subject.database,
        root=subject.project.root,
        directory=directory,
        on_event=lambda _: None,
    )
    status = migrator.status()
    if status.history.dirty:
        return Outcome("the history is dirty", status.findings)
    pending = len(status.pending)
    said = f"at version {status.history.version}" if status.history.version is not None else "none applied"
    if not pending:
        return Outcome(f"{said}; nothing is pending", status.findings, next="howdah migrate status")
    finding = Finding(
        code="pending-migrations",
        message=f"{pending} of {len(status.entries)} migrations are pending",
        severity=Severity.INFO,
        next=("howdah migrate up",),
    )
    return Outcome(f"{said}; {pending} pending", (*status.findings, finding))
