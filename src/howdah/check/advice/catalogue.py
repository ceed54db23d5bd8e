"""What a statement made, as the catalogue tells it: constraints, indexes, columns, partitions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psycopg

from howdah.check.rules.rule import ForeignKey
from howdah.pg.queries import load_queries

_QUERIES = Path(__file__).with_name("queries.sql")


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint of a table; names are as SQL takes them, here and below.

    Attributes:
        kind: as in pg_constraint: c(heck), f(oreign key), u(nique), p(rimary key), x (exclusion), n(ot null).
        index: its index, of those that have one, and how that is defined; "".
    """

    oid: int
    table: str
    name: str
    kind: str
    definition: str
    index: str
    index_definition: str


@dataclass(frozen=True, slots=True)
class Index:
    """An index; `parent` is that of the partitioned table, or ""."""

    oid: int
    name: str
    definition: str
    is_partitioned: bool
    parent: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; `is_made` tells whether the server makes its values: identity, generated, serial."""

    table_oid: int
    number: int
    table: str
    name: str
    type: str
    default: str
    is_required: bool
    is_made: bool


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition, and what its bounds say of each row: an expression, "" where they say nothing."""

    oid: int
    name: str
    bounds: str


@dataclass(frozen=True)
class Catalogue:
    """Constraints, indexes, columns and partitions of a database at one moment, each in the order they were made."""

    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    columns: tuple[Column, ...] = ()
    partitions: tuple[Partition, ...] = ()


@dataclass(frozen=True)
class Made:
    """What is there after a statement and was not before it.

    Attributes:
        required: columns that were there and may no longer be null.
        attached: tables that are partitions now.
        narrowed: partitions whose bounds say otherwise than before, as those of a default partition do when there is
            one more beside it.
    """

    constraints: tuple[Constraint, ...]
    indexes: tuple[Index, ...]
    columns: tuple[Column, ...]
    required: tuple[Column, ...]
    attached: tuple[Partition, ...]
    narrowed: tuple[Partition, ...]


def read_catalogue(connection: psycopg.Connection) -> Catalogue:
    """The catalogue as the session sees it, its own transaction's changes too."""
    queries = load_queries(_QUERIES)
    return Catalogue(
        tuple(Constraint(*row) for row in connection.execute(queries["constraints"])),
        tuple(Index(*row) for row in connection.execute(queries["indexes"])),
        tuple(Column(*row) for row in connection.execute(queries["columns"])),
        tuple(Partition(*row) for row in connection.execute(queries["partitions"])),
    )


def bare_foreign_keys(connection: psycopg.Connection) -> tuple[ForeignKey, ...]:
    """The foreign keys whose columns no index begins with."""
    rows = connection.execute(load_queries(_QUERIES)["bare_foreign_keys"])
    return tuple(
        ForeignKey(oid, name, table, tuple(columns), parent) for oid, name, table, columns, parent in rows
    )


def what_was_made(before: Catalogue, after: Catalogue) -> Made:
    """What the later moment has and the earlier had not. Pure."""
    constraints = {each.oid for each in before.constraints}
    indexes = {each.oid for each in before.indexes}
    columns = {(each.table_oid, each.number): each for each in before.columns}
    tables = {each.table_oid for each in before.columns}
    bounds = {each.oid: each.bounds for each in before.partitions}
    new = [each for each in after.columns if (each.table_oid, each.number) not in columns]
    return Made(
        constraints=tuple(each for each in after.constraints if each.oid not in constraints),
        indexes=tuple(each for each in after.indexes if each.oid not in indexes),
        columns=tuple(each for each in new if each.table_oid in tables),
        required=tuple(
            each
            for each in after.columns
            if each.is_required
            and (old := columns.get((each.table_oid, each.number))) is not None
            and not old.is_required
        ),
        attached=tuple(each for each in after.partitions if each.oid not in bounds),
        narrowed=tuple(each for each in after.partitions if bounds.get(each.oid, each.bounds) != each.bounds),
    )
