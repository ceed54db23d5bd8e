"""Which version the server is, and whether it takes writes."""

from __future__ import annotations

from howdah.doctor.checks.check import Outcome
from howdah.doctor.examination import Examination
from howdah.findings import Finding, Severity
from howdah.pg.version import OLDEST_MAJOR, version_of_number


def check(examination: Examination) -> Outcome:
    """Version and role; what the project says it runs is compared."""
    server = examination.server
    role = "a replica" if server["in_recovery"] else "read only" if server["read_only"] else "takes writes"
    return Outcome(
        f"PostgreSQL {server['version']}, {role}",
        tuple(filter(None, (_version(examination), _writes(examination)))),
    )


def _version(examination: Examination) -> Finding | None:
    major = version_of_number(examination.server["version_number"]).major
    wanted = examination.subject.project.dev.major
    if major < OLDEST_MAJOR:
        return Finding(
            code="old-server",
            message=f"the server is PostgreSQL {major}",
            severity=Severity.WARNING,
            why=f"howdah is tested with PostgreSQL {OLDEST_MAJOR} and later.",
            fix="Upgrade the server.",
        )
    if wanted is not None and wanted != major:
        return Finding(
            code="other-major-version",
            message=f"the project is made for PostgreSQL {wanted}, this server is PostgreSQL {major}",
            severity=Severity.INFO,
            why="What works on one major version may fail on the other.",
            fix="Set `postgresql` in [dev] of howdah.toml to what production runs.",
        )
    return None


def _writes(examination: Examination) -> Finding | None:
    server = examination.server
    if not server["in_recovery"] and not server["read_only"]:
        return None
    if server["in_recovery"]:
        why = "It is a replica; what is written arrives from its primary."
        fix = "Give the primary's address; of several hosts, target_session_attrs=read-write finds it."
    else:
        why = "default_transaction_read_only is on for this role, database or server; a full disk may be why."
        fix = "Have it turned off, or give another address."
    return Finding(
        code="read-only-server",
        message=f"{examination.subject.database.target} takes no writes",
        severity=Severity.WARNING,
        why=why,
        fix=fix,
    )
