"""What a statement does that manages its own transactions, such as CREATE INDEX CONCURRENTLY: seen from outside.

Its locks are gone when it ends, so a second session looks while it runs; and since on a small table it would be over
before anybody looked, a gate makes it stop: whatever changes a relation takes its locks on tables first, and then waits
at pg_class, to be looked at. The gate opens, and closes again behind it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import psycopg

from howdah.observe.catalogue import Catalogue, Relation
from howdah.observe.changes import Comparison
from howdah.observe.effect import Effect, Lock, Work, WorkKind
from howdah.observe.gate import PG_CLASS, Gate
from howdah.observe.held import in_order, lock_of
from howdah.observe.inside import InUse
from howdah.pg.features import Feature
from howdah.pg.locks import LockMode
from howdah.pg.statements import Statement

_LOOK_EVERY_SECONDS = 0.001
# Behind so many stops a statement is about many relations: then looking now and then must do.
_MAX_STOPS = 1000
_SEEN_FOR_SURE = LockMode.SHARE_UPDATE_EXCLUSIVE.strength
# From this version on a session can be told to report what it has counted.
_FLUSH_SINCE = 150000
# Longer than a session of version 14 keeps its counts, and its collector its file.
_OLD_REPORT_SECONDS = 0.6

# They change no relation.
_SETTING = frozenset(
    {(word,) for word in ("SET", "RESET", "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "DISCARD")}
)
# They may commit, or may have to be outside a transaction, which only the catalogue knows.
_OWN_TRANSACTIONS = frozenset({("DO",), ("CALL",), ("VACUUM",)})
# They have one for each partition of a partitioned table.
_BY_PARTITION = frozenset({("REINDEX",), ("CLUSTER",)})


def may_be_bracketed(statement: Statement, view: Catalogue) -> bool:
    """Whether it does the same in a transaction of its own that is begun and committed around it."""
    first = statement.words[:1]
    if first in _BY_PARTITION and view.rows("has_partitions")[0][0]:
        return False
    return first not in _OWN_TRANSACTIONS | _SETTING and Feature.NO_TRANSACTION not in statement.features


def manages_transactions(statement: Statement) -> bool:
    """Whether it is one to look at from outside; SET and COMMIT are not."""
    return statement.words[:1] not in _SETTING


@dataclass
class Outside:
    """One statement of a session that has no transaction. start(), let it run, finish()."""

    connection: psycopg.Connection
    view: Catalogue
    in_use: InUse
    statement: Statement
    _modes: dict[int, LockMode] = field(default_factory=dict, init=False)
    _before: dict[int, Relation] = field(default_factory=dict, init=False)
    _counted: dict[int, tuple[int, int, int]] = field(default_factory=dict, init=False)
    _slots: int = field(default=0, init=False)
    _stops: int = field(default=0, init=False)
    _is_over: threading.Event = field(default_factory=threading.Event, init=False)

    def start(self) -> None:
        """Close the gate, and begin to look."""
        self._highest, _, self._wal = self.view.rows("place")[0]
        if self._counts_matter:
            self._counted = self._read_counted()
        self._gate = Gate(self.connection)
        self._thread = threading.Thread(target=self._watch, name="howdah observe", daemon=True)
        self._thread.start()

    def finish(self, seconds: float, *, is_done: bool) -> Effect:
        """It has run, or failed."""
        self._is_over.set()
        self._thread.join()
        self._gate.close()
        wal = self.view.rows("place")[0][2] - self._wal
        used = {oid: each for oid, each in self._before.items() if self.in_use.has(oid)}
        locks = self._locks(used)
        if not is_done:
            return Effect(taken=locks, held=locks, seconds=seconds, wal_bytes=wal, lock_slots=self._slots)
        widths = {oid: self.in_use.width(each) for oid, each in used.items()}
        after = self.view.relations(self._before)
        comparison = Comparison(self._before, after, widths, deleted_relations=True)
        work = [*comparison.storage()]
        work += self._counted_work(used, {each.relation for each in work})
        return Effect(
            taken=locks,
            held=locks,
            work=tuple(sorted(work, key=lambda each: (each.relation, each.kind.value, each.index))),
            changes=tuple(comparison.changes()),
            seconds=seconds,
            wal_bytes=wal,
            lock_slots=self._slots,
        )

    @property
    def touched(self) -> Collection[int]:
        """OIDs of the relations that it was seen to touch."""
        return self._before

    def _watch(self) -> None:
        """In a thread: look, until it is over; where it waits at the gate, having looked, let it through."""
        pid, gate = self.connection.info.backend_pid, self._gate
        while not self._is_over.is_set():
            waits = self._look(pid)
            if waits and gate.is_closed and self._stops < _MAX_STOPS:
                gate.let_through(self.view.connection)
                self._stops += 1
            elif waits and gate.is_closed:
                gate.open()
            elif self._stops < _MAX_STOPS:
                gate.look()
            if not waits:
                self._is_over.wait(_LOOK_EVERY_SECONDS)

    def _look(self, pid: int) -> bool:
        """Note what it holds and waits for; whether it waits at the gate."""
        rows = self.view.rows("seen", pid)
        self._slots = max(self._slots, sum(is_granted for oid, _, is_granted in rows if oid != PG_CLASS))
        stronger: dict[int, LockMode] = {}
        for oid, name, _ in rows:
            mode = LockMode.of(name)
            known = stronger.get(oid) or self._modes.get(oid)
            if 16384 <= oid <= self._highest and (known is None or mode.strength > known.strength):
                stronger[oid] = mode
        if stronger:
            # Asked after the locks: a lock on an index that was dead by then stops nobody.
            for (oid,) in self.view.rows("known", list(stronger)):
                self._modes[oid] = stronger[oid]
            for oid, relation in self.view.relations(stronger).items():
                if oid <= self._highest and not relation.is_internal:
                    self._before.setdefault(oid, relation)
        return any(oid == PG_CLASS and not is_granted for oid, _, is_granted in rows)

    def _locks(self, used: Mapping[int, Relation]) -> tuple[Lock, ...]:
        found = []
        for oid, mode in self._modes.items():
            relation = used.get(oid)
            # Weaker ones are seen now and then only: nothing stops a statement that holds no more.
            if relation is None or mode.strength < _SEEN_FOR_SURE:
                continue
            table, on_table = used.get(relation.owner), self._modes.get(relation.owner)
            found.append(lock_of(relation, mode, table=table, on_table=on_table))
        return in_order(filter(None, found))

    @property
    def _counts_matter(self) -> bool:
        return self.statement.words[:1] in (("DO",), ("CALL",))

    def _read_counted(self) -> dict[int, tuple[int, int, int]]:
        """What all sessions have read and written, this one's share having been reported."""
        if self.connection.info.server_version >= _FLUSH_SINCE:
            self.connection.execute("SELECT pg_catalog.pg_stat_force_next_flush()", prepare=False)
        else:
            # Version 14 reports when the session has been at rest for a while, through a collector that is slow.
            time.sleep(_OLD_REPORT_SECONDS)
            self.connection.execute("SELECT 1", prepare=False)
            time.sleep(_OLD_REPORT_SECONDS)
        return {row[0]: row[1:] for row in self.view.rows("counted")}

    def _counted_work(self, used: Mapping[int, Relation], reworked: set[str]) -> list[Work]:
        if self.statement.words[:1] == ("VACUUM",):
            # It reads what it locks, and does not count it.
            return [
                Work(WorkKind.SCAN, each.name)
                for oid, each in used.items()
                if each.kind in "rm" and each.name not in reworked and self._vacuums(oid)
            ]
        if not self._counts_matter:
            return []
        now = self._read_counted()
        changed = [oid for oid, row in now.items() if oid <= self._highest and row != self._counted.get(oid)]
        found = []
        for oid, table in self.view.relations(changed).items():
            if oid not in changed or not self.in_use.has(oid):
                continue
            old = self._counted.get(oid, (0, 0, 0))
            scans, read, written = (b - a for a, b in zip(old, now[oid], strict=True))
            if written > 0:
                found.append(Work(WorkKind.ROWS, table.name, rows=written))
            if scans > 0 and table.name not in reworked:
                found.append(Work(WorkKind.SCAN, table.name, rows=read // scans))
        return found

    def _vacuums(self, oid: int) -> bool:
        mode = self._modes.get(oid)
        return mode is not None and mode.strength >= _SEEN_FOR_SURE
