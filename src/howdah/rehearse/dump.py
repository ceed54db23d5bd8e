"""The structure of a database as statements, by PostgreSQL's own pg_dump, without what is for psql or for a session."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence

from psycopg.conninfo import make_conninfo

from howdah.config.database import DatabaseConfig
from howdah.errors import CommandError, UnsupportedError
from howdah.pg.programs import Programs, plain_environment
from howdah.pg.statements import Statement, split_script
from howdah.server.installations import system_programs, wheel_programs

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
    text = _META.sub("", _run(_find(major), database, options))
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


def _find(major: int) -> Programs:
    wheel = wheel_programs()
    installed = [*system_programs(), *([wheel] if wheel else [])]
    able = [each for each in installed if each.has("pg_dump") and each.version.major >= major]
    if not able:
        raise UnsupportedError(
            f"there is no pg_dump for a server of PostgreSQL {major}",
            code="no-pg-dump",
            fix=f"Install PostgreSQL's client programs, of version {major} or newer.",
        )
    return min(able, key=lambda each: each.version.major)


def _run(programs: Programs, database: DatabaseConfig, options: Sequence[str]) -> str:
    conninfo = database.conninfo()
    password = conninfo.pop("password", None)
    done = subprocess.run(
        [programs.path("pg_dump"), *options, "--dbname", make_conninfo(**conninfo)],
        env={**plain_environment(), **({"PGPASSWORD": password} if password else {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_LIMIT_SECONDS,
        check=False,
    )
    if done.returncode:
        raise CommandError("pg_dump", done.returncode, done.stderr.decode(errors="replace"))
    return done.stdout.decode()
