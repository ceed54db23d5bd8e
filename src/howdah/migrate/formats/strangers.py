"""Whose history a table is where it is of none of our formats: for a better error message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class _Stranger:
    """A tool and its history's columns.

    Attributes:
        columns: name -> its format_type, as a regular expression.
        is_exact: with other columns beside these it is something else.
    """

    tool: str
    columns: Mapping[str, str]
    is_exact: bool = True


_TEXT, _NUMBER, _TIME = r"character varying\(\d+\)", "integer|bigint", "timestamp.*"

_STRANGERS = (
    _Stranger("Rails", {"version": "character varying"}),  # dbmate's has a length
    _Stranger("Ecto", {"version": "bigint", "inserted_at": _TIME}),
    _Stranger("Laravel", {"id": _NUMBER, "migration": _TEXT, "batch": "integer"}),
    _Stranger("sql-migrate", {"id": "text", "applied_at": _TIME}),
    _Stranger("node-pg-migrate", {"id": "integer", "name": _TEXT, "run_on": _TIME}),
    _Stranger("Knex", {"id": "integer", "name": _TEXT, "batch": "integer", "migration_time": _TIME}),
    _Stranger("Django", {"id": _NUMBER, "app": _TEXT, "name": _TEXT, "applied": _TIME}),
    _Stranger(
        "Liquibase",
        {
            **dict.fromkeys(("id", "author", "filename", "exectype", "md5sum"), _TEXT),
            "dateexecuted": _TIME,
            "orderexecuted": "integer",
        },
        is_exact=False,  # versions of it have added columns
    ),
)


def name_stranger(columns: Mapping[str, str]) -> str | None:
    """Whose history a table with these columns (name -> format_type) is, "a history of Rails"; None: nobody knows."""
    for each in _STRANGERS:
        has_all = all(re.fullmatch(kind, columns.get(name, "")) for name, kind in each.columns.items())
        if has_all and not (each.is_exact and len(columns) > len(each.columns)):
            return f"a history of {each.tool}"
    return None
