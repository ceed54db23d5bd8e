"""What a check looks at, and where it runs what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from howdah.migrate.migrator import Migrator
    from howdah.observe.sizes import Stats
    from howdah.rehearse.live import LiveEvent
    from howdah.rehearse.verify import Rehearsal


@dataclass(frozen=True, kw_only=True)
class CheckSettings:
    """What a check looks at.

    Attributes:
        base: a branch or commit, or "none"; None: found by itself.
        allow_renumbering: released files may have another version than before.
        against: a database whose history is compared, too.
        rehearsal: where to run the migrations, and whom to tell; None: they are not run.
        tries_down: run the way down, too.
        major: PostgreSQL's; None: any that has what the migrations need.
        stats: the sizes of production's tables.
        data: an address or a dump; what is pending there is run on a copy of it, and measured. None: that is not done.
        allow_large: read a large primary for that, too.
        on_data: told how far that is.
    """

    base: str | None = None
    allow_renumbering: bool = False
    against: Migrator | None = None
    rehearsal: Rehearsal | None = None
    tries_down: bool = True
    major: int | None = None
    stats: Stats | None = None
    data: str | None = None
    allow_large: bool = False
    on_data: Callable[[LiveEvent], None] = lambda _: None
