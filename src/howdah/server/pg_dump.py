"""Find a pg_dump that a server's structure can be read with, and run it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import make_conninfo

from howdah.config.database import DatabaseConfig
from howdah.config.keywords import SECRET_OPTIONS
from howdah.errors import CommandError, UnsupportedError
from howdah.pg.programs import Programs, plain_environment
from howdah.pg.version import Version, parse_version
from howdah.server.installations import system_programs, wheel_programs


@dataclass(frozen=True)
class PgDump:
    """One pg_dump, and its version."""

    program: Path
    version: Version

    def run(
        self,
        database: DatabaseConfig,
        options: Sequence[str],
        *,
        limit_seconds: float,
        variables: Mapping[str, str] | None = None,
    ) -> bytes:
        """What it writes of a database; `variables` are those of libpq that it is to have, as no others reach it.

        Raises:
            CommandError: it failed, did not end in time, or could not be started.
        """
        named, secrets = client_address(database)
        try:
            done = subprocess.run(
                [self.program, *options, "--dbname", named],
                env={**plain_environment(), **(variables or {}), **secrets},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=limit_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise CommandError("pg_dump", -1, f"not done within {limit_seconds:.0f} s") from error
        except OSError as error:
            raise CommandError("pg_dump", -1, str(error)) from error
        if done.returncode:
            raise CommandError("pg_dump", done.returncode, done.stderr.decode(errors="replace"))
        return done.stdout


def client_address(database: DatabaseConfig) -> tuple[str, dict[str, str]]:
    """A database for libpq's programs: what to put on a command line, and the variables that hold the password."""
    # A command line can be read by every user of the machine.
    conninfo = {key: value for key, value in database.conninfo().items() if key not in SECRET_OPTIONS}
    password = conninfo.pop("password", None)
    return make_conninfo(**conninfo), {"PGPASSWORD": password} if password else {}


def find_pg_dumps(major: int) -> list[PgDump]:
    """Those that can read a server of this version: the one on PATH first, then the oldest.

    Raises:
        UnsupportedError: there is none.
    """
    wheel = wheel_programs()
    installed = [*reversed(system_programs()), *([wheel] if wheel else [])]
    places = [each.path("pg_dump") for each in installed if each.has("pg_dump")]
    if on_path := shutil.which("pg_dump"):
        places.insert(0, Path(on_path))
    versions = {place: _version_of(place) for place in places}
    able = [PgDump(place, found) for place, found in versions.items() if found and found.major >= major]
    if not able:
        told = [str(found or f"{place}, which does not work") for place, found in versions.items()]
        raise UnsupportedError(
            f"a server of version {major} needs a pg_dump not older than it,"
            f" and here is {' and '.join(dict.fromkeys(told)) or 'none'}",
            code="no-pg-dump",
            fix=f"Install PostgreSQL's client programs, of version {major} or newer.",
        )
    return able


def _version_of(program: Path) -> Version | None:
    try:
        return parse_version(Programs(program.parent, Version(0)).run(program.name, "--version"))
    except (CommandError, ValueError):
        return None
