"""What a difference of a live database means, and the statement that would bring it back. Pure.

`before` is what the migrations build, `after` what is there. Only what one statement can say is said: of the rest,
data among it, a person has to think.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from howdah.schema.compare import Difference
from howdah.schema.definition import COLUMN, marks_of, split_column, split_on, without_marks

# kind -> what DROP says of it, where that is not the kind's own name
_DROPPED_AS = {
    "table": "TABLE",
    "foreign table": "FOREIGN TABLE",
    "view": "VIEW",
    "materialized view": "MATERIALIZED VIEW",
    "index": "INDEX CONCURRENTLY",
    "sequence": "SEQUENCE",
    "function": "FUNCTION",
    "procedure": "PROCEDURE",
    "aggregate": "AGGREGATE",
    "type": "TYPE",
    "domain": "DOMAIN",
    "schema": "SCHEMA",
    "extension": "EXTENSION",
    "statistics": "STATISTICS",
    "collation": "COLLATION",
    "trigger": "TRIGGER",
    "policy": "POLICY",
    "rule": "RULE",
    "event trigger": "EVENT TRIGGER",
    "publication": "PUBLICATION",
    "text search configuration": "TEXT SEARCH CONFIGURATION",
    "text search dictionary": "TEXT SEARCH DICTIONARY",
}
_LOSES_ROWS = frozenset(["table", "foreign table", "column", "schema", "sequence"])
# of a column, where one statement is to bring it back
_SAME = ("type", "collate", "identity", "generated", "storage", "compression", "statistics")
_INDEX = re.compile(r"^(CREATE (?:UNIQUE )?INDEX) ")


def meaning(difference: Difference) -> str:
    """The difference in a sentence, without a final stop."""
    what = f"{difference.kind} {difference.name}"
    if difference.before is None:
        return f"{what} is there, and no migration makes it"
    if difference.after is None:
        return f"{what} is missing, which a migration makes"
    if _is_invalid(difference):
        return f"{what} is not valid: no query uses it"
    if _is_not_checked(difference):
        return f"{what} is NOT VALID: rows that were there before it were never checked"
    if difference.kind == "column order":
        return f"the columns of {difference.name} are in another order: one was dropped and made anew"
    return f"{what} is another than the migrations make"


def remedy(difference: Difference) -> str | None:
    """The statement that makes the live database what its migrations build; None: it is not that simple."""
    if difference.before is None:
        return _drop(difference)
    if difference.after is None:
        make = _MAKE.get(difference.kind)
        return make(difference, difference.before) if make else None
    change = _CHANGE.get(difference.kind)
    return change(difference, difference.before, difference.after) if change else None


def remedies(differences: Sequence[Difference]) -> list[tuple[Difference, str | None]]:
    """Each difference with its remedy; what comes and goes with a constraint, its index, has none of its own."""
    with_constraint = {
        f"{table.rpartition('.')[0]}.{name}"
        for each in differences
        if each.kind == "constraint"
        for name, table in [split_on(each.name)]
    }
    return [
        (each, None if each.kind == "index" and each.name in with_constraint else remedy(each))
        for each in differences
    ]


def loses_rows(difference: Difference) -> bool:
    """Whether the remedy drops what may hold data."""
    return difference.before is None and difference.kind in _LOSES_ROWS


def _drop(difference: Difference) -> str | None:
    if difference.kind == "column":
        table, column = split_column(difference.name)
        return f"ALTER TABLE {table} DROP COLUMN {column};"
    if difference.kind == "constraint":
        name, table = split_on(difference.name)
        return f"ALTER TABLE {table} DROP CONSTRAINT {name};"
    if difference.kind == "comment":
        return None
    word = _DROPPED_AS.get(difference.kind)
    # Of a trigger, policy or rule the name is "name on table", as DROP wants it.
    return f"DROP {word} {difference.name};" if word else None


def _make_column(difference: Difference, before: str) -> str | None:
    parts = COLUMN.fullmatch(before)
    if parts is None or parts["storage"] or parts["statistics"]:
        return None  # those want a statement of their own
    table, column = split_column(difference.name)
    return f"ALTER TABLE {table} ADD COLUMN {column} {before};"


def _make_constraint(difference: Difference, before: str) -> str | None:
    name, table = split_on(difference.name)
    if "(inherited)" in marks_of(before):
        return None
    return f"ALTER TABLE {table} ADD CONSTRAINT {name} {before};"


def _make_index(difference: Difference, before: str) -> str:
    return _INDEX.sub(r"\1 CONCURRENTLY ", without_marks(before)) + ";"


def _change_index(difference: Difference, before: str, after: str) -> str | None:
    return f"REINDEX INDEX CONCURRENTLY {difference.name};" if _is_invalid(difference) else None


def _change_constraint(difference: Difference, before: str, after: str) -> str | None:
    name, table = split_on(difference.name)
    return f"ALTER TABLE {table} VALIDATE CONSTRAINT {name};" if _is_not_checked(difference) else None


def _change_column(difference: Difference, before: str, after: str) -> str | None:
    """Where the default or NOT NULL is all that differs."""
    old, new = COLUMN.fullmatch(before), COLUMN.fullmatch(after)
    if not old or not new or any(old[each] != new[each] for each in _SAME):
        return None
    table, column = split_column(difference.name)
    actions = []
    if old["required"] != new["required"]:
        actions.append(f"ALTER COLUMN {column} {'SET' if old['required'] else 'DROP'} NOT NULL")
    if old["default"] != new["default"]:
        to = f"SET DEFAULT {old['default']}" if old["default"] else "DROP DEFAULT"
        actions.append(f"ALTER COLUMN {column} {to}")
    return f"ALTER TABLE {table} {', '.join(actions)};"


def _as_said(difference: Difference, before: str, *_: str) -> str:
    """A definition that is a statement itself: CREATE OR REPLACE FUNCTION, CREATE TRIGGER."""
    return f"{without_marks(before)};"


def _replace_view(difference: Difference, before: str, *_: str) -> str | None:
    is_plain = before.startswith("AS ")
    return f"CREATE OR REPLACE VIEW {difference.name} {before.rstrip(';')};" if is_plain else None


_MAKE: Mapping[str, Callable[[Difference, str], str | None]] = {
    "column": _make_column,
    "constraint": _make_constraint,
    "index": _make_index,
    "function": _as_said,
    "procedure": _as_said,
    "trigger": _as_said,
    "view": _replace_view,
    "schema": lambda difference, _: f"CREATE SCHEMA {difference.name};",
    "extension": lambda difference, before: f"CREATE EXTENSION {difference.name} WITH {before};",
}
_CHANGE: Mapping[str, Callable[[Difference, str, str], str | None]] = {
    "column": _change_column,
    "constraint": _change_constraint,
    "index": _change_index,
    "function": _as_said,
    "procedure": _as_said,
    "view": _replace_view,
}


def _is_invalid(difference: Difference) -> bool:
    before, after = difference.before or "", difference.after or ""
    return difference.kind == "index" and "(invalid)" in after and after.replace(" (invalid)", "") == before


def _is_not_checked(difference: Difference) -> bool:
    before, after = difference.before or "", difference.after or ""
    return difference.kind == "constraint" and after.replace(" NOT VALID", "") == before != after
