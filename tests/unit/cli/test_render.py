"""What people see on stderr."""

from __future__ import annotations

import fcntl
import io
import os
import struct
import termios

from howdah.cli.render import Progress, problem_text
from howdah.errors import Where
from howdah.findings import Finding, Severity


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


def test_names_that_others_chose_move_no_cursor() -> None:
    finding = Finding(
        code="some-code",
        message='table "a\n::error::\x1b[2J" is gone',
        severity=Severity.ERROR,
        where=Where("1_\x1b]0;x\x07.sql"),
        why="It is\r\x9b2J gone:\nall of it.",
        fix='1. DROP TABLE "a\n\t\x08b";',
        next=("git fetch 'a\x1b'",),
    )

    shown = problem_text(finding, io.StringIO())

    assert shown.splitlines() == [
        'error: 1_\\x1b]0;x\\x07.sql: table "a\\n::error::\\x1b[2J" is gone [some-code]',
        "  why: It is\\r\\x9b2J gone:",
        "all of it.",
        '  fix: 1. DROP TABLE "a',
        '       \t\\x08b";',
        "  next: git fetch 'a\\x1b'",
    ]
