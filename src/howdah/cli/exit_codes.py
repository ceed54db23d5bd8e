"""Exit codes: documented in docs/reference/exit-codes.md, tested, never renumbered."""

from __future__ import annotations

from collections.abc import Iterable

from howdah.errors import (
    ConfigError,
    ConnectError,
    ForeignStep,
    HowdahError,
    RefusedError,
    SourceError,
    UnsupportedError,
)

DONE = 0
ANSWER_IS_NO = 1
USAGE = 2
CANNOT_CONNECT = 3
FAILED = 4
REFUSED = 5
INTERRUPTED = 130

_BY_CLASS: tuple[tuple[type[HowdahError], int], ...] = (
    (ConfigError, USAGE),
    (SourceError, USAGE),
    (ConnectError, CANNOT_CONNECT),
    (ForeignStep, REFUSED),
    (RefusedError, REFUSED),
    (UnsupportedError, REFUSED),
)
# Of several, the one that matters most. FAILED comes behind REFUSED: something may have been done.
_GRAVEST_LAST = (DONE, ANSWER_IS_NO, USAGE, CANNOT_CONNECT, REFUSED, FAILED, INTERRUPTED)


def gravest(codes: Iterable[int]) -> int:
    """The exit code of a command over several databases, from those of each."""
    return max(codes, key=_GRAVEST_LAST.index, default=DONE)


def exit_code_of(error: HowdahError) -> int:
    """The exit code that tells a script what kind of error it was."""
    if error.code == "interrupted":
        return INTERRUPTED
    return next((code for kind, code in _BY_CLASS if isinstance(error, kind)), FAILED)
