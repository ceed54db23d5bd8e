"""The entry point: the help page at once, everything else through click."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    # A shell that asks for completions sets this variable, and gives no arguments.
    if sys.argv[1:] in ([], ["-h"], ["--help"]) and "_HOWDAH_COMPLETE" not in os.environ:
        from howdah.cli.areas import help_page

        try:
            sys.stdout.write(help_page())
            sys.stdout.flush()
        except BrokenPipeError:  # who reads has seen enough, as in `howdah --help | head -1`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    from howdah.cli.root import root

    root(prog_name="howdah")
