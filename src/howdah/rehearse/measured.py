"""What a rehearsal on real data measured: values, for people and programs alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from howdah.errors import MigrationFailed
from howdah.findings import Finding
from howdah.observe.amounts import Range
from howdah.observe.effect import Effect
from howdah.observe.sizes import Stats
from howdah.pg.locks import LockMode
from howdah.rehearse.observed import ObservedStatement

# Another machine, another load, colder caches: what was measured here may be so much less, and so much more, there.
_LESS, _MORE = 0.5, 3.0


class DataFailureKind(Enum):
    """What in the rows made a statement fail."""

    DUPLICATES = "duplicates"
    NULLS = "NULLs"
    ORPHANS = "orphans"
    CHECK = "rows that a check refuses"
    CAST = "values that the new type cannot hold"
    OTHER = "rows"


@dataclass(frozen=True, slots=True)
class DataFailure:
    """A failure that an empty database would not have shown.

    Attributes:
        message: the server's.
        detail: the server's, where it speaks of keys only; "".
        relation: "schema.name", quoted where SQL wants it; "" where the server does not say.
        count: of the rows that stand in the way; None: that could not be asked.
        examples: keys of some of them, as `id=17`; no other value of a row.
        query: finds them all; "" where none could be made.
    """

    kind: DataFailureKind
    message: str
    detail: str = ""
    relation: str = ""
    count: int | None = None
    examples: tuple[str, ...] = ()
    query: str = ""


@dataclass(frozen=True, slots=True)
class LiveTable:
    """What a migration did to those who use one table.

    Attributes:
        mode: the strongest lock that was held on it.
        held_seconds: from the statement that first shut out writers to the end of the transaction; of a step outside
            one, that statement's own time; 0: nobody was shut out.
        reader_seconds, writer_seconds: the longest that a reader, a writer waited, as canaries did; None: not watched.
        statement, line: which statement ran for most of the longest stall, and where it begins; 0: there was none.
    """

    relation: str
    mode: LockMode
    held_seconds: float = 0.0
    reader_seconds: float | None = None
    writer_seconds: float | None = None
    statement: int = 0
    line: int = 0

    @property
    def stall_seconds(self) -> float:
        """The longest that anybody waited."""
        return max(self.reader_seconds or 0.0, self.writer_seconds or 0.0)


@dataclass(frozen=True, slots=True)
class LiveMigration:
    """One migration on real data.

    Attributes:
        seconds: from its first statement to its commit, as `migrate up` runs it.
        statements: as observed in a pass of its own; () of what only its own tool can run.
        tables: that were in use before and that it locked, the longest stall first.
        factor: how many times larger the tables it works on are in production, where that is known.
        failure: why it failed; `data` is what in the rows made it fail, where it was that.
    """

    version: str
    name: str
    file: Path | None
    seconds: float
    statements: tuple[ObservedStatement, ...] = ()
    tables: tuple[LiveTable, ...] = ()
    factor: float | None = None
    failure: MigrationFailed | None = None
    data: DataFailure | None = None

    @property
    def stall_seconds(self) -> float:
        """The longest that anybody waited for a table."""
        return max((each.stall_seconds for each in self.tables), default=0.0)

    def expected(self, seconds: float) -> Range | None:
        """What a time that was measured here is in production; None: nothing says how large the tables are there."""
        return None if self.factor is None else Range(_LESS, _MORE) * (seconds * self.factor)


@dataclass(frozen=True, slots=True)
class LiveRehearsal:
    """Pending migrations on a copy of real data.

    Attributes:
        source: where the data comes from, for people.
        server: the version that it ran on.
        bytes: of the copy.
        restore_seconds: from the first byte read to the last row counted.
        sizes: of the copy's tables.
        migrations: those that were pending, as far as it came.
        unwatched: tables that were locked, and had no canaries, as there were too many.
        notes: what else is to be known.
    """

    source: str
    server: str
    bytes: int
    restore_seconds: float
    sizes: Stats
    migrations: tuple[LiveMigration, ...]
    unwatched: tuple[str, ...] = ()
    notes: tuple[Finding, ...] = ()

    @property
    def failed(self) -> LiveMigration | None:
        """The migration that failed, or None."""
        return next((each for each in self.migrations if each.failure), None)


def strongest_locks(effects: Sequence[Effect]) -> dict[str, LockMode]:
    """The strongest lock that statements held on each relation."""
    found: dict[str, LockMode] = {}
    for effect in effects:
        for lock in (*effect.taken, *effect.held):
            mode = found.get(lock.relation)
            if mode is None or lock.mode.strength > mode.strength:
                found[lock.relation] = lock.mode
    return found
