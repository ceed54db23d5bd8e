"""Text for people: tables, problems, one line of progress. Data goes to stdout, talk to stderr."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self, TextIO

from howdah.findings import Finding, Severity

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36", Severity.OK: "32"}
_SHOW_AFTER_SECONDS = 0.3
_WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note", Severity.OK: "ok"}


def coloured(text: str, code: str, stream: TextIO) -> str:
    """The text in an ANSI colour, where the stream is a terminal and NO_COLOR is not set."""
    if os.environ.get("NO_COLOR") or not (stream.isatty() or os.environ.get("FORCE_COLOR")):
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns two spaces apart, no trailing blanks."""
    lines = [list(headings), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def problem_text(problem: Finding, stream: TextIO) -> str:
    """A problem as a person reads it: what, where, why, fix, and the commands to type."""
    word = coloured(_WORDS[problem.severity], _COLOURS[problem.severity], stream)
    where = f"{problem.where}: " if problem.where else ""
    lines = [f"{word}: {where}{problem.message} [{problem.code}]"]
    lines += [f"  why: {problem.why}"] if problem.why else []
    lines += ["  fix: " + problem.fix.replace("\n", "\n       ")] if problem.fix else []
    lines += [f"  next: {command}" for command in problem.next]
    return "\n".join(lines)


def show_problem(problem: Finding) -> None:
    """Write a problem to stderr."""
    sys.stderr.write(problem_text(problem, sys.stderr) + "\n")


def duration(seconds: float) -> str:
    """A duration as people say it: `3 ms`, `1.4 s`, `2 min 5 s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


class Progress:
    """One updating line on a terminal, plain lines elsewhere; what takes less than 0.3 s is not shown."""

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._turn = threading.RLock()
        self._timer: threading.Timer | None = None
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._turn:
            self._clear()

    def note(self, text: str) -> None:
        """A lasting line: something is done."""
        if not self._quiet:
            with self._turn:
                self._clear()
                self._stream.write(text + "\n")
                self._stream.flush()

    def doing(self, text: str) -> None:
        """What is going on now, shown once it has taken 0.3 s; replaced by the next call."""
        if self._quiet or not self._stream.isatty():
            return
        with self._turn:
            self._clear()
            self._timer = threading.Timer(_SHOW_AFTER_SECONDS, self._show, [text])
            self._timer.daemon = True
            self._timer.start()

    def _show(self, text: str) -> None:
        with self._turn:
            self._stream.write(text[: shutil.get_terminal_size().columns - 1])
            self._stream.flush()
            self._shown = True

    def _clear(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._shown = False
