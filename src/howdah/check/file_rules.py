"""The names of what is found in files, in histories and on real data: each has a page of a rule."""

from __future__ import annotations

OF_FILES = (
    "duplicate-migration",
    "missing-up-file",
    "missing-down-file",
    "conflict-marker",
    "not-utf8",
    "byte-order-mark",
    "stray-copy",
    "halves-differ-in-name",
    "names-differ-in-case",
    "needs-own-file",
    "empty-migration",
    "gap-in-numbers",
    "uneven-number-width",
    "mixed-line-ends",
)

OF_HISTORY = (
    "taken-version",
    "out-of-order-migration",
    "modified-migration",
    "reformatted-migration",
    "missing-migration",
    "renumbered-migration",
    "renamed-migration",
    "changed-parents",
    "several-heads",
)

OF_DATA = ("fails-on-data", "stalls-application")

# Nothing can run, or two things are one: no reason makes that right. Or there is no file that could say so.
_NEVER_ALLOWED = frozenset(
    {
        "duplicate-migration",
        "missing-up-file",
        "conflict-marker",
        "not-utf8",
        "stray-copy",
        "names-differ-in-case",
        "taken-version",
        "missing-migration",
        "several-heads",
    }
)

ALLOWABLE = frozenset({*OF_FILES, *OF_HISTORY}) - _NEVER_ALLOWED
"""Those that a file may allow itself."""
