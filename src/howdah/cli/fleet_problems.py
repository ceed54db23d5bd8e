"""The problems of many databases: each names its database, and what is the same of several is said once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace

from howdah.cli.again import with_database
from howdah.cli.render import printable
from howdah.findings import Finding

_NAMED = 3


def of_databases(problems: Iterable[tuple[str, Finding]], count: int) -> tuple[Finding, ...]:
    """The problems, in the order in which they first come; of one database alone as they are."""
    if count == 1:
        return tuple(problem for _, problem in problems)
    groups: dict[Hashable, tuple[Finding, list[str]]] = {}
    for name, problem in problems:
        groups.setdefault(_key(problem, name), (problem, []))[1].append(name)
    return tuple(_of(problem, names) for problem, names in groups.values())


def _key(problem: Finding, name: str) -> Hashable:
    """Alike for problems that differ in nothing but their database's name."""
    texts = (problem.message, problem.why or "", problem.fix or "")
    return problem.code, problem.severity, problem.where, *(text.replace(name, "\0") for text in texts)


def _of(problem: Finding, names: list[str]) -> Finding:
    shown = ", ".join(map(printable, names[:_NAMED]))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    commands = tuple(with_database(each, names[0]) for each in problem.next)
    return replace(problem, message=f"{shown}{more}: {problem.message}", next=commands)
