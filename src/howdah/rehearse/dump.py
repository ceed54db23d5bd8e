"""The structure of a database as statements, by PostgreSQL's own pg_dump, without what is for psql or for a session."""

from __future__ import annotations

import re
from collections.abc import Sequence

from howdah.config.database import DatabaseConfig
from howdah.pg.statements import Statement, split_script
from howdah.server.pg_dump import find_pg_dumps

_LIMIT_SECONDS = 600
# Newer ones write `\restrict KEY` and its end around everything, for psql.
_META = re.compile(r"^\\(?:un)?restrict .*$", re.MULTILINE)
_ROUTINES = (("CREATE", "FUNCTION"), ("CREATE", "PROCEDURE"))


def dump_schema(database: DatabaseConfig, *, major: int, leave_out: Sequence[tuple[str, str]]) -> list[str]:
    """The statements that build the schema in an empty database; names are qualified, owners left to who runs them.

    Raises:
        UnsupportedError: there is no pg_dump for this server.
        CommandError: it failed.
    """
    options = ["--schema-only", "--no-owner", "--exclude-schema=howdah"]
    options += [f"--exclude-table={_pattern(schema)}.{_pattern(name)}*" for schema, name in leave_out]
    # The oldest writes nothing that is newer than the server.
    program = min(find_pg_dumps(major), key=lambda each: each.version.major)
    text = _META.sub("", program.run(database, options, limit_seconds=_LIMIT_SECONDS).decode())
    found = split_script(text)
    statements = [each.text for each in found if not _is_for_the_session(each)]
    if any(each.words[:2] in _ROUTINES for each in found):
        # A function may speak of a table that is made behind it.
        statements.insert(0, "SET LOCAL check_function_bodies = false")
    return statements


def _is_for_the_session(statement: Statement) -> bool:
    is_setting = statement.words[:1] == ("SET",) or statement.text.startswith("SELECT pg_catalog.set_config(")
    # An extension's comment comes with it, and only its owner may write it.
    return is_setting or statement.words[:3] == ("COMMENT", "ON", "EXTENSION")


def _pattern(name: str) -> str:
    """A name in pg_dump's patterns: quoted, so that nothing in it has a meaning."""
    return '"' + name.replace('"', '""') + '"'
