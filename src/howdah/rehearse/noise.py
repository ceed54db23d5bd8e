"""Which differences between two schemas mean nothing. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from howdah.schema.compare import Difference
from howdah.schema.snapshot import Snapshot

_UNIMPORTANT = frozenset({"column order", "extension version"})
_ENUM = "ENUM ("
_VALUE = re.compile(r"'(?:[^']|'')*'")
# What PostgreSQL calls a constraint or an index that nobody named (makeObjectName in its indexcmds.c).
_GIVEN_NAME = re.compile(r'_(?:pkey|key|fkey|check|excl|idx|not_null)\d*"?(?= on |$)')


def part_noise(
    differences: Sequence[Difference], *, start: Snapshot
) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    """Those that are real, and those that are not; `start` is the schema before the first migration.

    Not real are the order of columns; an extension that stays, or goes that was there at the start: setup makes it
    where the migration finds none; a constraint or index that has another of the names that PostgreSQL gives; line
    ends; values that an enum has got, for there is no way to take one back.
    """
    given = {each.name for each in start.objects if each.kind == "extension"}
    renamed = _renamed(differences)
    real: list[Difference] = []
    noise: list[Difference] = []
    for each in differences:
        is_noise = (
            each.kind in _UNIMPORTANT
            or (each.kind == "extension" and (each.before is None or each.name in given))
            or each.is_line_endings
            or _is_longer_enum(each)
            or each in renamed
        )
        (noise if is_noise else real).append(each)
    return tuple(real), tuple(noise)


def _is_longer_enum(difference: Difference) -> bool:
    """Whether an enum has all values that it had, in their order, and more."""
    before, after = difference.before or "", difference.after or ""
    if not (before.startswith(_ENUM) and after.startswith(_ENUM)):
        return False
    left = iter(_VALUE.findall(after))
    return all(each in left for each in _VALUE.findall(before))


def _renamed(differences: Sequence[Difference]) -> set[Difference]:
    """Pairs of one object, by a given name before, by another one after."""
    gone: dict[tuple[str, str], list[Difference]] = {}
    for each in differences:
        if each.kind in {"constraint", "index"} and each.after is None and _GIVEN_NAME.search(each.name):
            gone.setdefault(_nameless(each, each.before or ""), []).append(each)
    found: set[Difference] = set()
    for each in differences:
        if each.before is None and _GIVEN_NAME.search(each.name):
            olds = gone.get(_nameless(each, each.after or ""))
            if olds:
                found |= {each, olds.pop()}
    return found


def _nameless(difference: Difference, definition: str) -> tuple[str, str]:
    """What is the same under any name: the kind, and the definition without it."""
    bare, _, table = difference.name.partition(" on ")
    own = bare.rpartition(".")[2]
    return difference.kind, f"{definition.replace(f'INDEX {own} ON', 'INDEX ON')} {table}"
