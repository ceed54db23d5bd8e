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
    """
    ours = [pid for pid in _all_pids() if _name(pid) in _PROGRAMS]
    return [pid for pid in ours if _works_in(pid, data) or _serves(pid, data)]


def end_processes(pids: list[int], number: signal.Signals, *, within_seconds: float) -> list[int]:
    """Signal processes and wait for their end; returns those that are still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    deadline = time.monotonic() + within_seconds
    left = [pid for pid in pids if _is_alive(pid)]
    while left and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        left = [pid for pid in left if _is_alive(pid)]
    return left


def _serves(pid: int, data: Path) -> bool:
    """Whether the process was started as a server on that directory: its command line names it."""
    return os.fsencode(data) in _arguments(pid)


def _arguments(pid: int) -> list[bytes]:
    if _PROC.joinpath("self").exists():
        try:
            return (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
        except OSError:
            return []
    shown = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, check=False)
    words = shown.stdout.strip().split(b" -D ", 1)
    return [words[-1].split(b" -c ", 1)[0]]


def _name(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


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
