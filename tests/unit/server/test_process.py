"""What a pid file says, and whether it is true."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from howdah.server.process import (
    Postmaster,
    end_processes,
    find_postmaster,
    find_strays,
    read_postmaster_file,
)

FILE = "{pid}\n/data\n1700000000\n20001\n/socket\n127.0.0.1\n  123 456\n{status}\n"
linux = pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc to see other processes")


@pytest.fixture
def imposter(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that looks like a server on tmp_path."""
    process = run_as("postgres", tmp_path)
    yield process
    end(process)


def run_as(name: str, data: Path, *, user: int | None = None) -> subprocess.Popen[bytes]:
    """A program of that name with the directory on its command line, which waits for its end."""
    program = data / name
    program.write_text("#!/bin/sh\necho started\nread line\n", encoding="utf-8")
    program.chmod(0o755)
    process = subprocess.Popen(
        [program, "-D", data], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=data, user=user
    )
    assert process.stdout
    process.stdout.readline()
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def write(data: Path, pid: int, status: str = "ready   ") -> None:
    (data / "postmaster.pid").write_text(FILE.format(pid=pid, status=status), encoding="utf-8")


def test_a_pid_file_is_read(tmp_path: Path) -> None:
    write(tmp_path, 4711)
    assert read_postmaster_file(tmp_path) == Postmaster(4711, 20001, is_ready=True)


def test_a_starting_server_is_not_ready(tmp_path: Path) -> None:
    write(tmp_path, 4711, status="starting")
    assert read_postmaster_file(tmp_path) == Postmaster(4711, 20001, is_ready=False)


@pytest.mark.parametrize("content", ["", "4711", "x\n\n\n\n", "4711\n/data\n1\nport\n", "\0\n\n\n\n"])
def test_a_half_written_pid_file_says_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "postmaster.pid").write_text(content, encoding="utf-8")
    assert read_postmaster_file(tmp_path) is None
    assert find_postmaster(tmp_path) is None


def test_a_living_process_that_serves_another_directory_is_no_server(tmp_path: Path) -> None:
    write(tmp_path, os.getpid())
    assert find_postmaster(tmp_path) is None


def test_a_process_whose_command_line_names_the_directory_is_the_server(
    tmp_path: Path, imposter: subprocess.Popen[bytes]
) -> None:
    write(tmp_path, imposter.pid)
    found = find_postmaster(tmp_path)
    assert found
    assert found.pid == imposter.pid
    assert find_postmaster(tmp_path / "other") is None


@linux
def test_another_program_that_names_the_directory_is_not_the_server(tmp_path: Path) -> None:
    shell = run_as("some-shell", tmp_path)
    write(tmp_path, shell.pid)
    assert find_postmaster(tmp_path) is None
    end(shell)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start processes of another user")
def test_a_process_of_another_user_is_no_stray_whatever_it_looks_like(open_path: Path) -> None:
    foreign = run_as("postgres", open_path, user=12345)
    assert find_strays(open_path) == []
    end(foreign)


@linux
def test_strays_are_found_without_a_pid_file(tmp_path: Path, imposter: subprocess.Popen[bytes]) -> None:
    assert find_strays(tmp_path) == [imposter.pid]
    assert find_strays(tmp_path / "other") == []


@linux
def test_another_program_in_the_directory_is_no_stray(tmp_path: Path) -> None:
    shell = run_as("some-shell", tmp_path)
    assert find_strays(tmp_path) == []
    end(shell)


def test_an_ended_process_that_nobody_waited_for_counts_as_ended(
    tmp_path: Path, imposter: subprocess.Popen[bytes]
) -> None:
    assert end_processes([imposter.pid], signal.SIGKILL, within_seconds=5) == []
    write(tmp_path, imposter.pid)
    assert find_postmaster(tmp_path) is None


def test_ending_what_has_ended_is_fine() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert end_processes([ended.pid], signal.SIGTERM, within_seconds=1) == []
