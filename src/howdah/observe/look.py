"""One look into a session: what its transaction holds, and what it has counted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from howdah.observe.catalogue import Catalogue
from howdah.pg.locks import LockMode

CLASS, ATTRIBUTE, ATTRDEF, INDEX = 1259, 1249, 2604, 2610
RELATION_CATALOGUES = (CLASS, ATTRIBUTE, ATTRDEF, INDEX)
# pg_type, pg_proc, pg_namespace, pg_constraint, pg_trigger, pg_enum, pg_policy, pg_extension
OBJECT_CATALOGUES = (1247, 1255, 2615, 2606, 2620, 3501, 3256, 3079)
_CATALOGUES = [*RELATION_CATALOGUES, *OBJECT_CATALOGUES]


@dataclass(frozen=True, slots=True)
class Counted:
    """What was read and written of a relation; how large it is."""

    scans: int = 0
    read: int = 0
    written: int = 0
    bytes: int = 0

    def since(self, before: Counted | None) -> Counted:
        """What came after `before`; a TRUNCATE takes back what was written."""
        if before is None:
            return self
        written = max(self.written - before.written, 0)
        return Counted(self.scans - before.scans, self.read - before.read, written, self.bytes)


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows of a catalogue were changed."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0


@dataclass(frozen=True)
class Look:
    """What a session shows.

    Attributes:
        wal: where the log ends.
        slots: locks on relations, of all kinds.
        modes: the strongest lock on each relation that is not newer than what is in use.
        objects: what else is locked as strongly as what is dropped.
    """

    wal: int
    slots: int
    modes: Mapping[int, LockMode]
    counted: Mapping[int, Counted]
    objects: frozenset[int]
    catalogues: Mapping[int, Rows]

    def changed(self, catalogue: int, before: Look) -> Rows:
        """How many rows of a catalogue changed since a look before."""
        now, then = self.catalogues[catalogue], before.catalogues[catalogue]
        return Rows(now.inserted - then.inserted, now.updated - then.updated, now.deleted - then.deleted)


@dataclass
class Session:
    """A session that is looked into, time and again.

    What it has counted it keeps until it reports, over several transactions: what one of them counts is a difference,
    and whatever may have counts when it begins must be known.
    """

    own: Catalogue
    _counting: set[int] | None = field(default=None, init=False)

    def first(self) -> tuple[int, int, Look]:
        """As a transaction begins: the highest OID of a relation, the lowest id that it may write, and a look."""
        highest, first_id, _ = self.own.rows("place")[0]
        counting = [row[0] for row in self.own.rows("counting")] if self._counting is None else self._counting
        self._counting = set()
        return highest, first_id, self.look(highest, counting)

    def look(self, highest: int, further: Collection[int] = ()) -> Look:
        """What it shows now, of relations up to the highest OID, and of the further ones."""
        modes: dict[int, LockMode] = {}
        counted: dict[int, Counted] = {}
        catalogues: dict[int, Rows] = {}
        objects = set()
        wal = slots = 0
        for what, first, second, names, *numbers in self.own.rows(
            "look", _CATALOGUES, highest, list(further)
        ):
            if what == "relation":
                counted[first] = Counted(*numbers)
                if names:
                    modes[first] = max(map(LockMode.of, names), key=lambda each: each.strength)
            elif what == "object":
                objects.add(second)
            elif what == "catalogue":
                catalogues[first] = Rows(second, numbers[0], numbers[1])
            else:
                wal, slots = first, second
        self.note(oid for oid, each in counted.items() if each.scans or each.written)
        return Look(wal, slots, modes, counted, frozenset(objects), catalogues)

    def forget(self) -> None:
        """What may have counts is not known any more, as after a statement that failed."""
        self._counting = None

    def note(self, oids: Iterable[int]) -> None:
        """Remember relations that may have counts."""
        if self._counting is not None:
            self._counting.update(oids)
