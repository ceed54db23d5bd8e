"""The entry point: the help page at once, everything else through click."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] in ([], ["-h"], ["--help"]):
        from howdah.cli.areas import help_page

        sys.stdout.write(help_page())
        return
    from howdah.cli.root import root

    root(prog_name="howdah")
