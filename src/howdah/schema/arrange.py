"""Put the entries of an archive in the order of a file that people read: each table with what is its own. Pure.

pg_dump's own order has all tables, then all defaults, then all constraints: a change to one table is in many places of
a diff. Here objects are sorted by what they are and by name, with what belongs to one behind it, and what an entry
needs comes before it: that is the only reason for which one is not at its place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from howdah.schema.archive import Entry

_RELATIONS = frozenset(["TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW"])
_CODE = frozenset(["FUNCTION", "PROCEDURE", "AGGREGATE", "OPERATOR", "OPERATOR CLASS"])
# What belongs to another entry, in the order in which it comes behind that.
_PARTS = (
    "SEQUENCE",
    "SEQUENCE OWNED BY",
    "DEFAULT",
    "CONSTRAINT",
    "CHECK CONSTRAINT",
    "INDEX",
    # Behind its constraints and indexes: otherwise the parent's would be made for it, under other names.
    "TABLE ATTACH",
    "INDEX ATTACH",
    "STATISTICS",
    "RULE",
    "TRIGGER",
    "ROW SECURITY",
    "POLICY",
    "PUBLICATION TABLE",
    "PUBLICATION TABLES IN SCHEMA",
    "COMMENT",
    "SECURITY LABEL",
    "ACL",
)
_RANK = {kind: rank for rank, kind in enumerate(_PARTS, 1)}
_OF_ANYTHING = frozenset(["COMMENT", "SECURITY LABEL", "ACL", "SEQUENCE OWNED BY"])
_OF_PUBLICATIONS = frozenset(["PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA"])
_RUN_CODE = frozenset(["INDEX", "CONSTRAINT", "CHECK CONSTRAINT"])
_SECTIONS: Mapping[str, int] = {
    "SCHEMA": 0,
    "EXTENSION": 1,
    # 2: whatever else there is, types among it
    **dict.fromkeys(_CODE, 3),
    "SEQUENCE": 4,
    "TABLE": 4,
    "FOREIGN TABLE": 4,
    "VIEW": 5,
    "MATERIALIZED VIEW": 5,
    **dict.fromkeys(_PARTS[2:7], 6),
    "INDEX ATTACH": 6,
    "FK CONSTRAINT": 7,
    "PUBLICATION": 8,
    "DEFAULT ACL": 8,
    "EVENT TRIGGER": 9,
}
_OTHER_SECTION = 2

Group = tuple[Entry, ...]
_Name = tuple[str, str]  # schema, name


def arrange(
    entries: Sequence[Entry], *, leave_out: Collection[_Name] = (), unfinished: Collection[_Name] = ()
) -> tuple[Group, ...]:
    """The entries in an order that builds, those of one object together; the same whatever order they came in.

    `leave_out` are tables that are dropped with all that is theirs. `unfinished` are indexes of partitioned tables
    that not every partition has: those come behind all partitions, which would be given them otherwise.
    """
    book = _Book(entries, frozenset(leave_out), frozenset(unfinished))
    ordered = list(book.in_order())
    return tuple(tuple(group) for _, group in groupby(ordered, key=book.root_of))


@dataclass(frozen=True)
class _Book:
    """All entries, and what belongs to what."""

    entries: Sequence[Entry]
    leave_out: Collection[_Name]
    unfinished: Collection[_Name]

    @cached_property
    def by_number(self) -> Mapping[int, Entry]:
        return {each.number: each for each in self.entries}

    @cached_property
    def _owners(self) -> Mapping[int, Entry]:
        """Entry -> what it belongs to; not all entries have such."""
        found = ((each.number, self._owner(each)) for each in self.entries)
        return {number: owner for number, owner in found if owner}

    def root_of(self, entry: Entry) -> int:
        """The number of the object that it belongs to, or its own."""
        while (owner := self._owners.get(entry.number)) and not self._is_late(entry):
            entry = owner
        return entry.number

    def in_order(self) -> Iterator[Entry]:
        keys = {each.number: self._key(each) for each in self.entries}
        left_out = {each.number for each in self.entries if self._is_left_out(each)}
        done = set(left_out)
        stack = [
            each.number for each in sorted(self.entries, key=lambda each: keys[each.number], reverse=True)
        ]
        waiting: set[int] = set()
        while stack:
            number = stack[-1]
            if number in done:
                stack.pop()
                continue
            needs = [
                each
                for each in self.by_number[number].needs
                if each in self.by_number and each not in done and each not in waiting
            ]
            if needs:
                # A circle, which pg_dump breaks, would be one here for ever.
                waiting.add(number)
                stack += sorted(needs, key=lambda each: keys[each], reverse=True)
                continue
            stack.pop()
            done.add(number)
            yield self.by_number[number]

    def _key(self, entry: Entry) -> tuple[object, ...]:
        root = self.by_number[self.root_of(entry)]
        section = _SECTIONS.get(root.kind, _OTHER_SECTION)
        rank = _RANK[entry.kind] if entry is not root else 0
        return (section, *self._place(root), root.name, root.kind, rank, entry.schema, entry.name, entry.kind)

    def _place(self, root: Entry) -> _Name:
        """Schema and name by which it is sorted: what is apart from its table by the table's."""
        owner = self._owners.get(root.number, root)
        return owner.schema, owner.name

    def _is_late(self, entry: Entry) -> bool:
        """Whether it must wait for all tables: a function that it calls may read any of them."""
        needed = self._needed(entry)
        if entry.kind in _RUN_CODE and any(each.kind in _CODE for each in needed):
            return True
        return any(each.kind == "INDEX" and self._is_unfinished(each) for each in (entry, *needed))

    def _is_unfinished(self, index: Entry) -> bool:
        return (index.schema, index.name) in self.unfinished

    def _is_left_out(self, entry: Entry) -> bool:
        owner = self._owners.get(entry.number)
        if owner:
            return self._is_left_out(owner)
        return entry.kind == "TABLE" and (entry.schema, entry.name) in self.leave_out

    def _needed(self, entry: Entry) -> list[Entry]:
        return [self.by_number[each] for each in entry.needs if each in self.by_number]

    def _owner(self, entry: Entry) -> Entry | None:
        """What it belongs to; None: it stands by itself."""
        if entry.kind not in _RANK:
            return None
        needed = self._needed(entry)
        if entry.kind in _OF_PUBLICATIONS:
            needed = [each for each in needed if each.kind == "PUBLICATION"]
        elif entry.kind == "INDEX ATTACH":
            needed = [each for each in needed if each.name.endswith(entry.name)]
        elif entry.kind not in _OF_ANYTHING:
            needed = [each for each in needed if each.kind in _RELATIONS]
        named = [each for each in needed if entry.schema == each.schema and _names(entry, each)]
        return next(iter([*named, *needed]), None)


def _names(entry: Entry, owner: Entry) -> bool:
    """Whether the tag says whose it is: "table name"."""
    return entry.name == owner.name or entry.name.startswith(f"{owner.name} ")
