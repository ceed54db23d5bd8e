"""Is a server running on a data directory? A pid file is not believed: its pid may be a stranger's by now."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from howdah.pg.programs import server_account

_PROC = Path("/proc")
_POLL_SECONDS = 0.005
# what may be ended as a leftover: never somebody's shell that stands in the data directory
_PROGRAMS = ("postgres", "initdb")


@dataclass(frozen=True)
class Postmaster:
    """What a running server wrote into its postmaster.pid."""

    pid: int
    port: int
    is_ready: bool


def find_postmaster(data: Path) -> Postmaster | None:
    """The server that runs on a data directory; None where the pid file is absent, half-written or stale."""
    stated = read_postmaster_file(data)
    return stated if stated and _serves(stated.pid, data) else None


def read_postmaster_file(data: Path) -> Postmaster | None:
    """What postmaster.pid says, true or not."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").split("\n")
        # pid, data directory, start time, port, socket directory, listen address, shared memory, status
        return Postmaster(
            pid=abs(int(lines[0])),
            port=int(lines[3]),
            is_ready=len(lines) > 7 and lines[7].strip() == "ready",
        )
    except (OSError, ValueError, IndexError):
        return None


def find_strays(data: Path) -> list[int]:
    """Processes of a server on a data directory, whatever its pid file says (Linux; elsewhere none is found).

    A backend of a killed server goes on until it notices; its shared memory keeps a new one from starting.
    A stranger's process that only looks like one is none: it is not ours to end, and cannot be in the way.
    """
    users = {os.geteuid(), *(account.uid for account in [server_account()] if account)}
    ours = [pid for pid in _all_pids() if _name(pid) in _PROGRAMS and _user(pid) in users]
    return [pid for pid in ours if _works_in(pid, data) or _serves(pid, data)]


def end_processes(pids: list[int], number: signal.Signals, *, within_seconds: float) -> list[int]:
    """Signal processes and wait for their end; returns those that are still there, such as another user's."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
    deadline = time.monotonic() + within_seconds
    left = [pid for pid in pids if _is_alive(pid)]
    while left and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        left = [pid for pid in left if _is_alive(pid)]
    return left


def _serves(pid: int, data: Path) -> bool:
    """Whether the process was started as a server on that directory: its command line says so."""
    if not _PROC.joinpath("self").exists():
        return _ps_shows_server(pid, data)
    return _name(pid) in _PROGRAMS and os.fsencode(data) in _arguments(pid)


def _ps_shows_server(pid: int, data: Path) -> bool:
    """The same where there is no /proc: `ps` shows the arguments with blanks between them."""
    shown = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, check=False)
    program, _, arguments = shown.stdout.strip().partition(b" -D ")
    return Path(os.fsdecode(program)).name in _PROGRAMS and f"{os.fsdecode(arguments)} ".startswith(
        f"{data} "
    )


def _arguments(pid: int) -> list[bytes]:
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def _name(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _user(pid: int) -> int | None:
    try:
        return (_PROC / str(pid)).stat().st_uid
    except OSError:
        return None


def _works_in(pid: int, data: Path) -> bool:
    try:
        return (_PROC / str(pid) / "cwd").readlink() == data
    except OSError:
        return False


def _is_alive(pid: int) -> bool:
    """Whether a process is there and not a zombie that waits for its parent."""
    if _PROC.joinpath("self").exists():
        try:
            return b") Z " not in (_PROC / str(pid) / "stat").read_bytes()
        except OSError:
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _all_pids() -> Iterator[int]:
    if _PROC.is_dir():
        yield from (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
