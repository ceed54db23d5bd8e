"""Histories of tools that are none of ours are named, and nothing else is."""

from __future__ import annotations

import pytest

from howdah.migrate.formats.strangers import name_stranger

TEXT, TIME = "character varying(255)", "timestamp with time zone"
PLAIN_TIME = "timestamp without time zone"

LIQUIBASE = {
    "id": TEXT,
    "author": TEXT,
    "filename": TEXT,
    "dateexecuted": PLAIN_TIME,
    "orderexecuted": "integer",
    "exectype": "character varying(10)",
    "md5sum": "character varying(35)",
    "description": TEXT,
    "comments": TEXT,
    "tag": TEXT,
    "liquibase": "character varying(20)",
}


@pytest.mark.parametrize(
    ("tool", "columns"),
    [
        ("Rails", {"version": "character varying"}),
        ("Ecto", {"version": "bigint", "inserted_at": "timestamp(0) without time zone"}),
        ("Laravel", {"id": "integer", "migration": TEXT, "batch": "integer"}),
        ("sql-migrate", {"id": "text", "applied_at": TIME}),
        ("node-pg-migrate", {"id": "integer", "name": TEXT, "run_on": PLAIN_TIME}),
        ("Liquibase", LIQUIBASE),
        (
            "Liquibase",
            LIQUIBASE | {"contexts": TEXT, "labels": TEXT, "deployment_id": "character varying(10)"},
        ),
        ("Knex", {"id": "integer", "name": TEXT, "batch": "integer", "migration_time": TIME}),
        ("Django", {"id": "bigint", "app": TEXT, "name": TEXT, "applied": TIME}),
    ],
)
def test_a_tool_is_known_by_its_columns(tool: str, columns: dict[str, str]) -> None:
    assert name_stranger(columns) == f"a history of {tool}"


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"version": "bigint", "dirty": "boolean"},
        {"version": "character varying(128)"},
        {"version": "character varying", "owner": "text"},
        {"id": "integer", "name": TEXT},
        {"id": "integer", "app": TEXT, "name": TEXT, "applied": "boolean"},
        {"version": "bigint", "inserted_at": TIME, "note": "text"},
    ],
)
def test_anything_else_is_not(columns: dict[str, str]) -> None:
    assert name_stranger(columns) is None
