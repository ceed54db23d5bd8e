"""A schema snapshot: what a database contains, as values that are the same wherever the same statements ran."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from functools import cached_property
from pathlib import Path

import psycopg
from psycopg.pq import TransactionStatus

from howdah.pg.queries import load_queries

_QUERIES = Path(__file__).with_name("queries.sql")


@dataclass(frozen=True, order=True, slots=True)
class SchemaObject:
    """One object, or a part of one that can differ by itself: a column, a constraint, a comment.

    Attributes:
        kind: what it is: "table", "column", "index", ...
        parent: the table it is a part of; "" where it stands by itself.
        name: qualified, quoted where SQL wants it; of a trigger or constraint "name on table".
        definition: everything else about it, as PostgreSQL writes it; may have several lines.
    """

    kind: str
    parent: str
    name: str
    definition: str

    def __str__(self) -> str:
        return (
            f"{self.kind} {self.name}: {self.definition}" if self.definition else f"{self.kind} {self.name}"
        )


@dataclass(frozen=True)
class Snapshot:
    """The structure of a database at one moment.

    Attributes:
        objects: sorted.
        major: the server's major version. Servers of different majors may word the same view differently.
    """

    objects: tuple[SchemaObject, ...]
    major: int

    @cached_property
    def text(self) -> str:
        """All of it for people and for files, a line each and more where a definition has more."""
        return "".join(f"{each}\n" for each in self.objects)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the objects: equal where the structure is equal."""
        parts = (part for each in self.objects for part in astuple(each))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def read_schema(
    connection: psycopg.Connection,
    *,
    leave_out: Collection[tuple[str, str]] = (),
    privileges: bool = False,
) -> Snapshot:
    """The structure of the connection's database, as one moment shows it; changes nothing.

    Left out are what extensions brought, the schema `howdah`, and the tables (schema, name) of `leave_out` with all
    that belongs to them: history tables. Privileges are read where asked for; owners never.
    """
    with moment(connection) as cursor:
        relations = read_relations(cursor, leave_out)
        found = [each for _, each in read_relation_objects(cursor, relations, privileges=privileges)]
        found += read_other_objects(cursor, privileges=privileges)
    return Snapshot(tuple(sorted(found)), connection.info.server_version // 10000)


@contextmanager
def moment(connection: psycopg.Connection) -> Iterator[psycopg.RawCursor]:
    """Reading what one moment shows, in the same words whatever the session's settings."""
    is_ours = connection.info.transaction_status == TransactionStatus.IDLE
    # Rolled back: the settings of the caller's transaction come back. Of our own they end with it, and after a
    # ROLLBACK psycopg would forget what it has prepared.
    with connection.transaction(force_rollback=not is_ours):
        if is_ours:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor = psycopg.RawCursor(connection)
        cursor.execute(query("settings"))
        yield cursor


def read_relations(
    cursor: psycopg.RawCursor,
    leave_out: Collection[tuple[str, str]],
    *,
    touched: Collection[int] | None = None,
    since: int | None = None,
) -> list[int]:
    """OIDs of the relations that people make; of `touched` only, and of what transactions from `since` on wrote."""
    tables = sorted(leave_out)
    only = None if touched is None else as_array(touched)
    parameters = [[schema for schema, _ in tables], [name for _, name in tables], only, str(since or 0)]
    return [row[0] for row in cursor.execute(query("relations"), parameters)]


def read_relation_objects(
    cursor: psycopg.RawCursor, relations: Sequence[int], *, privileges: bool = False, owners: bool = False
) -> list[tuple[int, SchemaObject]]:
    """All that belongs to these relations, each with the OID of its relation."""
    names = [
        "relation_objects",
        *["relation_privileges"][: int(privileges)],
        *["relation_owners"][: int(owners)],
    ]
    rows = (row for name in names for row in cursor.execute(query(name), [as_array(relations)]).fetchall())
    return [(row[0], SchemaObject(*row[1:])) for row in rows]


def read_other_objects(
    cursor: psycopg.RawCursor, *, privileges: bool = False, owners: bool = False
) -> list[SchemaObject]:
    """All that belongs to no relation."""
    names = ["objects", *["privileges"][: int(privileges)], *["owners"][: int(owners)]]
    return [SchemaObject(*row) for name in names for row in cursor.execute(query(name)).fetchall()]


def as_array(oids: Collection[int]) -> str:
    """OIDs as PostgreSQL writes an array: as text, which never changes its type, a statement stays prepared."""
    return f"{{{','.join(map(str, sorted(oids)))}}}"


def query(name: str) -> str:
    """A statement of queries.sql."""
    return load_queries(_QUERIES)[name]
