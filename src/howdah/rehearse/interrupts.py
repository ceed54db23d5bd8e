"""Tell a run that Ctrl-C stopped from a migration that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from howdah.errors import MigrationFailed

_INTERRUPTED = "interrupted"


@contextmanager
def raising_interrupts() -> Iterator[None]:
    """Let Ctrl-C end all that goes on around a run.

    The applier reports it as a failure, as somebody's database has been changed by then. A rehearsal would go on, and
    say that the migration fails.

    Raises:
        KeyboardInterrupt: instead of the MigrationFailed of a run that was interrupted.
    """
    try:
        yield
    except MigrationFailed as failed:
        if failed.code == _INTERRUPTED:
            raise KeyboardInterrupt from failed
        raise
