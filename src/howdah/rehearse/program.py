"""Run a program that takes long: told of while it runs, ended when we end."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from howdah.errors import CommandError
from howdah.pg.programs import plain_environment

_LOOK_SECONDS = 0.1
_END_SECONDS = 5.0


@dataclass(frozen=True)
class Program:
    """A program, its arguments, and the variables it is to have: a password is no argument."""

    path: Path
    arguments: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


def run_program(
    program: Program,
    *,
    tick: Callable[[], None] = lambda: None,
    may_fail: bool = False,
    lines: Iterable[bytes] | None = None,
) -> str:
    """Run it to its end, and return what it wrote to stderr; `lines` are its stdin, `tick` is called all the while.

    Raises:
        CommandError: it failed, unless it may, or could not be started.
    """
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                [program.path, *program.arguments],
                env={**plain_environment(), **program.variables},
                stdin=subprocess.DEVNULL if lines is None else subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=said,
            )
        except OSError as error:
            raise CommandError(program.path.name, -1, str(error)) from error
        try:
            _attend(process, tick, lines)
        except BaseException:
            _end(process)
            raise
        said.seek(0)
        text = said.read().decode(errors="replace")
    if process.returncode and not may_fail:
        raise CommandError(program.path.name, process.returncode, text)
    return text


def _attend(
    process: subprocess.Popen[bytes], tick: Callable[[], None], lines: Iterable[bytes] | None
) -> None:
    failures: list[Exception] = []
    if lines is not None:
        assert process.stdin is not None
        threading.Thread(target=_feed, args=(process.stdin, lines, failures), daemon=True).start()
    while True:
        try:
            process.wait(_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            tick()
        else:
            break
    if failures:
        raise failures[0]


def _feed(stdin: IO[bytes], lines: Iterable[bytes], failures: list[Exception]) -> None:
    try:
        with stdin:
            stdin.writelines(lines)
    except BrokenPipeError:
        pass  # it ended before; its exit status says why
    except Exception as error:  # noqa: BLE001 - another thread raises it
        failures.append(error)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
