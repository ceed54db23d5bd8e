"""SET NOT NULL, or a primary key over columns that may be null, reads the whole table behind a closed door."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, held_through, nobody_can
from howdah.observe.effect import ChangeKind, WorkKind
from howdah.observe.verdict import Verdict


def _look(seen: Seen) -> Says | None:
    words = seen.wording
    named = words.has("SET", "NOT", "NULL") or words.has("PRIMARY", "KEY") or _adds_constraint(seen)
    named = named or bool(seen.changes(ChangeKind.REQUIRED))
    if not seen.work(WorkKind.SCAN, WorkKind.INDEX_SCAN) or not named:
        return None
    return Says(
        f"{nobody_can(seen.blocking)} while all rows are read for a null",
        held_through(seen),
        "Add a CHECK (... IS NOT NULL) NOT VALID, validate it in a migration of its own, then SET NOT NULL, which"
        " believes it, and drop the CHECK.",
    )


def _adds_constraint(seen: Seen) -> bool:
    """Whether it is `ADD [CONSTRAINT name] NOT NULL column`, which there is since PostgreSQL 18."""
    words = seen.wording
    if words.has("ADD", "NOT", "NULL"):
        return True
    place = words.find("ADD", "CONSTRAINT")
    return place is not None and [each.word for each in words.top[place + 3 : place + 5]] == ["NOT", "NULL"]


RULE = Rule("not-null-scan-blocks", Verdict.UNSAFE, _look)
