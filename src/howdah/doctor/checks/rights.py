"""What the role may do in the database."""

from __future__ import annotations

from howdah.doctor.checks.check import Outcome
from howdah.doctor.examination import Examination
from howdah.findings import Finding, Severity
from howdah.pg.identifiers import quote_identifier


def check(examination: Examination) -> Outcome:
    """Ownership, and whether tables can be created where an application creates them."""
    server = examination.server
    who = "superuser" if server["is_superuser"] else "owner" if server["is_owner"] else "not the owner"
    if server["schema"] is None:
        finding = Finding(
            code="no-schema",
            message=f"no schema of the search_path exists: {server['search_path']}",
            severity=Severity.WARNING,
            why="Tables that are created without a schema's name have no place to go.",
            fix="Create the schema, or set the role's or the database's search_path.",
            next=("howdah setup apply",),
        )
        return Outcome(f"{who}; no schema to create tables in", (finding,))
    schema, user = server["schema"], server["user_name"]
    if server["creates_tables"]:
        return Outcome(f"{who}; may create tables in schema {schema}")
    statement = f"GRANT USAGE, CREATE ON SCHEMA {quote_identifier(schema)} TO {quote_identifier(user)}"
    finding = Finding(
        code="no-create-privilege",
        message=f"role {user} may not create tables in schema {schema}",
        severity=Severity.WARNING,
        why=f"It has no CREATE on the schema; since PostgreSQL 15, not everybody has it in public. The owner of"
        f" the database is {server['owner']}.",
        fix=f"If this role migrates, let the owner or a superuser run: {statement};",
        next=("howdah setup plan",),
    )
    return Outcome(f"{who}; may not create tables in schema {schema}", (finding,))
