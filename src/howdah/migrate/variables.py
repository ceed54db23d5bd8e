"""The environment that a program is started with, to find the one database that howdah means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from howdah.config.database import DatabaseConfig
from howdah.config.keywords import FIELD_VARIABLES, OPTION_VARIABLES
from howdah.config.url import format_url


def database_variables(environ: Mapping[str, str], database: DatabaseConfig) -> dict[str, str]:
    """`environ` with DATABASE_URL and libpq's PG* variables of this database, and none of another's."""
    kept = {name: value for name, value in environ.items() if not name.startswith("PG") or name == "PGTZ"}
    variables = {**FIELD_VARIABLES, **OPTION_VARIABLES}
    named = {variables[key]: value for key, value in database.conninfo().items() if variables.get(key)}
    url = format_url(replace(database, tool_options={}), show_password=True)
    return {**kept, **named, "DATABASE_URL": url}
