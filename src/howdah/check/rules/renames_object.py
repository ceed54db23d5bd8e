"""Something that programs name has another name."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, listed
from howdah.observe.effect import ChangeKind
from howdah.observe.verdict import Verdict


def _look(seen: Seen) -> Says | None:
    renamed = seen.breaking(ChangeKind.RENAMED)
    if not renamed:
        return None
    return Says(
        f"{listed(f'{each.object} {each.name} is now {each.to}' for each in renamed)}",
        "Programs that still run know the old name only, and fail from then on; those of the next"
        " release fail until then.",
        "Add what has the new name beside the old, let programs use both, and drop the old in a later migration."
        " For a table, a view with the old name serves programs meanwhile.",
    )


RULE = Rule("renames-object", Verdict.BREAKING, _look)
