"""arrange: an order that builds, whatever comes in, and what belongs together stays together."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from howdah.schema.archive import Entry
from howdah.schema.arrange import arrange

KINDS = (
    "SCHEMA",
    "EXTENSION",
    "TYPE",
    "FUNCTION",
    "TABLE",
    "VIEW",
    "SEQUENCE",
    "DEFAULT",
    "CONSTRAINT",
    "INDEX",
    "TABLE ATTACH",
    "INDEX ATTACH",
    "FK CONSTRAINT",
    "TRIGGER",
    "COMMENT",
    "RULE",
    "PUBLICATION",
    "EVENT TRIGGER",
    "SOMETHING NEW",
)


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    """Entries that need only such as came before them, as in an archive; names may be alike."""
    found: list[Entry] = []
    for number in range(draw(st.integers(0, 25))):
        kind, name = draw(st.sampled_from(KINDS)), draw(st.sampled_from(["a", "b", "a b", "b a"]))
        needs = draw(st.lists(st.integers(0, max(number - 1, 0)), max_size=3)) if number else []
        beyond = draw(st.sampled_from([(), (1000,)]))  # in no archive
        found.append(Entry(number, kind, "s", f"{name}{number}", f"{number};\n", "", (*needs, *beyond)))
    return found


def flat(found: Sequence[Entry]) -> list[Entry]:
    return [each for group in arrange(found) for each in group]


@settings(deadline=None)
@given(entries())
def test_every_entry_is_there_once_and_behind_what_it_needs(found: list[Entry]) -> None:
    ordered = flat(found)
    assert sorted(each.number for each in ordered) == [each.number for each in found]
    places = {each.number: place for place, each in enumerate(ordered)}
    assert all(places[need] < places[each.number] for each in found for need in each.needs if need in places)


@settings(deadline=None)
@given(entries(), st.randoms(use_true_random=False))
def test_the_order_they_come_in_does_not_matter(found: list[Entry], chance: random.Random) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)
    assert [each.name for each in flat(shuffled)] == [each.name for each in flat(found)]


def entry(number: int, kind: str, name: str, *needs: int) -> Entry:
    return Entry(number, kind, "public", name, f"{name};\n", "", needs)


def test_what_belongs_to_a_table_is_behind_it() -> None:
    found = [
        entry(1, "TABLE", "b"),
        entry(2, "TABLE", "a"),
        entry(3, "CONSTRAINT", "a a_pkey", 2),
        entry(4, "INDEX", "b_idx", 1),
        entry(5, "COMMENT", "INDEX b_idx", 4),
        entry(6, "FK CONSTRAINT", "a a_b_fkey", 1, 2),
        entry(7, "FUNCTION", "f()"),
        entry(8, "TRIGGER", "a f", 7, 2),
        entry(9, "INDEX", "by_f", 2, 7),
    ]
    assert [[each.name for each in group] for group in arrange(found)] == [
        ["f()"],
        ["a", "a a_pkey", "a f"],
        ["b", "b_idx", "INDEX b_idx"],
        ["by_f"],
        ["a a_b_fkey"],
    ]


def test_a_table_whose_name_begins_like_anothers_keeps_what_is_its_own() -> None:
    found = [
        entry(1, "TABLE", "users"),
        entry(2, "TABLE", "users touch"),
        entry(3, "FUNCTION", "f()"),
        entry(4, "TRIGGER", "users touch touch", 3, 2),
        entry(5, "TRIGGER", "users touch", 3, 1),
    ]
    assert [[each.number for each in group] for group in arrange(found)] == [[3], [1, 5], [2, 4]]


def test_what_is_left_out_goes_with_all_that_is_its_own() -> None:
    found = [
        entry(1, "TABLE", "history"),
        entry(2, "SEQUENCE", "history_id_seq", 1),
        entry(3, "COMMENT", "SEQUENCE history_id_seq", 2),
        entry(4, "TABLE", "history_of_mine"),
    ]
    assert [[each.name for each in group] for group in arrange(found, leave_out=[("public", "history")])] == [
        ["history_of_mine"]
    ]


def test_a_circle_ends() -> None:
    found = [entry(1, "TABLE", "a", 2), entry(2, "TABLE", "b", 1)]
    assert sorted(each.number for group in arrange(found) for each in group) == [1, 2]
