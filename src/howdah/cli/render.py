"""Text for people: tables, problems, one line of progress. Data goes to stdout, talk to stderr."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TextIO

from howdah.findings import Finding, Severity

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36", Severity.OK: "32"}
_SHOW_AFTER_SECONDS = 0.3
_PAINT_EVERY_SECONDS = 0.1
_WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note", Severity.OK: "ok"}


def coloured(text: str, code: str, stream: TextIO) -> str:
    """The text in an ANSI colour, where the stream is a terminal and NO_COLOR is not set."""
    if os.environ.get("NO_COLOR") or not (stream.isatty() or os.environ.get("FORCE_COLOR")):
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns two spaces apart, no trailing blanks."""
    lines = [list(headings), *(list(row) for row in rows)]
    widths = [max(shown_width(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join(
        "  ".join(
            cell + " " * (width - shown_width(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def shown_width(text: str) -> int:
    """How many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)


def printable(text: str) -> str:
    """The text in one line: what would move a terminal's cursor is written as an escape."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "backslashreplace").decode()
        for each in text
    )


def _printable_lines(text: str) -> list[str]:
    """Lines of SQL, say, which may be indented with tabs."""
    return ["\t".join(map(printable, line.split("\t"))) for line in text.split("\n")]


def problem_text(problem: Finding, stream: TextIO) -> str:
    """A problem as a person reads it: what, where, why, fix, and the commands to type."""
    word = coloured(_WORDS[problem.severity], _COLOURS[problem.severity], stream)
    where = f"{problem.where}: " if problem.where else ""
    lines = [f"{word}: {printable(f'{where}{problem.message}')} [{problem.code}]"]
    lines += ["  why: " + "\n".join(_printable_lines(problem.why))] if problem.why else []
    lines += ["  fix: " + "\n       ".join(_printable_lines(problem.fix))] if problem.fix else []
    lines += [f"  next: {printable(command)}" for command in problem.next]
    return "\n".join(lines)


def show_problem(problem: Finding) -> None:
    """Write a problem to stderr."""
    sys.stderr.write(problem_text(problem, sys.stderr) + "\n")


def as_typed(path: Path) -> str:
    """A path as somebody in this folder would type it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def duration(seconds: float) -> str:
    """A duration as people say it: `3 ms`, `1.4 s`, `2 min 5 s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


class Talk(Protocol):
    """Who is told how a command goes."""

    def note(self, text: str) -> None:
        """Something is done."""
        ...

    def doing(self, text: str) -> None:
        """What is going on now."""
        ...


class Progress:
    """One updating line on a terminal, plain lines elsewhere; what takes less than 0.3 s is not shown."""

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._turn = threading.Lock()
        self._is_over = threading.Event()
        self._painter: threading.Thread | None = None
        self._doing = ""
        self._since = 0.0
        self._is_shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        if self._painter is not None:
            self._painter.join()
        self._erase()

    def note(self, text: str) -> None:
        """A lasting line: something is done."""
        if self._quiet:
            return
        with self._turn:
            self._erase()
            self._stream.write(text + "\n")
            self._stream.flush()

    def doing(self, text: str) -> None:
        """What is going on now, shown once it has taken 0.3 s; replaced by the next call."""
        if self._quiet or not self._stream.isatty():
            return
        with self._turn:
            self._erase()
            self._doing, self._since = text, time.monotonic()
            if self._painter is None:
                self._painter = threading.Thread(target=self._paint, name="howdah progress", daemon=True)
                self._painter.start()

    def _paint(self) -> None:
        while not self._is_over.wait(_PAINT_EVERY_SECONDS):
            with self._turn:
                if not self._is_shown and time.monotonic() - self._since >= _SHOW_AFTER_SECONDS:
                    self._stream.write(self._doing[: self._columns() - 1])
                    self._stream.flush()
                    self._is_shown = True

    def _columns(self) -> int:
        """Of the terminal that is written to: stdout may be a file."""
        return os.get_terminal_size(self._stream.fileno()).columns or 80

    def _erase(self) -> None:
        if self._is_shown:
            self._stream.write("\r\x1b[K")
            self._is_shown = False
