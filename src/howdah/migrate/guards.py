"""Refuse a server on which a run could not work, or its lock would mean nothing."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from howdah.config.database import DatabaseConfig
from howdah.errors import MigrationError, RefusedError, Where
from howdah.migrate.database import Look
from howdah.migrate.migration import Step
from howdah.migrate.plan import Plan
from howdah.pg.identifiers import quote_identifier


def refuse_read_only(at: Look, database: DatabaseConfig) -> None:
    """A replica, or a session that is set to read only."""
    if at.read_only:
        raise RefusedError(
            f"{database.target} is read-only",
            code="read-only-server",
            why="It is a replica, or its role or database says default_transaction_read_only.",
            fix="Use the primary's address (target_session_attrs=read-write finds it among several hosts).",
        )


def refuse_pooler(connection: psycopg.Connection, at: Look, database: DatabaseConfig) -> None:
    """A pooler that gives each transaction another session."""
    from howdah.connect.pooler import detect_pooler

    pooler = detect_pooler(connection, database, backend_pid=at.backend_pid)
    if pooler is not None and not pooler.keeps_sessions:
        raise RefusedError(
            f"{database.target} is a pooler in {pooler.kind.value} mode",
            code="transaction-pooler",
            why="The migration lock belongs to a session, and there every transaction may get another one:"
            f" two runs would not exclude each other. {pooler.evidence}",
            fix="Give the server's own address: `direct-url` in howdah.toml, or --url.",
        )


def refuse_untraceable(plan: Plan, outside: Sequence[Step], database: DatabaseConfig) -> None:
    """Steps that could stop half-way without a trace: only the side history could tell, and it is not to be had."""
    if plan.format.table.marks_running or plan.history.has_side_history or not outside:
        return
    first, role = outside[0], quote_identifier(database.user or "the role")
    raise RefusedError(
        f"{first.migration.version} ({first.migration.name}) runs outside a transaction, and nothing could tell that it"
        " stopped half-way",
        code="untraceable-step",
        where=Where(str(first.file)),
        why=f"{plan.format.name}'s table has no word for it, and this role may not keep records in howdah.history.",
        fix=f"GRANT CREATE ON DATABASE {quote_identifier(plan.history.table.database)} TO {role}; or, where the schema"
        f" howdah is there: GRANT USAGE ON SCHEMA howdah TO {role}; GRANT ALL ON howdah.history TO {role};",
    )


def may_not_create(at: Look, database: DatabaseConfig) -> MigrationError:
    """The error of a role that may not make the history table."""
    role = quote_identifier(database.user or "the role")
    return MigrationError(
        f"{role} may not create the history table {at.table.sql} (SQLSTATE 42501)",
        code="no-create-privilege",
        why=f"It lacks CREATE on the schema {quote_identifier(at.table.schema)}, which PostgreSQL 15 and newer do"
        ' not give to everybody in "public".',
        fix=f"As the schema's owner: GRANT CREATE ON SCHEMA {quote_identifier(at.table.schema)} TO {role};",
        next=("howdah setup plan",),
    )
