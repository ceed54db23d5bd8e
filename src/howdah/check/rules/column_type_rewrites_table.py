"""A column's new type is stored otherwise, or sorts otherwise: all rows or all indexes are written anew."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, held_through, listed, nobody_can
from howdah.observe.effect import ChangeKind, WorkKind
from howdah.observe.verdict import Verdict


def _look(seen: Seen) -> Says | None:
    retyped = seen.changes(ChangeKind.RETYPED)
    words = seen.wording
    if not retyped and not (words.starts("ALTER", "TABLE") and words.has("TYPE")):
        return None
    if seen.work(WorkKind.REWRITE):
        doing = "it is rewritten"
    elif seen.work(WorkKind.INDEX_BUILD, WorkKind.INDEX_REBUILD):
        doing = "its indexes are built anew"
    else:
        doing = "its rows are checked"
    columns = listed(f"{each.name} to {each.to}" if each.to else each.name for each in retyped) or "a column"
    return Says(
        f"{nobody_can(seen.blocking)} while {doing} for the type of {columns}",
        held_through(seen),
        "Add a column of the new type, write both from the application, fill it in batches, read from it, and drop"
        " the old one in a later migration. No steps are shown: half of them are in the application.",
    )


RULE = Rule("column-type-rewrites-table", Verdict.UNSAFE, _look)
