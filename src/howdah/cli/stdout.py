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
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
