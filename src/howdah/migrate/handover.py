"""Give a history from one tool's table to another's: the statements of it, and those that undo it. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count

from howdah.migrate.declare import checksum_of
from howdah.migrate.formats import FORMAT_NAMES
from howdah.migrate.formats.interface import Format, Keeps, Query
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Migration
from howdah.migrate.side_history import record_declaration
from howdah.pg.identifiers import MAX_NAME_BYTES, quote_identifier, quote_literal

_ARCHIVE = re.compile(rf"_before_({'|'.join(FORMAT_NAMES).replace('-', '_')})(_[0-9]+)?$")
_PLACEHOLDER = re.compile(r"\$([0-9]+)")


@dataclass(frozen=True)
class OldHistory:
    """The table that is given up.

    Attributes:
        archive: the name that it will have.
        owner: its role, to whom the new table will belong.
        parts: names of its indexes and sequences, each with its kind.
        has_side_history: howdah.history is there.
    """

    table: HistoryTable
    archive: HistoryTable
    owner: str
    parts: tuple[tuple[str, str], ...] = ()
    has_side_history: bool = False


@dataclass(frozen=True)
class Handover:
    """What becomes of a history, in one transaction.

    Attributes:
        archive: what the old table is called afterwards.
        queries: what is run.
        records: what is run besides, in the side history.
        undo: a script that takes it back, as long as nothing was applied since.
    """

    archive: HistoryTable
    queries: tuple[Query, ...]
    records: tuple[Query, ...]
    undo: str

    @property
    def script(self) -> str:
        """The statements for people, with their values in them; without the side history's."""
        return "".join(f"{_with_values(each)};\n" for each in self.queries)


def archive_name(table: HistoryTable, to: Format, *, taken: Collection[str]) -> HistoryTable:
    """The name that a history table has once another tool's took its place; none of those that are taken."""
    word = f"_before_{to.name.replace('-', '_')}"
    suffixes = chain([word], (f"{word}_{number}" for number in count(2)))
    names = (_shorten(table.table, suffix) + suffix for suffix in suffixes)
    return replace(table, table=next(name for name in names if name not in taken))


def is_archive(name: str) -> bool:
    """Whether a table of this name is what a history became."""
    return _ARCHIVE.search(name) is not None


def plan_handover(
    old: OldHistory, to: Format, new: HistoryTable, applied: Sequence[Migration], *, user: str
) -> Handover:
    """The statements that archive the old table, and make the new one with a row for each applied migration.

    `user` is the role that runs them. The old table keeps its rows; its records in the side history go with it.
    """
    declared = [(each, checksum_of(to, each)) for each in applied]
    queries = [
        Query(f"LOCK TABLE {old.table.sql} IN ACCESS EXCLUSIVE MODE"),
        *map(Query, _renames(old)),
        *to.table.create(new),
        *(to.table.baseline(new, declared) if declared else ()),
    ]
    if old.owner != user:
        queries.append(Query(f"ALTER TABLE {new.sql} OWNER TO {quote_identifier(old.owner)}"))
    records = []
    if old.has_side_history:
        records.append(Query(_move_records(old.table, old.archive)))
        records += [record_declaration(new, each, "baseline", None, to.files) for each in applied]
    return Handover(old.archive, tuple(queries), tuple(records), _undo(old, to, new, applied))


def _undo(old: OldHistory, to: Format, new: HistoryTable, applied: Sequence[Migration]) -> str:
    statements = [_nothing_since(to, new, applied), f"DROP TABLE {new.sql}"]
    if old.has_side_history:
        statements.append(f"DELETE FROM howdah.history WHERE history = {quote_literal(new.sql)}")
    back = replace(
        old,
        table=old.archive,
        archive=old.table,
        parts=tuple((kind, other) for kind, _, other in _renamed_parts(old)),
    )
    statements += _renames(back)
    if old.has_side_history:
        statements.append(_move_records(old.archive, old.table))
    return "".join(f"{each};\n" for each in ("BEGIN", *statements, "COMMIT"))


def _nothing_since(to: Format, new: HistoryTable, applied: Sequence[Migration]) -> str:
    """A statement that fails where the new history has moved on: the old one would not know of it."""
    versions = [each.version for each in applied]
    if versions and to.table.keeps is Keeps.NUMBER:
        versions = versions[-1:]
    reading = to.table.read(new).sql
    return (
        "DO $undo$ BEGIN\n"
        f"  IF ARRAY(SELECT version FROM ({reading}) AS applied (version)) IS DISTINCT FROM"
        f" {quote_literal('{' + ','.join(versions) + '}')}::text[] THEN\n"
        "    RAISE EXCEPTION 'migrations were applied or reverted since: convert back with howdah migrate adopt';\n"
        "  END IF;\nEND $undo$"
    )


def _renames(old: OldHistory) -> list[str]:
    schema = quote_identifier(old.table.schema)
    table = f"ALTER TABLE {old.table.sql} RENAME TO {quote_identifier(old.archive.table)}"
    return [
        table,
        *(
            f"ALTER {kind} {schema}.{quote_identifier(name)} RENAME TO {quote_identifier(other)}"
            for kind, name, other in _renamed_parts(old)
        ),
    ]


def _renamed_parts(old: OldHistory) -> list[tuple[str, str, str]]:
    """Kind, name and new name of what is called after the table, so that the next table can be called like this one."""
    start = f"{old.table.table}_"
    return [
        (kind, name, _shorten(old.archive.table, name[len(start) - 1 :]) + name[len(start) - 1 :])
        for kind, name in old.parts
        if name.startswith(start)
    ]


def _move_records(one: HistoryTable, other: HistoryTable) -> str:
    return f"UPDATE howdah.history SET history = {quote_literal(other.sql)} WHERE history = {quote_literal(one.sql)}"


def _shorten(name: str, suffix: str) -> str:
    return name.encode()[: MAX_NAME_BYTES - len(suffix.encode())].decode(errors="ignore")


def _with_values(query: Query) -> str:
    def value(found: re.Match[str]) -> str:
        given = query.parameters[int(found[1]) - 1]
        return "NULL" if given is None else quote_literal(given)

    return _PLACEHOLDER.sub(value, query.sql) if query.parameters else query.sql
