"""Why a server did not start: its log, read for people."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from howdah.errors import CommandError, ConnectError


@dataclass(frozen=True)
class _Trouble:
    pattern: str
    code: str
    why: str
    fix: str


_TROUBLES = (
    _Trouble(
        "No space left on device|Disk quota exceeded",
        "disk-full",
        "The disk that holds the local server's data is full.",
        "Free some space, then start it again; nothing committed is lost.",
    ),
    _Trouble(
        "could not bind|Address already in use",
        "port-taken",
        "Another program took the port between our look and the server's.",
        "Run the command again.",
    ),
    _Trouble(
        "could not look up effective user ID",
        "no-server-account",
        "PostgreSQL does not run as a user without a name, and this one is not in /etc/passwd.",
        "Add a line for it to /etc/passwd, or run howdah as another user.",
    ),
    _Trouble(
        "pre-existing shared memory block",
        "leftover-processes",
        "Processes of an earlier, killed server still use its data.",
        "End the processes that the log names, or restart the machine.",
    ),
    _Trouble(
        "unrecognized configuration parameter|invalid value for parameter|file .* contains errors",
        "bad-setting",
        "A setting is not one that this server knows.",
        "Correct [dev.settings] in howdah.toml, or what ALTER SYSTEM wrote to postgresql.auto.conf.",
    ),
    _Trouble(
        "could not locate a valid checkpoint|invalid primary checkpoint|database files are incompatible",
        "damaged-data",
        "The data directory is damaged or was made by another build of PostgreSQL.",
        "Save what you need from it, then make it anew.",
    ),
    _Trouble(
        "Permission denied|Operation not permitted|Read-only file system",
        "no-permission",
        "The server may not read or write one of its files.",
        "Give the files that the log names back to the user the server runs as.",
    ),
)


def explain_failed_init(error: CommandError, directory: Path) -> CommandError:
    """The error of a failed initdb, with the reason where it is a known one."""
    found = _find_trouble(error.stderr)
    if found is None:
        return error
    return CommandError(
        error.program,
        error.status,
        error.stderr,
        code=found.code,
        why=found.why,
        fix=f"{found.fix} The directory is {directory}.",
    )


def explain_failed_start(status: int | None, said: str, directory: Path) -> CommandError:
    """The error for a server that ended, or did not get ready, with what it wrote to its log."""
    found = _find_trouble(said)
    stop = -1 if status is None else status
    log = f"The whole log is {directory / 'server.log'}."
    next_commands = (
        ("howdah dev logs",) if not found or found.code != "damaged-data" else ("howdah dev reset",)
    )
    return CommandError(
        "postgres",
        stop,
        "\n".join(telling_lines(said)),
        code=found.code if found else "server-start-failed",
        why=found.why if found else None,
        fix=f"{found.fix} {log}" if found else log,
        next=next_commands,
    )


def explain_slow_start(limit_seconds: float, directory: Path) -> ConnectError:
    """The error for a server that still starts after the time we wait; it is not interrupted."""
    said = telling_lines("\n".join(last_lines(directory / "server.log", 1)))
    return ConnectError(
        f"the local server is not ready after {limit_seconds:g} s; it goes on starting",
        code="server-still-starting",
        why=f"After a crash it reads its write-ahead log again. Its log says: {' '.join(said)}",
        fix="Wait for it, then run the command again.",
        next=("howdah dev logs",),
    )


def _find_trouble(said: str) -> _Trouble | None:
    return next((trouble for trouble in _TROUBLES if re.search(trouble.pattern, said)), None)


def telling_lines(said: str) -> list[str]:
    """The lines of a log that tell what went wrong, without times and process ids."""
    lines = [
        re.sub(r"^.*?\b(FATAL|PANIC|ERROR|HINT|DETAIL|LOG|WARNING):\s+", r"\1: ", line)
        for line in said.splitlines()
    ]
    wrong = [line for line in lines if not line.startswith("LOG:")]
    return (wrong or lines)[-5:]


def last_lines(file: Path, count: int) -> list[str]:
    """The last lines of a file, read from its end."""
    if count <= 0 or not file.exists():
        return []
    with file.open("rb") as handle:
        end = handle.seek(0, os.SEEK_END)
        block = b""
        while end > 0 and block.count(b"\n") <= count:
            step = min(65536, end)
            end -= step
            handle.seek(end)
            block = handle.read(step) + block
    return block.decode(errors="replace").splitlines()[-count:]
