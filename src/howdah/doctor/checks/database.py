"""Whether the database is there and takes us."""

from __future__ import annotations

from howdah.doctor.checks.check import Outcome, refused
from howdah.doctor.examination import Examination
from howdah.findings import Finding, Severity


def check(examination: Examination) -> Outcome:
    """Its name, encoding and owner."""
    if diagnosis := examination.refusal("database"):
        return refused(examination, diagnosis)
    server = examination.server
    summary = f"{server['database']}, {server['encoding']}, owned by {server['owner']}"
    if server["encoding"] != "SQL_ASCII":
        return Outcome(summary)
    finding = Finding(
        code="no-encoding",
        message=f"database {server['database']} has the encoding SQL_ASCII",
        severity=Severity.WARNING,
        why="The server then stores whatever bytes come, and the same text may be there in several encodings.",
        fix="Create the database with ENCODING 'UTF8', and dump and restore into it.",
    )
    return Outcome(summary, (finding,))
