"""The server refused the statement."""

from __future__ import annotations

from howdah.check.rules.rule import Rule, Says, Seen
from howdah.observe.verdict import Verdict


def _look(seen: Seen) -> Says | None:
    if not seen.effect.error:
        return None
    return Says(
        f"it fails: {seen.effect.error}",
        f"The server refused it with SQLSTATE {seen.effect.sqlstate or 'unknown'}, on a database"
        " made by the migrations before it.",
        "Mend the statement; or put what it needs, such as an extension, where setup makes it.",
    )


RULE = Rule("migration-fails", Verdict.FAILS, _look)
