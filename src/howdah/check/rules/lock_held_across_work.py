"""Work by the size of a table, under a lock that an earlier statement of the transaction took."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, held_through, nobody_can
from howdah.observe.verdict import Verdict
from howdah.pg.statements import shorten


def _look(seen: Seen) -> Says | None:
    if seen.taken or not seen.inherited:
        return None
    since = max(seen.inherited, key=lambda each: (each.mode.strength, -each.since)).since
    earlier = next((each for each in seen.earlier if each.number == since), None)
    which = f"statement {since}" + (f" ({shorten(earlier.text, limit=60)})" if earlier else "")
    return Says(
        f"{nobody_can(seen.inherited)} until this statement and the rest of the migration are done",
        f"{held_through(seen)} The lock was taken by {which} and is held until the transaction ends.",
        "Put this statement into a migration of its own, so that the lock is gone when it begins"
        f"{'; better, write the rows in batches' if seen.writes_rows else ''}.",
    )


RULE = Rule("lock-held-across-work", Verdict.UNSAFE, _look)
