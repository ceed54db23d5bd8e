"""The structure of a database as the statements of a migration."""

from __future__ import annotations

from collections.abc import Collection

from howdah.config.database import DatabaseConfig
from howdah.connect.session import open_session
from howdah.pg.statements import split_script
from howdah.schema.dump import dump_schema

_BODIES = "SET check_function_bodies = false"


def dump_statements(database: DatabaseConfig, *, leave_out: Collection[tuple[str, str]]) -> list[str]:
    """The statements that build the schema in an empty database, privileges too; owners are left to who runs them.

    Raises:
        UnsupportedError: there is no pg_dump for this server.
        CommandError: it failed.
    """
    with open_session(database, application_name="howdah rehearse") as connection:
        text = dump_schema(connection, database, leave_out=leave_out, privileges=True, is_exact=True).text
    # The other migrations are to find the session as they would without this one.
    return [
        "SET LOCAL check_function_bodies = false" if each.text == _BODIES else each.text
        for each in split_script(text)
    ]
