"""Make a data directory: whole or not at all, with settings for development."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import tempfile
from pathlib import Path

from howdah.errors import CommandError, UnsupportedError
from howdah.pg.identifiers import quote_identifier, quote_literal
from howdah.pg.programs import Account, Programs, server_account
from howdah.server.process import end_processes, find_strays
from howdah.server.state import give
from howdah.server.trouble import explain_failed_init

# docs/decisions/0008-local-server.md has the measurements behind these
SETTINGS = """
# Set by howdah for development. ALTER SYSTEM and [dev.settings] in howdah.toml win over these.
shared_buffers = '64MB'
max_connections = 100
# a crash of the machine may take the last 0.6 s of commits, and never damages the data
synchronous_commit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
"""


def initialise(data: Path, programs: Programs, *, superuser: str, password: str) -> None:
    """Make the data directory beside its place, then rename it there; what a killed run left is removed.

    Raises:
        CommandError: initdb failed.
    """
    account = server_account()
    for half_made in data.parent.glob(f"{data.name}.new-*"):
        # initdb goes on for a moment when the howdah that ran it is killed
        end_processes(find_strays(half_made / "data"), signal.SIGKILL, within_seconds=5)
        shutil.rmtree(half_made, ignore_errors=True)
    if os.path.lexists(data):
        # no PG_VERSION in it: never a whole data directory; kept, as it is not known to be ours
        data.rename(data.with_name(f"{data.name}.unknown-{secrets.token_hex(4)}"))
    workplace = Path(tempfile.mkdtemp(prefix=f"{data.name}.new-", dir=data.parent))
    give(workplace, account)
    try:
        made = workplace / "data"
        _run_initdb(made, programs, superuser, password, account)
        with (made / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(SETTINGS)
        made.rename(data)
    except CommandError as error:
        raise explain_failed_init(error, data.parent) from error
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def read_major(data: Path) -> int:
    """The major version that made a data directory.

    Raises:
        UnsupportedError: it does not say.
    """
    file = data / "PG_VERSION"
    try:
        return int(file.read_text(encoding="ascii"))
    except ValueError:
        raise UnsupportedError(
            f"the local server's data is damaged: {file} names no version",
            code="damaged-data",
            fix="Save what you need from it, then make the server anew; that deletes its data.",
            next=("howdah dev reset",),
        ) from None


def check_data_directory(data: Path, programs: Programs) -> None:
    """Refuse to start a data directory with programs of another major version.

    Raises:
        UnsupportedError: with what to do; nothing is deleted.
    """
    major = read_major(data)
    if major != programs.version.major:
        raise UnsupportedError(
            f"the local server's data is of PostgreSQL {major}, the programs are of {programs.version}",
            code="data-of-another-version",
            why=f"PostgreSQL {programs.version.major} cannot read data of {major} ({data}).",
            fix=f"Install PostgreSQL {major}, or make the server anew; that deletes its data.",
            next=("howdah dev reset",),
        )


def set_password(data: Path, programs: Programs, *, superuser: str, password: str) -> None:
    """Give the superuser of a stopped server a new password.

    Raises:
        CommandError: the server's single-user mode failed.
    """
    statement = f"ALTER ROLE {quote_identifier(superuser)} PASSWORD {quote_literal(password)}\n"
    programs.run("postgres", "--single", "-D", data, "postgres", stdin=statement, account=server_account())


def _run_initdb(
    made: Path, programs: Programs, superuser: str, password: str, account: Account | None
) -> None:
    password_file = made.with_name("password")
    password_file.touch(mode=0o600)
    password_file.write_text(password + "\n", encoding="utf-8")
    give(password_file, account)
    arguments = [
        "-D",
        str(made),
        f"--username={superuser}",
        f"--pwfile={password_file}",
        "--auth-local=trust",
        "--auth-host=scram-sha-256",
        "--encoding=UTF8",
        "--no-instructions",
        "--no-sync",
    ]
    try:
        programs.run("initdb", *arguments, "--locale=C.UTF-8", account=account)
    except CommandError as error:
        if "invalid locale name" not in error.stderr:
            raise
        programs.run("initdb", *arguments, *_locale_without_system(programs), account=account)


def _locale_without_system(programs: Programs) -> list[str]:
    """Where the operating system has no C.UTF-8: the server's own (17 or newer), else plain C."""
    if programs.version.major >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C"]
