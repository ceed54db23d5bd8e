"""Whether columns have the types that the application is configured for, such as `vector(1024)`."""

from __future__ import annotations

import re

import psycopg

from howdah.connect.failures import server_said
from howdah.doctor.checks.check import Outcome
from howdah.doctor.examination import Examination
from howdah.findings import Finding, Severity

_MODIFIER = re.compile(r"\s*\(([^)]*)\)")


def check(examination: Examination) -> Outcome:
    """Each entry of `expect` in howdah.toml: the same, another type, or not there."""
    expected = examination.subject.settings.expect
    if not expected:
        return Outcome("the project expects none")
    findings = [_compare(examination, name, wanted) for name, wanted in expected.items()]
    wrong = [finding for finding in findings if finding]
    if not wrong:
        return Outcome(", ".join(f"{name} is {wanted}" for name, wanted in expected.items()))
    return Outcome(f"{len(wrong)} of {len(expected)} are not as expected", tuple(wrong))


def _compare(examination: Examination, name: str, wanted: str) -> Finding | None:
    table, _, column = name.rpartition(".")
    base, modifier = split_type(wanted)
    try:
        rows = examination.rows("column", table=table, column=column, expected=base)
    except psycopg.Error as error:
        return _bad_expectation(name, wanted, server_said(error))
    if not rows:
        return _missing(f"there is no table {table}", name, wanted)
    row = rows[0]
    if row["type"] is None:
        return _missing(f"table {table} has no column {column}", name, wanted)
    if not row["is_known"]:
        return _bad_expectation(name, wanted, f"the server has no type {base}")
    if row["same_type"] and modifier in (None, split_type(row["type"])[1]):
        return None
    return Finding(
        code="unexpected-type",
        message=f"column {name} is {row['type']}, and the application expects {wanted}",
        why="What the application writes there fails or is cut off.",
        fix="Change the column with a migration, or `expect` in howdah.toml and the application's setting with it.",
        next=("howdah migrate new change_column_type",),
    )


def split_type(text: str) -> tuple[str, str | None]:
    """A type without its modifier, and the modifier: `vector(1024)` is `vector` and `1024`."""
    found = _MODIFIER.search(text)
    if not found:
        return text.strip(), None
    base = text[: found.start()] + text[found.end() :]
    return base.strip(), found[1].replace(" ", "")


def _missing(message: str, name: str, wanted: str) -> Finding:
    return Finding(
        code="missing-column",
        message=f"{message}, and the application expects {name} to be {wanted}",
        severity=Severity.WARNING,
        why="The migration that makes it is pending, or it is in a schema that is not on the search_path.",
        next=("howdah migrate up",),
    )


def _bad_expectation(name: str, wanted: str, why: str) -> Finding:
    return Finding(
        code="bad-expectation",
        message=f"column {name} cannot be compared with {wanted}: {why}",
        severity=Severity.WARNING,
        why="The type is misspelled in howdah.toml, or belongs to an extension that is not there.",
        next=("howdah setup apply",),
    )
