"""Run a program of the project's, pass on what it says, and take Ctrl-C to it."""

from __future__ import annotations

import codecs
import io
import os
import select
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LAST_LINES = 10
_LOOK_EVERY_MS = 100
# With any limit Python asks again and again, and can be interrupted; without one it sleeps in the operating system.
_LONG_SECONDS = 10e6
# How long a program has to end after Ctrl-C, and then after SIGTERM.
_PATIENCE_SECONDS = ((signal.SIGINT, 10.0), (signal.SIGTERM, 5.0))


@dataclass(frozen=True)
class Ended:
    """How a program ended: `told` in words; the last lines that it wrote, to either stream."""

    program: str
    status: int | None
    told: str
    last_lines: tuple[str, ...] = ()


def run_program(
    arguments: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    on_line: Callable[[str], None],
) -> Ended:
    """Run it to its end, however long that takes; `on_line` gets each line as it comes.

    Ctrl-C is passed on to the program and all that it started; it may end in its own way before KeyboardInterrupt
    goes on.
    """
    name = " ".join(arguments)
    lines: deque[str] = deque(maxlen=_LAST_LINES)
    try:
        process = subprocess.Popen(
            arguments,
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # In a group of its own: npx, say, starts others, and a terminal's Ctrl-C would reach them twice.
            start_new_session=True,
        )
    except OSError as error:
        return Ended(name, None, f"could not be started: {error.strerror} ({error.filename})")
    with process:
        try:
            assert process.stdout is not None
            for line in _lines(process.stdout.fileno()):
                lines.append(line.rstrip())
                on_line(line.rstrip())
            status = process.wait(timeout=_LONG_SECONDS)
        except BaseException:
            _stop(process)
            raise
    told = f"ended with exit status {status}" if status >= 0 else f"was killed by signal {-status}"
    return Ended(name, status, told, tuple(lines))


def _lines(output: int) -> Iterator[str]:
    """The lines of a program's output, as they come.

    Never a wait without end: a thread other than the main one is interrupted between two lines of Python only.
    """
    decoder = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder("utf-8")(errors="replace"), translate=True
    )
    poll = select.poll()
    poll.register(output, select.POLLIN | select.POLLHUP)
    text, data = "", b"..."
    while data:
        if poll.poll(_LOOK_EVERY_MS):
            data = os.read(output, 1 << 16)
            *lines, text = (text + decoder.decode(data, final=not data)).split("\n")
            yield from lines
    if text:
        yield text


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number, seconds in _PATIENCE_SECONDS:
        try:
            os.killpg(process.pid, number)
            process.communicate(timeout=seconds)
        except ProcessLookupError:
            return
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            continue
        return
    os.killpg(process.pid, signal.SIGKILL)
