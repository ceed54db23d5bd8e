"""The effect of one statement, as it was observed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from howdah.pg.locks import LockMode


class WorkKind(Enum):
    """Work on a relation that was in use before; all but ROWS and TRUNCATE take time in proportion to its size."""

    SCAN = "full scan"
    INDEX_SCAN = "full index scan"
    INDEX_BUILD = "index build"
    INDEX_REBUILD = "index rebuild"
    REWRITE = "table rewrite"
    ROWS = "rows written"
    TRUNCATE = "truncate"


class ChangeKind(Enum):
    """What happened to an object that was in use before."""

    DROPPED = "dropped"
    REPLACED = "replaced"  # dropped, and there again under its name before the transaction ended
    RENAMED = "renamed"
    RETYPED = "retyped"  # a column has another type
    REQUIRED = "required"  # a column that must be given: NOT NULL and without a default


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock on a relation that was in use before.

    Attributes:
        relation: "schema.name", quoted where SQL wants it, as it was called when the lock was taken.
        mode: the strongest one.
        since: the statement of the transaction that took it, from 1.
        index: the index that is locked, not the table itself: who plans a query on the table waits for it; or "".
        kind: of the relation: "table", "materialized view", "view", "foreign table", "sequence", "type":
            a composite one, for which sessions wait that have not used it yet.
    """

    relation: str
    mode: LockMode
    since: int = 1
    index: str = ""
    kind: str = "table"

    @property
    def blocks(self) -> bool:
        """Whether an application waits for it: nobody writes to a view's own storage, nor to a type."""
        is_read_only = self.kind in ("view", "materialized view", "type")
        return self.mode.blocks_reads if is_read_only else self.mode.blocks_writes


@dataclass(frozen=True, slots=True)
class Work:
    """Work on one relation.

    Attributes:
        relation: the table it is work on, also where an index is built or read.
        index: the index, of index builds, rebuilds and scans; "" otherwise.
        rows: read or written, as counted; 0 where nothing was there.
        bytes: of the relation afterwards.
    """

    kind: WorkKind
    relation: str
    index: str = ""
    rows: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """Something that programs relied on is gone or other than before.

    Attributes:
        object: its kind in small letters: "table", "column", "index", "view", "function", "type", "constraint", ...
        name: qualified as a person writes it: "public.users.email" of a column.
        to: the new name or type; "" where there is none.
        holds_data: rows are lost with it: a dropped table or column.
    """

    kind: ChangeKind
    object: str
    name: str
    to: str = ""
    holds_data: bool = False


@dataclass(frozen=True, slots=True)
class Effect:
    """What one statement did.

    Attributes:
        taken: locks it took that its transaction did not hold before.
        held: all locks of its transaction at its end, those of earlier statements too; taken and let go ones of a
            statement outside a transaction too.
        work, changes: see there.
        seconds, wal_bytes: as measured here; on an empty server they say nothing about production.
        lock_slots: how many locks on relations the transaction holds, of all kinds.
        error: the server's message where the statement failed; "".
        sqlstate: its code.
    """

    taken: tuple[Lock, ...] = ()
    held: tuple[Lock, ...] = ()
    work: tuple[Work, ...] = ()
    changes: tuple[Change, ...] = ()
    seconds: float = 0.0
    wal_bytes: int = 0
    lock_slots: int = 0
    error: str = ""
    sqlstate: str = ""
