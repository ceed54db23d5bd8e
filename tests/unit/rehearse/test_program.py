"""A program that takes long ends with us, and what feeds it may not fail unheard."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from howdah.errors import CommandError
from howdah.rehearse.program import Program, run_program


def shell(script: str) -> Program:
    found = shutil.which("sh")
    assert found
    return Program(Path(found), ("-c", script))


def test_it_is_ended_when_we_are_interrupted(tmp_path: Path) -> None:
    def interrupt() -> None:
        if (tmp_path / "pid").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_program(
            shell(f"echo $$ > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; exec sleep 60"),
            tick=interrupt,
        )
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_what_it_says_of_a_failure_is_told() -> None:
    with pytest.raises(CommandError, match="no such thing"):
        run_program(shell("echo no such thing >&2; exit 3"))


def test_where_it_may_fail_what_it_says_is_returned() -> None:
    assert run_program(shell("echo a warning >&2; exit 1"), may_fail=True) == "a warning\n"


def test_a_failure_of_what_feeds_it_is_raised() -> None:
    def lines() -> Iterator[bytes]:
        yield b"one\n"
        raise EOFError("damaged")

    with pytest.raises(EOFError, match="damaged"):
        run_program(shell("cat > /dev/null"), lines=lines())


def test_a_program_that_stops_reading_is_judged_by_its_own_words() -> None:
    with pytest.raises(CommandError, match="enough"):
        run_program(shell("echo enough >&2; exit 1"), lines=iter([b"x" * 1000] * 1000))
