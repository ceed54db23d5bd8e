"""dbmate's `schema.sql`: the structure as pg_dump shows it and the applied versions, byte for byte as dbmate writes it.

Sources: amacneil/dbmate pkg/driver/postgres/postgres.go DumpSchema, pkg/dbutil/dbutil.go TrimLeadingSQLComments.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from itertools import dropwhile
from pathlib import Path

import psycopg

from howdah.config.database import DatabaseConfig
from howdah.errors import HowdahError, Where
from howdah.findings import Finding, Severity
from howdah.migrate.history import HistoryTable
from howdah.server.pg_dump import find_pg_dumps

_HEADING = b"-- Dbmate schema migrations"
_FLAGS = ("--format=plain", "--encoding=UTF8", "--schema-only", "--no-privileges", "--no-owner")
# The side history belongs to this database, not to what the migrations describe.
_NOT_OURS = "--exclude-schema=howdah"
# From these minor releases on pg_dump writes a random key into each dump, unless it is given one.
_FIRST_WITH_KEY = {14: 19, 15: 14, 16: 10, 17: 6}
# Go's unicode.IsSpace, which Python's own idea of white space is wider than.
_GO_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_DUMP_LIMIT_SECONDS = 120
_SEARCH_PATH = re.compile(r"-c\s*search_path=((?:\\.|\S)*)")


def update_schema_file(
    connection: psycopg.Connection,
    database: DatabaseConfig,
    table: HistoryTable,
    directory: Path,
    environ: Mapping[str, str] = os.environ,
) -> tuple[Finding, ...]:
    """Rewrite the `schema.sql` of a project that has one, as dbmate does after each run; what was done, or why not.

    Never raises: the migrations have taken effect, whatever becomes of the file.
    """
    file = find_schema_file(directory, environ)
    if file is None:
        return ()
    try:
        dump = _dump(database, major=connection.info.server_version // 10000, environ=environ)
        name, versions = _read_versions(connection, table)
        text = schema_text(dump, name, versions)
        if text != file.read_bytes():
            _replace(file, text)
    except (HowdahError, psycopg.Error, OSError) as error:
        return (
            Finding(
                code="schema-file-not-written",
                severity=Severity.WARNING,
                message="this file was not brought up to date",
                where=Where(str(file)),
                why=f"{str(error).strip()}.",
                fix="The migrations have taken effect all the same; `dbmate dump` writes the file.",
            ),
        )
    return (
        Finding(
            code="schema-file-written",
            severity=Severity.INFO,
            message="brought up to date with the database, as dbmate does",
            where=Where(str(file)),
        ),
    )


def find_schema_file(directory: Path, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The file that dbmate keeps beside this directory, or where its variable says; None: there is none of dbmate's.

    A `schema.sql` that dbmate did not write is somebody's own.
    """
    if environ.get("DBMATE_NO_DUMP_SCHEMA", "").lower() in {"1", "t", "true"}:
        return None
    file = Path(environ.get("DBMATE_SCHEMA_FILE") or directory.absolute().parent / "schema.sql")
    try:
        is_theirs = _HEADING in file.read_bytes()
    except OSError:
        return None
    return file if is_theirs else None


def schema_text(dump: bytes, table: str, versions: Sequence[str]) -> bytes:
    """What dbmate makes of pg_dump's output, the quoted name of the history table, and the quoted versions."""
    whole = dump.decode(errors="surrogateescape") + f"\n--\n{_HEADING.decode()}\n--\n\n"
    if versions:
        rows = ",\n".join(f"    ({version})" for version in versions)
        whole += f"INSERT INTO {table} (version) VALUES\n{rows};\n"
    lines = whole.split("\n")
    if not lines[-1]:
        lines.pop()
    kept = dropwhile(lambda line: not line or line.startswith("--"), lines)
    return "".join(f"{line.rstrip(_GO_SPACES)}\n" for line in kept).encode(errors="surrogateescape")


def _read_versions(connection: psycopg.Connection, table: HistoryTable) -> tuple[str, list[str]]:
    """The name of the history and what is in it, quoted by the server, which quotes only what needs it."""
    name = connection.execute(
        "SELECT quote_ident(%s) || '.' || quote_ident(%s)", (table.schema, table.table)
    ).fetchone()
    rows = connection.execute(f"SELECT quote_literal(version) FROM {table.sql} ORDER BY version".encode())
    return (name or ("",))[0], [row[0] for row in rows]


def _dump(database: DatabaseConfig, *, major: int, environ: Mapping[str, str]) -> bytes:
    # dbmate runs the one on PATH.
    program, options = find_pg_dumps(major)[0], [*_FLAGS, _NOT_OURS]
    version = program.version
    if version.major > max(_FIRST_WITH_KEY) or version.minor >= _FIRST_WITH_KEY.get(version.major, 10**6):
        options.append("--restrict-key=dbmate")
    for schema in dumped_schemas(database):
        options += ["--schema", schema]
    variables = {"PGTZ": environ["PGTZ"]} if "PGTZ" in environ else {}
    return program.run(database, options, limit_seconds=_DUMP_LIMIT_SECONDS, variables=variables)


def dumped_schemas(database: DatabaseConfig) -> list[str]:
    """What the address's own search_path names: dbmate dumps these schemas only; empty: all."""
    match = _SEARCH_PATH.search(database.options.get("options", ""))
    named = re.sub(r"\\(.)", r"\1", match[1]).split(",") if match else []
    return [schema.strip() for schema in named if schema.strip()]


def _replace(file: Path, text: bytes) -> None:
    """Write the file anew: complete, or as it was."""
    real = file.resolve()
    half = real.with_name(f"{real.name}.new-{secrets.token_hex(4)}")
    try:
        half.write_bytes(text)
        shutil.copymode(real, half)
        half.replace(real)
    finally:
        half.unlink(missing_ok=True)
