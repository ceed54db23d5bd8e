"""A schema that is read once and then kept up, step by step: what a step did not touch is not read again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import psycopg

from howdah.schema.snapshot import (
    SchemaObject,
    Snapshot,
    as_array,
    moment,
    query,
    read_other_objects,
    read_relation_objects,
    read_relations,
)

# A relation by its OID, or all objects of one kind that belong to none.
_Part = int | str
_Objects = tuple[SchemaObject, ...]
_Name = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment in the life of a model."""

    number: int


class SchemaModel:
    """The schema of a database, owners and privileges too, as a session of its own sees it.

    Only one other session may change the database, and not at the moment of reading.
    """

    def __init__(
        self, connection: psycopg.Connection, *, leave_out: Collection[tuple[str, str]] = ()
    ) -> None:
        """Read all of it; left out are the tables (schema, name) of `leave_out`, with all that belongs to them."""
        self._connection = connection
        self._leave_out = leave_out
        self._parts: dict[_Part, _Objects] = {}
        self._names: dict[_Name, str] = {}
        self._since: int | None = None
        self._journal: list[tuple[_Part, _Objects]] = []  # parts that changed, as they were before
        # Planned once: the planning of these takes longer than the reading of a few relations.
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.prepare_threshold = 0
        self.read(None)

    @property
    def mark(self) -> Mark:
        """The moment of the last reading."""
        return Mark(len(self._journal))

    @property
    def snapshot(self) -> Snapshot:
        """All of it, as it was last read."""
        return self._as_snapshot(self._parts)

    def read(self, touched: Collection[int] | None) -> None:
        """Read what may have changed since the last time.

        `touched` are the OIDs of all relations that were locked, made or dropped meanwhile; None: nobody knows.
        """
        with moment(self._connection) as cursor:
            row = cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetchone()
            assert row is not None
            # A row knows the lower half of the number of its transaction.
            now, since = row[0], self._since
            if touched is None or since is None or now >> 32 != since >> 32:
                self._read_all(cursor)
            else:
                self._read_touched(cursor, touched, since % (1 << 32))
        self._since = now

    def changes(self, since: Mark, until: Mark | None = None) -> tuple[Snapshot, Snapshot]:
        """What has changed since then: as it was, and as it is; relations whole, as compare() wants them.

        `until`: as it was at that moment, not as it is.
        """
        end = len(self._journal) if until is None else until.number
        before = dict(reversed(self._journal[since.number : end]))
        later = dict(reversed(self._journal[end:]))
        after = {part: later[part] if part in later else self._parts.get(part, ()) for part in before}
        changed = [part for part in before if before[part] != after[part]]
        return (
            self._as_snapshot({part: before[part] for part in changed}),
            self._as_snapshot({part: after[part] for part in changed}),
        )

    def _read_all(self, cursor: psycopg.RawCursor) -> None:
        relations = read_relations(cursor, self._leave_out)
        self._names = dict(self._read_names(cursor, None, relations))
        self._put(
            self._read_parts(cursor, relations), gone=[each for each in self._parts if isinstance(each, int)]
        )

    def _read_touched(self, cursor: psycopg.RawCursor, touched: Collection[int], since: int) -> None:
        relations = read_relations(cursor, self._leave_out, touched=touched, since=since)
        names = self._read_names(cursor, since, [*touched, *relations])
        if any(self._names.get(key, name) != name for key, name in names):
            # The definition of any object may have a name of another in it.
            self._read_all(cursor)
            return
        self._names.update(names)
        self._put(self._read_parts(cursor, relations), gone=[each for each in touched if each in self._parts])

    def _read_parts(self, cursor: psycopg.RawCursor, relations: list[int]) -> Mapping[_Part, _Objects]:
        found: dict[_Part, list[SchemaObject]] = defaultdict(list)
        if relations:
            for relation, each in read_relation_objects(cursor, relations, privileges=True, owners=True):
                found[relation].append(each)
        for each in read_other_objects(cursor, privileges=True, owners=True):
            found[each.kind].append(each)
        return {part: tuple(sorted(objects)) for part, objects in found.items()}

    def _read_names(
        self, cursor: psycopg.RawCursor, since: int | None, relations: Collection[int]
    ) -> list[tuple[_Name, str]]:
        rows = cursor.execute(query("names"), [str(since or 0), as_array(relations)]).fetchall()
        return [((kind, oid, number), name) for kind, oid, number, name in rows]

    def _put(self, parts: Mapping[_Part, _Objects], *, gone: Iterable[_Part]) -> None:
        """Take what was read for the present; of `gone`, what was not read is not there any more."""
        kinds = [each for each in self._parts if isinstance(each, str)]
        for part in {*parts, *gone, *kinds}:
            old, new = self._parts.get(part, ()), parts.get(part, ())
            if old != new:
                self._journal.append((part, old))
                if new:
                    self._parts[part] = new
                else:
                    del self._parts[part]

    def _as_snapshot(self, parts: Mapping[_Part, _Objects]) -> Snapshot:
        objects = sorted(each for found in parts.values() for each in found)
        return Snapshot(tuple(objects), self._connection.info.server_version // 10000)
