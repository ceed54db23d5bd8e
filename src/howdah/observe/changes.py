"""What became of relations and objects, by their facts before and after a statement. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from howdah.observe.catalogue import Column, NamedObject, Relation
from howdah.observe.effect import Change, ChangeKind, Work, WorkKind

Relations = Mapping[int, Relation]


@dataclass(frozen=True)
class Comparison:
    """Relations before and after one statement.

    Attributes:
        widths: of each relation in use, how many columns it had: what came later is not in use.
        deleted_relations: whether the statement deleted rows of pg_class: a rewrite does, a TRUNCATE does not.
    """

    before: Relations
    after: Relations
    widths: Mapping[int, int]
    deleted_relations: bool

    def storage(self) -> Iterator[Work]:
        """Rewrites, truncations, and the work on indexes."""
        for oid, old in self.before.items():
            new = self.after.get(oid)
            if oid not in self.widths or new is None or old.kind not in "rmp":
                continue
            is_truncated = old.filenode != new.filenode and self._is_truncated(old, new)
            if old.filenode != new.filenode:
                yield Work(WorkKind.TRUNCATE if is_truncated else WorkKind.REWRITE, old.name)
            if not is_truncated:
                yield from self._index_work(old)

    def changes(self) -> Iterator[Change]:
        """What programs relied on and is gone or other."""
        for oid, old in self.before.items():
            if oid not in self.widths:
                continue
            new = self.after.get(oid)
            if new is None:
                if not self._went_along(old):
                    yield Change(ChangeKind.DROPPED, old.word, old.name, holds_data=old.kind in "rp")
                continue
            if (old.namespace, old.short) != (new.namespace, new.short):
                yield Change(ChangeKind.RENAMED, old.word, old.name, to=new.name)
            if not old.is_partition:
                yield from self._column_changes(old, new)

    def _went_along(self, gone: Relation) -> bool:
        """Whether it is gone with its table, or there again under the same name."""
        is_made_again = gone.is_index and any(
            each.owner == gone.owner and each.short == gone.short for each in self.after.values()
        )
        return is_made_again or (gone.owner in self.before and gone.owner not in self.after)

    def rejecting(self) -> set[str]:
        """Tables with a new column that must be given: a check of their rows fails at the first one."""
        return {
            old.name
            for oid, old in self.before.items()
            if (new := self.after.get(oid))
            and any(each.must_be_given and number not in old.columns for number, each in new.columns.items())
        }

    def _is_truncated(self, old: Relation, new: Relation) -> bool:
        if not new.is_populated:
            return True
        # Both give new storage. A rewrite fills another table, and takes over its storage and its TOAST table.
        # A copy into another tablespace is a rewrite without that.
        is_same_place = (old.tablespace, old.toast) == (new.tablespace, new.toast)
        return is_same_place and not self.deleted_relations

    def _index_work(self, table: Relation) -> Iterator[Work]:
        old = {oid: each for oid, each in self.before.items() if each.is_index and each.owner == table.oid}
        new = {oid: each for oid, each in self.after.items() if each.is_index and each.owner == table.oid}
        gone = [each for oid, each in old.items() if oid not in new]
        for oid, index in new.items():
            if index.filenode == 0 or (oid in old and old[oid].filenode == index.filenode):
                continue
            if oid not in old and index.filenode in {each.filenode for each in gone}:
                continue  # made anew in the catalogue, on the storage of before
            is_rebuilt = oid in old or index.short in {each.short for each in gone}
            kind = WorkKind.INDEX_REBUILD if is_rebuilt else WorkKind.INDEX_BUILD
            yield Work(kind, table.name, index=index.name)

    def _column_changes(self, old: Relation, new: Relation) -> Iterator[Change]:
        width = self.widths[old.oid]
        for number, column in old.columns.items():
            if number <= width:
                yield from _column_change(old, column, new.columns.get(number))
        if new.kind not in "rpf":
            return
        for number, column in new.columns.items():
            before = old.columns.get(number)
            if not column.must_be_given or (before and before.must_be_given):
                continue
            # SET NOT NULL on a column that programs know is a check of values, as any CHECK is.
            if number > width or (before and before.has_default):
                yield Change(ChangeKind.REQUIRED, "column", f"{new.name}.{column.name}")


def _column_change(table: Relation, old: Column, new: Column | None) -> Iterator[Change]:
    name = f"{table.name}.{old.name}"
    word = "attribute" if table.kind == "c" else "column"
    if new is None:
        holds_data = table.kind in "rp" and not old.is_generated
        yield Change(ChangeKind.DROPPED, word, name, holds_data=holds_data)
        return
    if old.name != new.name:
        yield Change(ChangeKind.RENAMED, word, name, to=f"{table.name}.{new.name}")
    if old.type != new.type:
        yield Change(ChangeKind.RETYPED, word, name, to=new.type)


def object_changes(
    before: Mapping[int, NamedObject], after: Mapping[int, NamedObject], *, dropped: frozenset[int]
) -> Iterator[Change]:
    """What became of objects that are not relations; `dropped` are relations: what went with one is not told."""
    for oid, old in before.items():
        new = after.get(oid)
        if new is None:
            if old.owner not in dropped:
                yield Change(ChangeKind.DROPPED, old.kind, old.name)
        elif new.name != old.name:
            yield Change(ChangeKind.RENAMED, old.kind, old.name, to=new.name)
