"""What trying a migration up, down and up again showed: values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from howdah.errors import HowdahError
from howdah.migrate.migration import Direction, Migration

if TYPE_CHECKING:  # what connects is not loaded for the words of a report
    from howdah.rehearse.data import LostData
    from howdah.rehearse.observed import ObservedStep
    from howdah.schema.compare import Difference


class Return(Enum):
    """How far a `down` takes its `up` back."""

    SCHEMA_AND_DATA = "schema and data"
    SCHEMA_ONLY = "schema only"
    NO = "no"
    NOT_TESTED = "not tested"


@dataclass(frozen=True)
class FailsOnRows:
    """A step that takes effect on empty tables, and failed while they had rows.

    Attributes:
        table: as for SQL; "" where the server does not say.
        column: likewise.
        is_certain: any row makes it fail, whatever is in it; otherwise it may be for the values that were invented.
    """

    direction: Direction
    sqlstate: str
    message: str
    table: str = ""
    column: str = ""
    is_certain: bool = False


@dataclass(frozen=True)
class RoundTrip:
    """One migration: up, down, and up again.

    Attributes:
        up: the newest try; its `failure` says that it does not take effect even without rows.
        down: None where there is no way down, or it was not asked for. One that failed says so itself.
        again: None where the down did not come so far.
        left: where the schema after the down is another one than before the up.
        noise: the same, where it means nothing: the order of columns, names that PostgreSQL gave, extensions.
        differs: where the schema after the second up is another one than after the first.
        lost: data that was there before the up and is not there after the down.
        unproved: tables that it changes and that no rows could be invented for: nothing is known of their data.
        mend: statements to add to the down; each was run, and took its difference away.
        fails_on_rows: steps that ran only when the rows of ours were taken out.
        is_unknown: only its own tool can run it, and no command is named; it counts as applied.
        is_doubtful: one before it was not run for that reason.
        problem: why the down could not even be tried; None where it was, or there is none.
    """

    migration: Migration
    up: ObservedStep
    down: ObservedStep | None = None
    again: ObservedStep | None = None
    left: tuple[Difference, ...] = ()
    noise: tuple[Difference, ...] = ()
    differs: tuple[Difference, ...] = ()
    lost: tuple[LostData, ...] = ()
    unproved: tuple[str, ...] = ()
    mend: tuple[str, ...] = ()
    fails_on_rows: tuple[FailsOnRows, ...] = ()
    is_unknown: bool = False
    is_doubtful: bool = False
    problem: HowdahError | None = None

    @property
    def reversible(self) -> Return:
        """How far the down takes the up back."""
        if self.problem is not None:
            return Return.NO
        if self.down is None:
            return Return.NOT_TESTED
        if self.down.failure is not None or self.left:
            return Return.NO
        return Return.SCHEMA_ONLY if self.lost or self.unproved else Return.SCHEMA_AND_DATA


@dataclass(frozen=True)
class WayBack:
    """All migrations reverted, newest first.

    Attributes:
        left: where the schema is not what it was before the first migration.
        noise: the same, where it means nothing.
        failure: why it ended early.
        not_tried: why it was not tried; "" where it was.
    """

    left: tuple[Difference, ...] = ()
    noise: tuple[Difference, ...] = ()
    failure: HowdahError | None = None
    not_tried: str = ""


@dataclass(frozen=True)
class RoundTrips:
    """A directory's migrations, replayed from nothing.

    Attributes:
        trips: of those that were to be tried, in order, as far as it came.
        way_back: None where it was not asked for.
        failure: one that was only to be applied failed; nothing behind it was tried.
        without_rows: tables that no rows could be invented for, and why.
        is_doubtful: one that nobody can run here counts as applied: what failed behind it may have lacked that.
    """

    trips: tuple[RoundTrip, ...]
    way_back: WayBack | None = None
    failure: HowdahError | None = None
    without_rows: Mapping[str, str] = field(default_factory=dict)
    is_doubtful: bool = False
