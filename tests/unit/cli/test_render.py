"""What people see on stderr."""

from __future__ import annotations

import fcntl
import io
import os
import struct
import termios

from howdah.cli.render import Progress, problem_text
from howdah.findings import Finding


def test_progress_is_silent_where_it_is_told_to_be() -> None:
    stream = io.StringIO()
    with Progress(stream, quiet=True) as progress:
        progress.note("applied")
        progress.doing("applying")
    assert stream.getvalue() == ""


def test_progress_fits_the_terminal_it_is_written_to() -> None:
    far, near = os.openpty()
    fcntl.ioctl(near, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    with os.fdopen(near, "w") as stream:
        assert Progress(stream)._columns() == 40
    os.close(far)


def test_a_statement_in_a_fix_stands_under_it() -> None:
    finding = Finding(
        "missing-privilege", "not set up: role app", fix="Let a superuser run:\nCREATE ROLE app;"
    )
    shown = problem_text(finding, io.StringIO())
    assert shown.endswith("  fix: Let a superuser run:\n       CREATE ROLE app;")
