"""CREATE INDEX without CONCURRENTLY keeps everybody from writing the table until it is built."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen, held_through, nobody_can
from howdah.observe.effect import WorkKind
from howdah.observe.verdict import Verdict


def _look(seen: Seen) -> Says | None:
    built = seen.work(WorkKind.INDEX_BUILD)
    words = seen.wording
    named = words.starts("CREATE", "INDEX") or words.starts("CREATE", "UNIQUE", "INDEX")
    unnamed = not words.starts("ALTER") and not any(each.mode.blocks_reads for each in seen.blocking)
    if not built or not (named or unnamed):
        return None
    return Says(
        f"{nobody_can(seen.blocking)} while {built[0].index} is built",
        held_through(seen),
        "Build it with CREATE INDEX CONCURRENTLY, outside a transaction.",
    )


RULE = Rule("index-build-blocks-writes", Verdict.UNSAFE, _look)
