"""Write data where data goes."""

from __future__ import annotations

import os
import sys


def write_data(text: str) -> None:
    """Write to stdout. A reader that has seen enough, as in `howdah --help | head -1`, is no error."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _stop_writing()
    except OSError as error:
        from howdah.cli.exit_codes import FAILED

        _stop_writing()
        sys.stderr.write(f"error: cannot write the output: {error.strerror}\n")
        sys.exit(FAILED)


def _stop_writing() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
