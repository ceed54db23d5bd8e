"""A lock as the server lists it, and as it concerns others. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from howdah.observe.catalogue import Relation
from howdah.observe.effect import Lock
from howdah.pg.locks import LockMode


def lock_of(
    relation: Relation,
    mode: LockMode,
    *,
    table: Relation | None,
    on_table: LockMode | None,
    since: int = 1,
) -> Lock | None:
    """The lock on a relation; None where nobody waits for it.

    That is one on an index whose table is locked as strongly, and a weak one on an index, a sequence or a type.
    `table` is the index's, None where that is not in use; `on_table` is how that is locked, None: not at all.
    """
    if not relation.is_index:
        is_for_nobody = relation.kind in "cS" and not mode.blocks_writes
        return None if is_for_nobody else Lock(relation.name, mode, since, kind=relation.word)
    is_covered = on_table is not None and on_table.strength >= mode.strength
    if table is None or is_covered or not mode.blocks_writes:
        return None
    return Lock(table.name, mode, since, index=relation.name, kind=table.word)


def in_order(locks: Iterable[Lock]) -> tuple[Lock, ...]:
    """By relation and index."""
    return tuple(sorted(locks, key=lambda each: (each.relation, each.index)))
