"""compare: what is told of two schemas that differ."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from howdah.schema.compare import Difference, compare
from howdah.schema.snapshot import SchemaObject, Snapshot


def snapshot(*objects: tuple[str, str, str, str]) -> Snapshot:
    return Snapshot(tuple(sorted(SchemaObject(*each) for each in objects)), 18)


USERS = ("table", "", "public.users", "")
EMAIL = ("column", "public.users", "public.users.email", "text")
NAME = ("column", "public.users", "public.users.name", "text")
_names = st.sampled_from(["public.a", "public.b"])
_words = st.sampled_from(["", "text", "int"])
_whole = st.tuples(st.sampled_from(["table", "type"]), st.just(""), _names, _words)
_part = st.builds(
    lambda kind, parent, definition: (kind, parent, f"{parent}.part", definition),
    st.sampled_from(["column", "index", "comment"]),
    _names,
    _words,
)
snapshots = st.lists(st.one_of(_whole, _part), max_size=6, unique=True).map(lambda found: snapshot(*found))


@given(snapshots)
def test_a_snapshot_does_not_differ_from_itself(one: Snapshot) -> None:
    assert compare(one, one) == ()


@given(snapshots, snapshots)
def test_other_snapshots_differ_the_same_both_ways(one: Snapshot, other: Snapshot) -> None:
    there = [(each.kind, each.name, each.before, each.after) for each in compare(one, other)]
    back = [(each.kind, each.name, each.after, each.before) for each in compare(other, one)]
    assert there == back
    assert bool(there) == (one.objects != other.objects)


def test_what_belongs_to_a_missing_table_is_not_listed_beside_it() -> None:
    assert [str(each) for each in compare(snapshot(USERS, EMAIL), snapshot())] == ["- table public.users"]


def test_a_changed_column_is_told_with_both_definitions() -> None:
    new = (*EMAIL[:3], "text NOT NULL")
    found = compare(snapshot(USERS, EMAIL), snapshot(USERS, new))
    assert [str(each) for each in found] == ["~ column public.users.email: text -> text NOT NULL"]


def test_the_order_of_columns_counts_where_the_columns_are_the_same() -> None:
    order = ("column order", "public.users", "public.users")
    one = snapshot(USERS, EMAIL, NAME, (*order, "email, name"))
    other = snapshot(USERS, EMAIL, NAME, (*order, "name, email"))
    assert [each.kind for each in compare(one, other)] == ["column order"]
    assert [each.kind for each in compare(one, snapshot(USERS, EMAIL, (*order, "email")))] == ["column"]
    assert compare(one, other, ignoring=("column order",)) == ()


def test_only_the_lines_of_a_long_definition_that_differ_are_shown() -> None:
    found = Difference("function", "public.f()", "BEGIN\n  a;\nEND", "BEGIN\n  b;\nEND")
    assert str(found) == "~ function public.f():\n    -  a;\n    +  b;"


def test_carriage_returns_alone_are_told_apart() -> None:
    assert Difference("function", "f()", "a\r\nb", "a\nb").is_line_endings
    assert not Difference("function", "f()", "a\r\nb", "a\nc").is_line_endings
    assert not Difference("function", "f()", None, "a").is_line_endings


def test_the_fingerprint_is_of_the_objects_alone() -> None:
    assert snapshot(USERS, EMAIL).fingerprint == Snapshot(snapshot(EMAIL, USERS).objects, 15).fingerprint
    assert snapshot(USERS).fingerprint != snapshot(USERS, EMAIL).fingerprint
