"""The table of contents of a pg_dump archive: every object with its statements and what must be there before it. Pure.

Plain text would have to be taken apart again, and does not say what depends on what. The archive is what pg_restore
reads, so that each version of it stays readable.

Source: PostgreSQL's src/bin/pg_dump/pg_backup_archiver.c, ReadHead and ReadToc.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from howdah.errors import UnsupportedError

_MAGIC = b"PGDMP"
# The first has the access method of a table, the last is what PostgreSQL 17 and 18 write.
_OLDEST, _NEWEST = (1, 14), (1, 16)
_WITH_COMPRESSION_NAME, _WITH_RELKIND = (1, 15), (1, 16)


@dataclass(frozen=True, slots=True)
class Entry:
    """One object, or what belongs to one, such as a default or a comment.

    Attributes:
        number: within its archive.
        kind: pg_dump's word: "TABLE", "FK CONSTRAINT", ...
        schema: "" where it stands in none.
        name: as pg_dump tags it, unquoted: of what belongs to a table "table name".
        statements: SQL, with its semicolons; may be empty.
        access_method: of a table or materialized view, "" where it is none.
        needs: numbers of the entries that come before it.
    """

    number: int
    kind: str
    schema: str
    name: str
    statements: str
    access_method: str
    needs: tuple[int, ...]


def read_archive(archive: bytes) -> tuple[Entry, ...]:
    """The entries in pg_dump's order, which builds.

    Raises:
        UnsupportedError: a pg_dump wrote it that is newer or older than those known here.
    """
    return tuple(_Reader(archive).entries())


class _Reader:
    """Takes numbers and texts from the archive, one behind the other."""

    def __init__(self, archive: bytes) -> None:
        self._bytes = archive
        self._at = len(_MAGIC)
        self._version = (self._byte(), self._byte())
        if not archive.startswith(_MAGIC) or not _OLDEST <= self._version <= _NEWEST:
            raise UnsupportedError(
                f"pg_dump wrote an archive of version {'.'.join(map(str, self._version))}",
                code="pg-dump-format",
                why="howdah reads those of the versions 1.14 to 1.16, which PostgreSQL 12 to 18 write.",
                fix="Put a pg_dump of the server's own version on PATH, or install a newer howdah.",
            )
        self._byte()  # the revision
        self._size_of_int, self._size_of_offset = self._byte(), self._byte()
        self._byte()  # the archive's kind: custom
        if self._version >= _WITH_COMPRESSION_NAME:
            self._byte()
        else:
            self._int()
        for _ in range(7):  # the time it was made
            self._int()
        for _ in range(3):  # the database's name, the versions of server and pg_dump
            self._text()

    def entries(self) -> Iterator[Entry]:
        for _ in range(self._int()):
            yield self._entry()

    def _entry(self) -> Entry:
        number = self._int()
        self._int()  # whether it has data
        self._text()  # the catalog's OID
        self._text()  # the object's
        name, kind = self._text(), self._text()
        self._int()  # its section
        statements = self._text()
        self._text()  # how to drop it
        self._text()  # how to copy its data
        schema = self._text()
        self._text()  # its tablespace
        access_method = self._text()
        if self._version >= _WITH_RELKIND:
            self._int()
        self._text()  # its owner
        self._text()  # of the time of tables with OIDs
        needs = tuple(self._needs())
        self._at += 1 + self._size_of_offset  # where its data is
        return Entry(number, kind, schema, name, statements, access_method, needs)

    def _needs(self) -> Iterator[int]:
        while (number := self._text()) != "":
            yield int(number)

    def _byte(self) -> int:
        self._at += 1
        return self._bytes[self._at - 1]

    def _int(self) -> int:
        is_negative = self._byte()
        self._at += self._size_of_int
        number = int.from_bytes(self._bytes[self._at - self._size_of_int : self._at], "little")
        return -number if is_negative else number

    def _text(self) -> str:
        """A text; one that is NULL reads as empty."""
        length = max(self._int(), 0)
        self._at += length
        return self._bytes[self._at - length : self._at].decode("utf-8", "surrogateescape")
