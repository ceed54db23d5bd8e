"""What differs between two schema snapshots. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass

from howdah.schema.snapshot import Snapshot

_Key = tuple[str, str, str]  # kind, parent, name


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that only one of two snapshots has, or that is not the same in both; None: it is not there."""

    kind: str
    name: str
    before: str | None
    after: str | None

    @property
    def is_line_endings(self) -> bool:
        """Whether carriage returns are all that differs, as where a file of Windows was read as text."""
        if self.before is None or self.after is None:
            return False
        return self.before.replace("\r", "") == self.after.replace("\r", "")

    def __str__(self) -> str:
        what = f"{self.kind} {self.name}"
        if self.before is None:
            return f"+ {what}{_shown(self.after)}"
        if self.after is None:
            return f"- {what}{_shown(self.before)}"
        if self.is_line_endings:
            return f"~ {what}: only line endings differ"
        if "\n" not in self.before + self.after:
            return f"~ {what}: {self.before or '(plain)'} -> {self.after or '(plain)'}"
        lines = difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), n=0, lineterm="")
        body = [f"    {line}" for line in lines if not line.startswith(("---", "+++", "@@"))]
        return "\n".join([f"~ {what}:", *body])


def compare(
    before: Snapshot,
    after: Snapshot,
    *,
    ignoring: Collection[str] = ("extension version",),
    by_name: Collection[str] = (),
) -> tuple[Difference, ...]:
    """The differences, sorted; () where the schemas are the same. Kinds in `ignoring` do not count.

    Of the kinds in `by_name` only the names do: whether they are there.

    What belongs to a table that only one side has is not listed beside it, and the order of columns is compared only
    where the columns are the same.
    """
    old, new = (_definitions(each, ignoring, by_name) for each in (before, after))
    changed = [key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]
    alone = {key[2] for key in changed if not key[1] and (key in old) != (key in new)}
    reshaped = {parent for kind, parent, _ in changed if kind == "column"}
    return tuple(
        Difference(kind, name, _joined(old.get(key)), _joined(new.get(key)))
        for key in changed
        for kind, parent, name in [key]
        if parent not in alone and not (kind == "column order" and name in reshaped)
    )


def describe(differences: Collection[Difference]) -> str:
    """All of them for people: + only in the second, - only in the first, ~ in both and not the same."""
    return "\n".join(str(each) for each in differences)


def _definitions(
    snapshot: Snapshot, ignoring: Collection[str], by_name: Collection[str]
) -> dict[_Key, tuple[str, ...]]:
    """Definitions by kind, parent and name: rules and casts may share a name."""
    found: dict[_Key, tuple[str, ...]] = {}
    for each in snapshot.objects:
        if each.kind not in ignoring:
            key = (each.kind, each.parent, each.name)
            found[key] = (*found.get(key, ()), "" if each.kind in by_name else each.definition)
    return found


def _joined(definitions: tuple[str, ...] | None) -> str | None:
    return None if definitions is None else "; ".join(definitions)


def _shown(definition: str | None) -> str:
    """A definition on the line of its object: its first line will do."""
    if not definition:
        return ""
    first, more, _ = definition.partition("\n")
    return f": {first}{' ...' if more else ''}"
