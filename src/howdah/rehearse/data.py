"""What the tables of a throwaway database hold: a digest of each column, and what is lost between two of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import psycopg

from howdah.pg.queries import load_queries
from howdah.schema.snapshot import as_array

_QUERIES = Path(__file__).with_name("rows.sql")
# Rows of a table up to which each value is known by its hash: ours, and most that migrations bring.
_MOST_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Column:
    """A column as who invents a value for it must know it.

    Attributes:
        sql: its name as SQL wants it.
        type: as PostgreSQL writes it.
        base: its type's name in the catalogue; of a domain that of what it is made of.
        kind, category: pg_type's typtype and typcategory of the base.
        modifier: of the type; -1: none.
        element: of an array, the type of what is in it.
        labels: of an enum, or of an array of one.
        default: its expression.
        checks: of its domain, as PostgreSQL writes them.
    """

    number: int
    name: str
    sql: str
    type: str
    base: str
    kind: str
    category: str
    modifier: int
    element: str | None
    labels: tuple[str, ...]
    is_required: bool
    default: str | None
    identity: str
    generated: str
    checks: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table that holds rows; `sql`: its name; `bound`: of a partition, the condition that its rows meet."""

    oid: int
    sql: str
    bound: str | None
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Values:
    """The values of a column that are not NULL.

    Attributes:
        count: how many.
        digest: of all of them; their order does not count.
        hashes: of each, sorted; None where they are too many to keep.
    """

    count: int
    digest: str = ""
    hashes: tuple[int, ...] | None = None

    def lost_in(self, after: Values) -> tuple[int, bool]:
        """How many of them are not there after, as far as that is known; and whether any is not."""
        if self.hashes is not None and after.hashes is not None:
            gone = (Counter(self.hashes) - Counter(after.hashes)).total()
            return gone, gone > 0
        gone = max(self.count - after.count, 0)
        return gone, gone > 0 or (self.count == after.count and self.digest != after.digest)


@dataclass(frozen=True)
class Digest:
    """What a table, or a sequence, holds.

    Attributes:
        rows: how many; of a sequence its position, 0 where it was never used.
        columns: by name.
    """

    rows: int
    columns: Mapping[str, Values] = field(default_factory=dict)
    is_sequence: bool = False


@dataclass(frozen=True, slots=True)
class LostData:
    """What was there before an `up` and is not there after its `down`.

    Attributes:
        table: as for SQL; also of a sequence.
        column: likewise; "" where whole rows are gone, or for a sequence.
        before: how many values there were; the position of a sequence.
        lost: how many of them are gone. 0: as many are there, and they are others.
        is_sequence: it begins again at values that are taken already.
    """

    table: str
    column: str
    before: int
    lost: int
    is_sequence: bool = False

    def __str__(self) -> str:
        if self.is_sequence:
            return f"{self.table}: back at {self.before - self.lost}, was at {self.before}"
        if not self.column:
            return f"{self.table}: {self.lost} of {self.before} rows"
        name = f"{self.table}.{self.column}"
        return (
            f"{name}: {self.lost} of {self.before} values"
            if self.lost
            else f"{name}: other values than before"
        )


def find_lost(before: Mapping[str, Digest], after: Mapping[str, Digest]) -> tuple[LostData, ...]:
    """What is lost of `before`. Pure. Rows and values that came in addition are no loss."""
    found: list[LostData] = []
    for name, old in sorted(before.items()):
        new = after.get(name, Digest(0))
        if new.rows < old.rows:
            found.append(LostData(name, "", old.rows, old.rows - new.rows, old.is_sequence))
        else:
            found += _lost_values(name, old, new)
    return tuple(found)


def _lost_values(name: str, old: Digest, new: Digest) -> Iterable[LostData]:
    for column, values in old.columns.items():
        gone, is_lost = values.lost_in(new.columns.get(column, Values(0, hashes=())))
        # Where rows came, and their values cannot be told apart, a digest that differs says nothing.
        if is_lost and (gone or new.rows == old.rows):
            yield LostData(name, column, values.count, gone)


