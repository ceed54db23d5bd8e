"""A unique constraint, primary key or exclusion constraint builds its index while nobody may touch the table."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, held_through, nobody_can
from howdah.observe.effect import WorkKind
from howdah.observe.verdict import Verdict


def _look(seen: Seen) -> Says | None:
    built = seen.work(WorkKind.INDEX_BUILD)
    if not built or seen.work(WorkKind.REWRITE):
        return None
    return Says(
        f"{nobody_can(seen.blocking)} while the index {built[0].index} of the constraint is built",
        held_through(seen),
        "Build a unique index with CREATE UNIQUE INDEX CONCURRENTLY first, and make it the constraint with USING INDEX."
        " For an exclusion constraint PostgreSQL has no such way.",
    )


RULE = Rule("constraint-builds-index", Verdict.UNSAFE, _look)
