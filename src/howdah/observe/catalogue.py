"""Facts about relations and other objects, read from the catalogue without a lock on what they are about."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from howdah.errors import RefusedError
from howdah.pg.queries import load_queries

_QUERIES = Path(__file__).with_name("queries.sql")
_KINDS = {
    "r": "table",
    "p": "table",
    "f": "foreign table",
    "m": "materialized view",
    "v": "view",
    "S": "sequence",
    "i": "index",
    "I": "index",
    "c": "type",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `has_default` also where the server makes its value in another way."""

    number: int
    name: str
    type: str
    is_not_null: bool
    has_default: bool
    is_generated: bool

    @property
    def must_be_given(self) -> bool:
        """Whether an INSERT that does not name it fails."""
        return self.is_not_null and not self.has_default


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation.

    Attributes:
        name: qualified, quoted where SQL wants it; `short` is the bare name.
        kind: as pg_class.relkind has it.
        is_internal: a session's own, or TOAST: no program names it.
        is_populated: not a materialized view WITH NO DATA.
        filenode: where its rows are; 0 where it has none.
        toast: the OID of its TOAST table, or 0.
        width: how many columns it ever had.
        owner: the table that an index, or the sequence of a column, belongs to, or 0.
    """

    oid: int
    namespace: int
    name: str
    short: str
    kind: str
    is_internal: bool
    is_partition: bool
    is_populated: bool
    filenode: int
    tablespace: int
    toast: int
    width: int
    owner: int
    columns: Mapping[int, Column]

    @property
    def is_index(self) -> bool:
        """Whether it is an index, of whatever kind."""
        return self.kind in "iI"

    @property
    def word(self) -> str:
        """Its kind in words."""
        return _KINDS.get(self.kind, "relation")


@dataclass(frozen=True, slots=True)
class NamedObject:
    """What is not a relation: a function, type, schema, constraint, ...; `owner` is its relation or 0."""

    kind: str
    name: str
    owner: int


@dataclass(frozen=True)
class Catalogue:
    """The catalogue as one session sees it.

    Nothing is left behind but locks on catalogues themselves until the end of the session's transaction: no prepared
    statement, which the body may deallocate, and no setting.
    """

    connection: psycopg.Connection
    prepare: bool | None = False

    def rows(self, name: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a named query.

        Raises:
            RefusedError: another session locks the catalogue itself.
        """
        cursor = psycopg.RawCursor(self.connection, row_factory=tuple_row)
        try:
            return cursor.execute(load_queries(_QUERIES)[name], parameters, prepare=self.prepare).fetchall()
        except psycopg.errors.LockNotAvailable as error:
            raise RefusedError(
                "what a statement does cannot be seen: its transaction locks the system's own catalogue",
                code="catalogue-locked",
                why="Until it ends no other session can plan a query; in production that stops everything.",
                fix="Leave tables of pg_catalog out of LOCK TABLE, REINDEX and CLUSTER, or check with --files.",
            ) from error

    def relations(self, oids: Collection[int]) -> dict[int, Relation]:
        """Those of the relations that exist, and their indexes."""
        return {row[0]: _relation(row) for row in self.rows("relations", list(oids))} if oids else {}

    def objects(self, oids: Collection[int]) -> dict[int, NamedObject]:
        """Those of the objects that exist."""
        return {row[0]: NamedObject(*row[1:]) for row in self.rows("objects", list(oids))} if oids else {}


def _relation(row: Sequence[Any]) -> Relation:
    columns = {each[0]: Column(*each) for each in row[-1] or ()}
    return Relation(*[*row[:-1], columns])
