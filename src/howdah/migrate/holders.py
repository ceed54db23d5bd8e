"""Who holds what a run waits for: the sessions in its way, what each of them is, and how old its transaction is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import psycopg

from howdah.migrate.sql import fetch
from howdah.pg.locks import LockMode
from howdah.pg.statements import shorten

_SHOWN = 120
_DUMPS = ("pg_dump", "pg_dumpall", "howdah backup")


class Kind(Enum):
    """What a holder is, as far as that says when it will end."""

    SESSION = ""
    AUTOVACUUM = "autovacuum"  # PostgreSQL cancels it for whoever waits deadlock_timeout long
    WRAPAROUND = "autovacuum to prevent wraparound"  # and this one never
    DUMP = "a dump"
    BUILD = "a concurrent index build"
    PREPARED = "a prepared transaction"
    REPLICATION = "replication"

    @property
    def takes_long(self) -> bool:
        """Whether nobody should queue behind it, however young it is."""
        return self in _LONG


_LONG = frozenset({Kind.WRAPAROUND, Kind.DUMP, Kind.BUILD, Kind.PREPARED})


@dataclass(frozen=True, slots=True)
class Wait:
    """What a session waits for. `relation` is 0 where it is no relation but, say, a row."""

    locktype: str
    mode: str
    relation: int
    name: str
    seconds: float
    pids: tuple[int, ...] = ()

    @property
    def stalls_the_application(self) -> bool:
        """Whether reads or writes of others queue behind this."""
        return self.locktype == "relation" and LockMode.of(self.mode).blocks_writes

    @property
    def shown_mode(self) -> str:
        """The mode in the words of LOCK TABLE."""
        return LockMode.of(self.mode).value if self.locktype == "relation" else self.mode

    @property
    def conflicting_modes(self) -> list[str]:
        """The modes, as pg_locks writes them, whose holders stand in its way."""
        if self.locktype != "relation":
            return []
        wanted = LockMode.of(self.mode)
        return [mode.catalogue_name for mode in LockMode if mode.conflicts_with(wanted)]


@dataclass(frozen=True, slots=True)
class Holder:
    """A session, or a prepared transaction, in the way of a run.

    Attributes:
        pid: 0 for a prepared transaction.
        transaction: its virtual transaction, which tells whether it is still the same one.
        modes: what it holds of the relation that is waited for, as pg_locks writes them.
        seconds: the age of its transaction; None: this role may not see it.
        state_seconds: how long it has been in its state.
        prepared: the identifier of a prepared transaction.
    """

    pid: int
    transaction: str
    modes: tuple[str, ...]
    application: str
    role: str
    client: str
    backend_type: str
    state: str
    seconds: float | None
    state_seconds: float | None
    query: str
    prepared: str = ""

    @property
    def kind(self) -> Kind:
        """What it is."""
        begin = self.query.upper()
        if self.prepared:
            return Kind.PREPARED
        if self.backend_type == "autovacuum worker":
            return Kind.WRAPAROUND if "to prevent wraparound" in self.query else Kind.AUTOVACUUM
        if "logical replication" in self.backend_type or self.backend_type == "walsender":
            return Kind.REPLICATION
        if self.application.startswith(_DUMPS):
            return Kind.DUMP
        if self.state == "active" and "CONCURRENTLY" in begin and begin.startswith(("CREATE", "REINDEX")):
            return Kind.BUILD
        return Kind.SESSION

    def outlasts(self, seconds: float) -> bool:
        """Whether it is not to be expected that it ends within so many seconds.

        How long a transaction will go on nobody knows; that it has been going on for as long is the best guess.
        """
        return self.kind.takes_long or (
            self.kind is not Kind.AUTOVACUUM and self.seconds is not None and self.seconds > seconds
        )

    def __str__(self) -> str:
        if self.prepared:
            age = f", {self.seconds:.0f} s old" if self.seconds is not None else ""
            return f"the prepared transaction {self.prepared!r}, role {self.role}{age}{self._holds}"
        name = self.application or self.kind.value
        who = f"process {self.pid}" + (f" ({name})" if name else "")
        if self.application and self.kind is not Kind.SESSION:
            who += f", {self.kind.value}"
        parts = [who]
        if self.role:
            parts.append(f"role {self.role}")
        if self.client:
            parts.append(f"from {self.client}")
        shown = shorten(self.query, limit=_SHOWN) if self.query else "(no query shown)"
        return f"{', '.join(parts)}, {self._doing}{self._holds}: {shown}"

    @property
    def _doing(self) -> str:
        if not self.state and self.seconds is None:
            return "state not visible to this role"
        doing = self.state or "active"
        if self.state_seconds is not None:
            doing += f" for {self.state_seconds:.0f} s"
        if self.seconds is not None:
            doing += f", its transaction for {self.seconds:.0f} s"
        return doing

    @property
    def _holds(self) -> str:
        modes = [LockMode.of(mode).value for mode in self.modes]
        return f", holds {', '.join(modes)}" if modes else ""


def find_wait(session: psycopg.Connection, pid: int) -> Wait | None:
    """What a backend waits for at this moment, seen from any session; None: for no lock."""
    for row in fetch(session, "lock_wait", [pid]):
        return Wait(**{**row, "pids": tuple(row["pids"])})
    return None


def find_holders(
    session: psycopg.Connection,
    wait: Wait,
    *,
    waiter: int,
    pids: Sequence[int] = (),
    transactions: Sequence[str] = (),
) -> tuple[Holder, ...]:
    """Who stands in the way of a wait: these processes and transactions, and who holds the relation; oldest first."""
    parameters = [list(pids), wait.relation, wait.conflicting_modes, list(transactions), waiter]
    return tuple(
        Holder(**{**row, "modes": tuple(sorted(row["modes"]))})
        for row in fetch(session, "lock_wait_holders", parameters)
    )


def longest_stall(session: psycopg.Connection, pid: int, *, except_for: Sequence[str]) -> float:
    """For how many seconds a statement of the application has been waiting for a backend, at most.

    Whoever waits for the tables `except_for`, which are the histories, is a migration itself.
    """
    (row,) = fetch(session, "longest_stall", [pid, list(except_for)])
    return row["seconds"] or 0.0