class Digests:
    """Reads what tables hold, in a session of its own."""

    def __init__(self, connection: psycopg.Connection, *, leave_out: Sequence[tuple[str, str]] = ()) -> None:
        self._connection = connection
        self._leave_out = leave_out
        self.unreadable: set[str] = set()
        """Tables of which no digest could be made, for what types they have."""

    def tables(self, oids: Collection[int] | None) -> list[Table]:
        """The tables that people made, of these OIDs; None: all."""
        cursor = psycopg.RawCursor(self._connection)
        wanted = None if oids is None else as_array(oids)
        names = [[schema for schema, _ in self._leave_out], [name for _, name in self._leave_out]]
        rows = cursor.execute(query("tables"), [*names, wanted]).fetchall()
        return [
            Table(oid, name, bound, tuple(_column(row[3:]) for row in group))
            for (oid, name, bound), group in groupby(rows, key=itemgetter(0, 1, 2))
        ]

    def sequences(self, oids: Collection[int] | None) -> dict[int, str]:
        """The sequences that people made, of these OIDs; None: all. Their names for SQL."""
        if oids is not None and not oids:
            return {}
        wanted = None if oids is None else as_array(oids)
        rows = psycopg.RawCursor(self._connection).execute(query("sequences"), [wanted]).fetchall()
        return dict(rows)

    def read(self, tables: Sequence[Table], sequences: Collection[str] = ()) -> dict[str, Digest]:
        """The digests of these, by name."""
        return self._read_tables(tables) | self._read_sequences(sequences)

    def _read_tables(self, tables: Sequence[Table]) -> dict[str, Digest]:
        if not tables:
            return {}
        try:
            rows = self._connection.execute(
                " UNION ALL ".join(map(_digest_query, tables)).encode()
            ).fetchall()
        except psycopg.Error:
            if len(tables) == 1:
                self.unreadable.add(tables[0].sql)
                return {}
            return {name: each for table in tables for name, each in self._read_tables([table]).items()}
        return {
            table.sql: Digest(
                count,
                {
                    column.sql: Values(number, digest or "", _as_tuple(hashes, number))
                    for column, number, digest, hashes in zip(
                        table.columns, numbers, digests, many, strict=True
                    )
                },
            )
            for table, (count, numbers, digests, many) in zip(tables, rows, strict=True)
        }

    def _read_sequences(self, names: Collection[str]) -> dict[str, Digest]:
        if not names:
            return {}
        text = " UNION ALL ".join(
            f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {name}" for name in names
        )
        rows = self._connection.execute(text.encode()).fetchall()
        return {
            name: Digest(position, is_sequence=True) for name, (position,) in zip(names, rows, strict=True)
        }


def query(name: str) -> str:
    """A statement of rows.sql."""
    return load_queries(_QUERIES)[name]


def _digest_query(table: Table) -> str:
    hashes = [f"pg_catalog.hashtextextended({each.sql}::text, 0)" for each in table.columns]
    counts = ", ".join(f"count({each.sql})" for each in table.columns)
    # A sum, as the order of rows is nobody's.
    digests = ", ".join(f"sum({each}::numeric)::text" for each in hashes)
    few = f"count(*) <= {_MOST_KEPT}"
    kept = ", ".join(
        f"CASE WHEN {few} THEN array_to_string(array_agg({each} ORDER BY {each}), ' ') END" for each in hashes
    )
    arrays = f"ARRAY[{counts}]::bigint[], ARRAY[{digests}]::text[], ARRAY[{kept}]::text[]"
    return f"(SELECT count(*), {arrays} FROM ONLY {table.sql})"


def _as_tuple(hashes: str | None, count: int) -> tuple[int, ...] | None:
    """The hashes of a column without its NULLs, as the query gives them; None: they were too many."""
    if hashes is None:
        return None if count else ()
    return tuple(map(int, hashes.split()))


def _column(row: Sequence[Any]) -> Column:
    values = list(row)
    # No labels, and no checks.
    values[9], values[-1] = tuple(values[9] or ()), values[-1] or ""
    return Column(*values)
