"""The help page, before click is loaded."""

from __future__ import annotations

import subprocess

from fix_cli import command


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    shown = subprocess.Popen(command("--help"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert shown.stdout is not None
    assert shown.stderr is not None
    shown.stdout.close()
    with shown.stderr as stderr:
        assert stderr.read() == b""
    assert shown.wait() == 0
