"""Start a server's programs so that they go on after we end."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from howdah.errors import ConfigError
from howdah.pg.programs import Account, Programs, as_account, plain_environment, server_account
from howdah.server.process import read_postmaster_file
from howdah.server.state import give, unusable

_POLL_SECONDS = 0.003
_BIGGEST_LOG_BYTES = 10_000_000
# where the server and its data are is known to others by what we chose
_OURS = ("data_directory", "listen_addresses", "port", "unix_socket_directories")


def check_settings(settings: Mapping[str, str]) -> None:
    """Refuse settings that would bring the server to another place than its address says.

    Raises:
        ConfigError: names the first of them.
    """
    for name in settings:
        if name.lower() in _OURS:
            raise ConfigError(
                f"{name} is not to be set in [dev.settings]",
                code="bad-setting",
                why="howdah itself decides where the local server listens and keeps its data.",
                fix="Use `port` in [dev]." if name.lower() == "port" else "Take it out of [dev.settings].",
            )


def leave_behind(
    programs: Programs, program: str, arguments: list[str], *, log: Path
) -> subprocess.Popen[bytes]:
    """Start a program as the server's user, in a session of its own, its errors in the log."""
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [programs.path(program), *arguments],
            env=plain_environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
            **as_account(server_account()),
        )
    # where we outlive it, somebody must take its exit status, or it stays as a zombie
    threading.Thread(target=process.wait, daemon=True).start()
    return process


def wait_until_ready(process: subprocess.Popen[bytes], data: Path, *, limit_seconds: float) -> bool:
    """Wait until a server that was started takes connections; False where it ended or took too long."""
    deadline = time.monotonic() + limit_seconds
    while process.poll() is None and time.monotonic() < deadline:
        stated = read_postmaster_file(data)
        if stated and stated.pid == process.pid and stated.is_ready:
            return True
        time.sleep(_POLL_SECONDS)
    return False


def prepare_socket_directory(place: Path, account: Account | None) -> None:
    """Make the directory of the socket, which nobody else may enter: who can is trusted by the server.

    Raises:
        ConfigError: it is there and not ours; in /tmp anybody could have made it.
    """
    place.mkdir(mode=0o700, exist_ok=True)
    found = place.lstat()
    trusted = {os.geteuid(), account.uid if account else os.geteuid()}
    if found.st_uid not in trusted or found.st_mode & 0o077:
        raise ConfigError(
            f"{place} is not safe for the server's socket",
            code="unsafe-socket-directory",
            why="It belongs to somebody else, or others may enter it.",
            fix="Remove it, and start the server again.",
        )
    give(place, account)


def turn_log(log: Path) -> None:
    """Make the log where there is none, and keep a big one as `.1`.

    Raises:
        ConfigError: it cannot be written.
    """
    try:
        if log.exists() and log.stat().st_size > _BIGGEST_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        log.touch(mode=0o600)
        log.open("ab").close()
    except OSError as error:
        raise unusable(log.parent, error) from error


def as_list_element(directory: Path) -> str:
    """A directory as an element of a setting that is a list."""
    doubled = str(directory).replace('"', '""')
    return f'"{doubled}"'
