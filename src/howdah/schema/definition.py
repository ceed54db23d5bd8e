"""The names and definitions of a snapshot, taken apart again. Pure.

The other half of queries.sql: what is put together there is told apart here.
"""

from __future__ import annotations

import re

COLUMN = re.compile(
    r"(?P<type>.+?)(?P<collate> COLLATE (?:\"[^\"]+\"|\S+))?(?P<required> NOT NULL)?"
    r"(?: GENERATED (?P<identity>ALWAYS|BY DEFAULT) AS IDENTITY)?"
    r"(?: DEFAULT (?P<default>.+?)| (?P<generated>GENERATED ALWAYS AS \(.+\) (?:STORED|VIRTUAL)))?"
    r"(?: STORAGE (?P<storage>\w+))?(?: COMPRESSION (?P<compression>\w+))?(?: STATISTICS (?P<statistics>\d+))?",
    re.DOTALL,
)
"""The definition of a column; to be matched in full."""

# At the end only: the text of a function may say the same.
_MARKS = re.compile(r"(?: \((?:invalid|clustered|replica identity|inherited|disabled|replica|always)\))+$")
_ON = re.compile(r'("(?:[^"]|"")+"|[^" ]+) on (.*)', re.DOTALL)
_IN_TABLE = re.compile(r'(.*)\.("(?:[^"]|"")+"|[^".]+)', re.DOTALL)


def without_marks(definition: str) -> str:
    """The definition as SQL: without what says of an index, trigger or constraint how it stands."""
    return _MARKS.sub("", definition)


def marks_of(definition: str) -> str:
    """What `without_marks` takes away: "(disabled)"; "" where there is nothing."""
    return definition[len(without_marks(definition)) :].strip()


def split_on(name: str) -> tuple[str, str]:
    """`name on table`: both, where each may be quoted and hold anything."""
    found = _ON.fullmatch(name)
    assert found is not None, "as queries.sql writes it"
    return found[1], found[2]


def split_column(name: str) -> tuple[str, str]:
    """`schema.table.column`: the table, and the column."""
    found = _IN_TABLE.fullmatch(name)
    assert found is not None, "as queries.sql writes it"
    return found[1], found[2]
