"""REINDEX without CONCURRENTLY: nobody writes the table, and nobody plans a query on it, until it is done."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, held_through, nobody_can
from howdah.observe.verdict import Verdict


def _look(seen: Seen) -> Says | None:
    if not seen.wording.starts("REINDEX"):
        return None
    return Says(
        f"{nobody_can(seen.blocking)} while its indexes are built anew",
        f"{held_through(seen)} Queries that would use the index wait, too.",
        "Say REINDEX ... CONCURRENTLY, outside a transaction.",
    )


RULE = Rule("reindex-blocks-writes", Verdict.UNSAFE, _look)
