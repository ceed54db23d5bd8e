"""The golden matrix: every statement does on this server what its case says, on empty tables and on full ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest
from psycopg.conninfo import make_conninfo

import locks
from effect_cases import Case, Expected, Theme, read_themes
from effect_databases import Databases
from effect_observed import Observed
from fix_server import RunningServer
from howdah.observe.effect import WorkKind

_ROWS = 2000


@dataclass(frozen=True)
class Matrix:
    """Where cases are run."""

    major: int
    empty: Observed
    full: Observed


@pytest.fixture(scope="module")
def matrix(server: RunningServer) -> Iterator[Matrix]:
    conninfo = make_conninfo(**server.address.conninfo())
    databases = Databases(conninfo, rows=0), Databases(conninfo, rows=_ROWS)
    try:
        with Observed(databases[0]) as empty, Observed(databases[1]) as full:
            yield Matrix(server.major, empty, full)
    finally:
        for each in databases:
            each.drop_all()


@cache
def _all_themes() -> tuple[Theme, ...]:
    return tuple(read_themes())


@pytest.mark.parametrize(
    ("theme", "case"),
    [
        pytest.param(theme, case, id=f"{theme.name}: {case.name}")
        for theme in _all_themes()
        for case in theme.cases
    ],
)
def test_the_server_does_what_the_case_says(theme: Theme, case: Case, matrix: Matrix) -> None:
    if matrix.major not in case.majors:
        pytest.skip(f"PostgreSQL {matrix.major} has no such statement")
    for observed, filled in ((matrix.full, True), (matrix.empty, False)):
        expected = case.expected(matrix.major, filled=filled)
        seen = observed.observe(theme, case)
        assert _verdicts(seen, expected) == (expected.verdicts or (expected.verdict,))
        if expected.verdict != "fails":
            assert (seen[-1].locks, seen[-1].held) == (expected.locks, expected.held)
            assert seen[-1].changes == expected.changes
            if filled:
                assert seen[-1].work == expected.work
            assert _kinds(seen[-1]) == _kinds(expected)


def test_there_are_many_cases_and_no_two_of_a_theme_have_one_name() -> None:
    names = [(theme.name, case.name) for theme in _all_themes() for case in theme.cases]
    assert len(names) >= 350
    assert len(set(names)) == len(names)


def test_the_page_of_locks_says_what_the_cases_say() -> None:
    assert locks.PAGE.read_text() == locks.page(_all_themes()), "python tools/locks.py mends it"


def _verdicts(seen: list[Expected], expected: Expected) -> tuple[str, ...]:
    """Of all statements, where the case names them; of the last one, where it does not."""
    verdicts = tuple(each.verdict for each in seen)
    return verdicts if expected.verdicts else verdicts[-1:]


def _kinds(told: Expected) -> set[str]:
    """The kinds of work that do not depend on there being rows."""
    kinds = {kind.value for each in told.work for kind in WorkKind if each.startswith(f"{kind.value} ")}
    return kinds - {WorkKind.ROWS.value}
