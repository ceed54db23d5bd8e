"""One transaction locks so many relations that the server's room for locks comes to an end for everybody."""

from __future__ import annotations

from collections.abc import Sequence

from howdah.check.rules.rule import Says, Seen, StepRule
from howdah.observe.verdict import Verdict

# max_locks_per_transaction x max_connections, as a server has them that nobody set: 64 x 100.
_ROOM = 6400


def _look(step: Sequence[Seen]) -> Says | None:
    most = max(step, key=lambda seen: seen.effect.lock_slots, default=None)
    if most is None or most.effect.lock_slots <= _ROOM // 2:
        return None
    return Says(
        f"it holds {most.effect.lock_slots} locks at once; a server has room for {_ROOM} unless it was given more",
        "Partitions and their indexes are locked one by one. Without room for one more lock, statements of others fail"
        ' with "out of shared memory".',
        "Do it for some partitions at a time, in migrations of their own, or raise max_locks_per_transaction.",
        line=most.statement.line,
    )


RULE = StepRule("many-locks", Verdict.BRIEF, _look)
