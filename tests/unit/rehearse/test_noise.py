"""Which differences mean nothing."""

from __future__ import annotations

from howdah.rehearse.noise import part_noise
from howdah.schema.compare import Difference
from howdah.schema.snapshot import SchemaObject, Snapshot

EMPTY = Snapshot((), 18)


def test_a_constraint_by_another_given_name_is_noise() -> None:
    pair = (
        Difference("constraint", "a_b_key on public.a", "UNIQUE (b)", None),
        Difference("constraint", "a_b_key1 on public.a", None, "UNIQUE (b)"),
    )
    assert part_noise(pair, start=EMPTY) == ((), pair)


def test_a_constraint_that_somebody_named_and_lost_its_name_is_real() -> None:
    pair = (
        Difference("constraint", "mine on public.a", "UNIQUE (b)", None),
        Difference("constraint", "a_b_key on public.a", None, "UNIQUE (b)"),
    )
    assert part_noise(pair, start=EMPTY) == (pair, ())


def test_a_constraint_by_a_given_name_that_says_something_else_is_real() -> None:
    pair = (
        Difference("constraint", "a_b_key on public.a", "UNIQUE (b)", None),
        Difference("constraint", "a_b_key1 on public.a", None, "UNIQUE (b, c)"),
    )
    assert part_noise(pair, start=EMPTY) == (pair, ())


def test_an_extension_that_stays_is_noise_and_one_that_is_gone_is_not() -> None:
    stays, gone = Difference("extension", "x", None, ""), Difference("extension", "y", "", None)
    assert part_noise((stays, gone), start=EMPTY) == ((gone,), (stays,))


def test_the_order_of_columns_is_noise() -> None:
    order = Difference("column order", "public.a", "a, b", "b, a")
    assert part_noise((order,), start=EMPTY) == ((), (order,))


def test_an_extension_that_setup_makes_may_go() -> None:
    start = Snapshot((SchemaObject("extension", "", "y", ""),), 18)
    gone = Difference("extension", "y", "", None)
    assert part_noise((gone,), start=start) == ((), (gone,))


def test_a_value_that_an_enum_has_got_is_noise_and_one_that_is_gone_is_not() -> None:
    short, long = "ENUM ('a', 'it''s, b')", "ENUM ('a', 'new', 'it''s, b')"
    got, lost = Difference("type", "public.m", short, long), Difference("type", "public.n", long, short)
    assert part_noise((got, lost), start=EMPTY) == ((lost,), (got,))
