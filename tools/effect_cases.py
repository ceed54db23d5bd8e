"""The golden matrix: statements with what they are known to do, as tests/cases/effects/*.toml has them.

A file is a theme; its cases start from schema.sql and the theme's own `setup`, empty or with the rows of rows.sql
and the theme's `rows`. All of that is in use. What a case expects is what its last statement does.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CASES = Path(__file__).resolve().parent.parent / "tests" / "cases" / "effects"
MAJORS = (14, 15, 16, 17, 18)
# The order of the page: what a reader looks for first.
_ORDER = (
    "columns",
    "types",
    "constraints",
    "indexes",
    "tables",
    "outside",
    "transactions",
    "rows",
    "partitions",
    "views",
    "functions",
    "objects",
    "privileges",
)


@dataclass(frozen=True)
class Expected:
    """What a case's last statement does.

    Attributes:
        verdict: on it.
        verdicts: one for each statement, where they are given.
        locks: relation -> mode, of the locks that it takes on relations in use.
        held: those that its transaction has at its end, where an earlier statement took some.
        work, changes: in the words of `told_work` and `told_change`.
    """

    verdict: str
    verdicts: tuple[str, ...] = ()
    locks: Mapping[str, str] = field(default_factory=dict)
    held: Mapping[str, str] = field(default_factory=dict)
    work: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One statement, or several in one transaction.

    Attributes:
        theme: the name of its file.
        name: what it shows.
        sql: the statements.
        setup: what is done and committed before, if the theme's setup is not enough.
        settings: of the session.
        transactional: False: outside a transaction.
        note: what is not as one would think.
        needs: "tablespace": one of the name howdah_aside.
        since, until: the versions that have such a statement.
    """

    theme: str
    name: str
    sql: str
    setup: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    transactional: bool = True
    note: str = ""
    needs: str = ""
    since: int = MAJORS[0]
    until: int = MAJORS[-1]
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_rolled_back(self) -> bool:
        """Whether it leaves its theme's database as it was, so that the next case can use it."""
        return self.transactional and not self.setup

    @property
    def majors(self) -> tuple[int, ...]:
        return tuple(major for major in MAJORS if self.since <= major <= self.until)

    def expected(self, major: int, *, filled: bool = False) -> Expected:
        """What is expected on one version, of empty tables or of ones with rows."""
        told = {**self.raw, **self._exception(major), **(self.raw.get("filled", {}) if filled else {})}
        verdicts = tuple(told.get("verdicts", ()))
        return Expected(
            verdict=verdicts[-1] if verdicts else told["verdict"],
            verdicts=verdicts,
            locks=told.get("locks", {}),
            held=told.get("held", told.get("locks", {})),
            work=tuple(told.get("work", ())),
            changes=tuple(told.get("changes", ())),
        )

    def _exception(self, major: int) -> Mapping[str, Any]:
        for versions, told in self.raw.get("versions", {}).items():
            first, _, last = versions.partition("-")
            if int(first) <= major <= int(last or first):
                found: Mapping[str, Any] = told
                return found
        return {}


@dataclass(frozen=True)
class Theme:
    """A file of cases."""

    name: str
    title: str
    intro: str
    setup: str
    rows: str
    cases: tuple[Case, ...]


def read_themes() -> list[Theme]:
    """All of them, in the order of the page."""
    return [_read_theme(CASES / f"{name}.toml") for name in _ORDER]


def base_schema() -> str:
    """What all themes start from."""
    return (CASES / "schema.sql").read_text()


def base_rows() -> str:
    """The rows for it, as many as the setting howdah.rows says."""
    return (CASES / "rows.sql").read_text()


def _read_theme(file: Path) -> Theme:
    told = tomllib.loads(file.read_text())
    return Theme(
        name=file.stem,
        title=told["theme"],
        intro=told.get("intro", ""),
        setup=told.get("setup", ""),
        rows=told.get("rows", ""),
        cases=tuple(
            _read_case(file.stem, each, transactional=told.get("transactional", True))
            for each in told["case"]
        ),
    )


def _read_case(theme: str, told: Mapping[str, Any], *, transactional: bool) -> Case:
    return Case(
        theme=theme,
        name=told["name"],
        sql=told["sql"].strip(),
        setup=told.get("setup", ""),
        settings=told.get("settings", {}),
        transactional=told.get("transactional", transactional),
        note=told.get("note", ""),
        needs=told.get("needs", ""),
        since=told.get("since", MAJORS[0]),
        until=told.get("until", MAJORS[-1]),
        raw=told,
    )
