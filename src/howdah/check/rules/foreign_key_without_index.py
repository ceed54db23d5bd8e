"""No index begins with the columns of a foreign key: a warning."""

from __future__ import annotations

from howdah.check.rules.rule import ForeignKey, KeyRule, Says
from howdah.observe.verdict import Verdict


def _look(key: ForeignKey) -> Says | None:
    columns = ", ".join(key.columns)
    return Says(
        f"each DELETE of a row of {key.parent} reads all of {key.table}: no index begins with {columns}",
        f"To see whether the foreign key {key.name} holds, PostgreSQL looks for rows that refer to the one that goes.",
        f"CREATE INDEX CONCURRENTLY ON {key.table} ({columns}); or allow it, where rows of {key.parent} stay for ever.",
    )


RULE = KeyRule("foreign-key-without-index", Verdict.SAFE, _look)
