"""Put together the views that pg_dump writes twice: first with empty columns, then as they are. Pure.

It does so where a view needs what comes late in its order, such as the primary key that GROUP BY goes by. In ours a
primary key comes with its table; only where two views really need each other is that the one way to make them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from howdah.schema.archive import Entry

_AGAIN, _ONCE = "CREATE OR REPLACE VIEW ", "CREATE VIEW "


def join_views(entries: Sequence[Entry]) -> list[Entry]:
    """The entries with each of these views made once, where that is possible."""
    by_number = {each.number: each for each in entries}
    found = list(entries)
    for second in entries:
        if second.kind != "RULE" or not second.statements.startswith(_AGAIN):
            continue
        view = next(
            (by_number[each] for each in second.needs if _is_first(by_number.get(each), second)), None
        )
        others = [each for each in second.needs if view and each != view.number]
        if view is None or _leads_to(others, view.number, by_number):
            continue
        once = replace(
            view,
            statements=second.statements.replace(_AGAIN, _ONCE, 1),
            needs=tuple({*view.needs, *others} - {second.number}),
        )
        by_number[view.number] = once
        by_number.pop(second.number)
        # What stood behind the second stands behind the view.
        for each in list(by_number.values()):
            if second.number in each.needs:
                needs = tuple(view.number if need == second.number else need for need in each.needs)
                by_number[each.number] = replace(each, needs=needs)
    return [by_number[each.number] for each in found if each.number in by_number]


def _is_first(entry: Entry | None, second: Entry) -> bool:
    return entry is not None and entry.kind == "VIEW" and second.name == f"{entry.name} _RETURN"


def _leads_to(starts: Sequence[int], goal: int, by_number: Mapping[int, Entry]) -> bool:
    """Whether one of these entries needs the goal, by whatever way."""
    todo, seen = list(starts), set(starts)
    while todo:
        entry = by_number.get(todo.pop())
        for each in entry.needs if entry else ():
            if each == goal:
                return True
            if each not in seen:
                seen.add(each)
                todo.append(each)
    return False
