"""What the statements of one transaction do, observed from inside it.

After each statement one query in the transaction's own session tells which locks it holds, what it has read and
written of each relation, and in which catalogues it has changed rows; whatever was made, changed or dropped is locked.
Only where catalogues changed are facts read again, of what is locked strongly enough to have changed. What was before
comes from a second session, which sees the state that was committed before the transaction: so nothing need be asked
in the transaction before its first statement, which may still be SET TRANSACTION.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from howdah.observe.catalogue import Catalogue, NamedObject, Relation
from howdah.observe.changes import Comparison, object_changes
from howdah.observe.effect import Change, ChangeKind, Effect, Lock, Work, WorkKind
from howdah.observe.held import in_order, lock_of
from howdah.observe.look import CLASS, OBJECT_CATALOGUES, RELATION_CATALOGUES, Look, Rows, Session
from howdah.pg.locks import LockMode

# No relation changes its shape or its storage under less.
_ALTERING = LockMode.SHARE_UPDATE_EXCLUSIVE.strength
# They change nothing in a relation, and some want no query before the next statement.
# What programs reach by its name alone: whoever has the name serves them.
_BY_NAME = frozenset(
    {
        "table",
        "view",
        "materialized view",
        "foreign table",
        "sequence",
        "type",
        "domain",
        "function",
        "procedure",
    }
)
_SETTING = frozenset({"SET", "RESET", "BEGIN", "START", "SAVEPOINT", "RELEASE", "PREPARE", "DEALLOCATE"})
# Of these an index scan may be a look-up of some rows; of others it is a check of all.
_QUERYING = frozenset(
    {
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "MERGE",
        "WITH",
        "COPY",
        "EXECUTE",
        "DO",
        "CALL",
        "CREATE",
        "REFRESH",
    }
)


@dataclass(frozen=True)
class InUse:
    """What counts as in use: OIDs, of relations with the number of their columns. None: what existed before."""

    widths: Mapping[int, int] | None = None

    @cached_property
    def highest(self) -> int | None:
        """The highest OID of them, where they are fixed."""
        return None if self.widths is None else max(self.widths, default=0)

    def has(self, oid: int) -> bool:
        """Whether a relation or another object is in use, given that it existed before."""
        return self.widths is None or oid in self.widths

    def width(self, relation: Relation) -> int:
        """How many of its columns are in use."""
        return relation.width if self.widths is None else self.widths[relation.oid]


@dataclass
class Inside:
    """One transaction of a session, which has changed nothing yet; `before` sees what was committed before it."""

    session: Session
    before: Catalogue
    in_use: InUse
    number: int = field(default=0, init=False)  # of the newest statement
    _is_begun: bool = field(default=False, init=False)
    _held: dict[int, Lock] = field(default_factory=dict, init=False)
    _known: dict[int, Relation | None] = field(default_factory=dict, init=False)  # None: not in use
    _now: dict[int, Relation] = field(default_factory=dict, init=False)
    _objects: dict[int, NamedObject | None] = field(default_factory=dict, init=False)
    _is_renamed: bool = field(default=False, init=False)
    _slots: int = field(default=0, init=False)
    _command: int = field(default=-1, init=False)  # up to which facts are known

    def begin(self, words: tuple[str, ...]) -> None:
        """A statement is about to run; before the first that may change something, see what there is already."""
        self.number += 1
        if self._is_begun or _only_sets(words):
            return
        self._is_begun = True
        highest, self._first_id, self._last = self.session.first()
        self._highest = highest if self.in_use.highest is None else self.in_use.highest
        self._counted = dict(self._last.counted)
        self._foreign = self._last.modes  # the run's own, as on its history

    def after(self, words: tuple[str, ...], seconds: float) -> Effect:
        """The effect of a statement that has just run and left the transaction open."""
        if not self._is_begun or _only_sets(words):
            return Effect(held=self.held, seconds=seconds, lock_slots=self._slots)
        last, look = self._last, self.session.look(self._highest)
        self._last, self._slots = look, look.slots
        self._learn(look.modes)
        if words[:1] == ("ROLLBACK",):
            self._go_back(look)
            return Effect(held=self.held, seconds=seconds, lock_slots=look.slots)
        comparison = self._compare(last, look)
        taken = self._take_locks(look)
        work = self._work(comparison, last, look, words)
        changes = [*comparison.changes(), *self._object_changes(comparison, last, look)]
        self._counted.update(look.counted)
        self._now = {
            **{oid: each for oid, each in self._now.items() if oid not in comparison.before},
            **comparison.after,
        }
        return Effect(
            taken=taken,
            held=self.held,
            work=work,
            changes=tuple(sorted(changes, key=lambda each: (each.object, each.name, each.kind.value))),
            seconds=seconds,
            wal_bytes=look.wal - last.wal,
            lock_slots=look.slots,
        )

    @property
    def own(self) -> Catalogue:
        """The catalogue as the transaction sees it."""
        return self.session.own

    @property
    def held(self) -> tuple[Lock, ...]:
        """The locks of the transaction as of its newest statement."""
        return in_order(self._held.values())

    def touched(self) -> frozenset[int] | None:
        """OIDs of the relations that it locked, made or dropped; None: it renamed what others show by name."""
        found = frozenset(row[0] for row in self.own.rows("touched"))
        # What it made is in use from now on, and building its indexes was counted.
        self.session.note(found)
        return None if self._is_renamed else found

    def settle(self, effects: Iterable[Effect]) -> tuple[Effect, ...]:
        """The effects of the transaction's statements as its end shows them: what is there again is replaced."""
        effects = tuple(effects)
        gone = [each for effect in effects for each in effect.changes if _may_come_back(each)]
        if not gone:
            return effects
        rows = self.own.rows("there_again", [each.object for each in gone], [each.name for each in gone])
        views = self.own.relations([oid for _, oid in rows if oid is not None])
        back = {
            each: replace(each, kind=ChangeKind.REPLACED)
            for place, oid in rows
            if self._has_columns((each := gone[place - 1]).name, views.get(oid))
        }
        # What had to give its name to another may go under the name that it was given.
        aside = {each.to for each in back if each.kind is ChangeKind.RENAMED}
        back |= {
            each: replace(each, kind=ChangeKind.REPLACED)
            for each in gone
            if each.kind is ChangeKind.DROPPED and each.name in aside
        }
        return tuple(
            replace(effect, changes=tuple(back.get(each, each) for each in effect.changes))
            for effect in effects
        )

    def _has_columns(self, name: str, now: Relation | None) -> bool:
        """Whether what is called so now has the columns of what was called so before."""
        before = next((each for each in self._known.values() if each and each.name == name), None)
        if now is None or before is None:
            return True
        return {each.name for each in before.columns.values()} <= {each.name for each in now.columns.values()}

    def _learn(self, oids: Collection[int]) -> None:
        """Get to know what relations were before the transaction; of an index, its table too."""
        unknown = [oid for oid in oids if oid not in self._known]
        if not unknown:
            return
        found = self.before.relations(unknown)
        self._known.update(dict.fromkeys(unknown))
        for oid, relation in found.items():
            is_used = self.in_use.has(oid) or self.in_use.has(relation.owner)
            if is_used and not relation.is_internal and self._known.get(oid) is None:
                self._known[oid] = self._now[oid] = relation
        self._learn({each.owner for each in found.values() if each.is_index})

    def _go_back(self, look: Look) -> None:
        """To a savepoint: what was made since is gone, and what was dropped is back."""
        self._now = self.own.relations([oid for oid, each in self._known.items() if each is not None])
        self._objects.clear()
        self._counted.update(look.counted)
        self._take_locks(look)

    def _is_used(self, oid: int) -> bool:
        return self._known.get(oid) is not None and self.in_use.has(oid)

    def _take_locks(self, look: Look) -> tuple[Lock, ...]:
        """Bring the locks up to date; those that are new."""
        taken = []
        for oid, mode in look.modes.items():
            lock = self._as_lock(oid, mode, look.modes)
            if lock is None:
                continue
            old = self._held.get(oid)
            if old is None or mode.strength > old.mode.strength:
                self._held[oid] = lock
                taken.append(lock)
        for oid in [oid for oid in self._held if oid not in look.modes]:
            del self._held[oid]
        return in_order(taken)

    def _as_lock(self, oid: int, mode: LockMode, modes: Mapping[int, LockMode]) -> Lock | None:
        """The lock as it concerns others; None where it does not."""
        known = self._known.get(oid)
        if known is None or not self._is_used(oid):
            return None
        foreign = self._foreign.get(oid)
        if foreign is not None and mode.strength <= foreign.strength:
            return None
        return lock_of(
            self._now.get(oid, known),
            mode,
            table=self._now.get(known.owner),
            on_table=modes.get(known.owner),
            since=self.number,
        )

    def _compare(self, last: Look, look: Look) -> Comparison:
        """What may have changed, before and after."""
        altered = self._altered(last, look)
        altered |= {self._now[oid].owner for oid in altered if self._now[oid].is_index}
        before = {oid: each for oid, each in self._now.items() if oid in altered or each.owner in altered}
        after = self.own.relations(altered)
        widths = {
            oid: self.in_use.width(each)
            for oid in before
            if (each := self._known.get(oid)) is not None and self.in_use.has(oid)
        }
        return Comparison(before, after, widths, deleted_relations=look.changed(CLASS, last).deleted > 0)

    def _altered(self, last: Look, look: Look) -> set[int]:
        """The relations that the statement may have changed: locked so by it, or written since in the catalogue."""
        if all(look.changed(each, last) == Rows() for each in RELATION_CATALOGUES):
            return set()
        held = {
            oid: mode.strength
            for oid, mode in look.modes.items()
            if mode.strength >= _ALTERING and oid in self._now
        }
        new = {oid for oid, each in held.items() if oid not in last.modes or last.modes[oid].strength < each}
        older = held.keys() - new
        rows = self.own.rows("altered", list(older), self._first_id, self._command) if older else []
        self._command = max([self._command, *(command for _, command in rows)])
        return new | {oid for oid, _ in rows}

    def _work(
        self, comparison: Comparison, last: Look, look: Look, words: tuple[str, ...]
    ) -> tuple[Work, ...]:
        stored = list(comparison.storage())
        reworked = {each.relation for each in stored}  # their scans are a part of that
        refilled = {each.relation for each in stored if each.kind in (WorkKind.TRUNCATE, WorkKind.REWRITE)}
        found: list[Work] = []
        scanned: dict[str, Work] = {}
        for oid, counted in look.counted.items():
            relation = self._now.get(oid)
            if relation is None or not self._is_used(oid):
                continue
            new = counted.since(self._counted.get(oid))
            if new.written > 0 and relation.name not in refilled and not relation.is_index:
                found.append(Work(WorkKind.ROWS, relation.name, rows=new.written, bytes=counted.bytes))
            if new.scans <= 0:
                continue
            if not relation.is_index:
                scanned[relation.name] = Work(
                    WorkKind.SCAN, relation.name, rows=new.read // new.scans, bytes=counted.bytes
                )
            elif (table := self._now.get(relation.owner)) and _is_of_all(words, new.read):
                scanned.setdefault(
                    table.name,
                    Work(
                        WorkKind.INDEX_SCAN,
                        table.name,
                        index=relation.name,
                        rows=new.read,
                        bytes=counted.bytes,
                    ),
                )
        found += [each for name, each in scanned.items() if name not in reworked | comparison.rejecting()]
        sizes = {
            each.name: look.counted[oid].bytes
            for oid, each in comparison.before.items()
            if oid in look.counted
        }
        found += [replace(each, bytes=sizes.get(each.index or each.relation, 0)) for each in stored]
        return tuple(sorted(found, key=lambda each: (each.relation, each.kind.value, each.index)))

    def _object_changes(self, comparison: Comparison, last: Look, look: Look) -> list[Change]:
        changed = {each: look.changed(each, last) for each in OBJECT_CATALOGUES}
        updated = [each for each, rows in changed.items() if rows.updated > 0]
        if not updated and not any(rows.deleted > 0 for rows in changed.values()):
            return []
        candidates = set(look.objects)
        if updated:
            candidates |= {row[0] for row in self.own.rows("updated", self._first_id, updated)}
        unknown = [oid for oid in candidates if oid not in self._objects]
        found = self.before.objects(unknown)
        self._objects.update({oid: found.get(oid) for oid in unknown})
        old = {oid: each for oid in candidates if (each := self._objects[oid]) is not None}
        new = self.own.objects(old)
        self._objects.update({oid: new.get(oid) for oid in old})
        self._is_renamed |= any(each.name != old[oid].name for oid, each in new.items())
        used = {
            oid: each
            for oid, each in old.items()
            if self.in_use.has(oid) and (each.owner == 0 or self._is_used(each.owner))
        }
        return list(
            object_changes(used, new, dropped=frozenset(comparison.before.keys() - comparison.after.keys()))
        )


def _may_come_back(change: Change) -> bool:
    if change.kind is ChangeKind.RENAMED:
        return change.object in _BY_NAME
    return (
        change.kind is ChangeKind.DROPPED
        and change.object not in ("table", "column")
        and not change.holds_data
    )


def _only_sets(words: tuple[str, ...]) -> bool:
    return words[:1] != () and words[0] in _SETTING and words[1:2] != ("CONSTRAINTS",)


def _is_of_all(words: tuple[str, ...], read: int) -> bool:
    # A handful of rows by their keys is what an index is for.
    return not (words[:1] and words[0] in _QUERYING) or read > 1000
