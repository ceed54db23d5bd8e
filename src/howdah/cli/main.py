"""The entry point: the help page at once, everything else through click."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    # A shell that asks for completions sets this variable, and gives no arguments.
    if sys.argv[1:] in ([], ["-h"], ["--help"]) and "_HOWDAH_COMPLETE" not in os.environ:
        from howdah.cli.areas import help_page
        from howdah.cli.stdout import write_data

        write_data(help_page())
        return
    # Loading makes many objects and no garbage: looking for it that often costs 4 % of a short command.
    gc.set_threshold(100_000)
    from howdah.cli.root import root

    root(prog_name="howdah")
