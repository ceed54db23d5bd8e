"""VACUUM FULL, CLUSTER or REPACK writes a table anew behind a closed door."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, held_through, nobody_can
from howdah.observe.effect import WorkKind
from howdah.observe.verdict import Verdict


def _look(seen: Seen) -> Says | None:
    command = next((each for each in ("VACUUM", "CLUSTER", "REPACK") if seen.wording.starts(each)), None)
    if command is None or not seen.work(WorkKind.REWRITE):
        return None
    return Says(
        f"{nobody_can(seen.blocking)} while it is written anew",
        held_through(seen),
        "Leave it out of migrations. A plain VACUUM makes the room usable again; to give it back to the disk without"
        " stopping anybody there are pg_repack and pg_squeeze.",
    )


RULE = Rule("vacuum-full-blocks", Verdict.UNSAFE, _look)
