"""What is lost between two digests."""

from __future__ import annotations

from howdah.rehearse.data import Digest, LostData, Values, find_lost


def test_the_same_lose_nothing() -> None:
    found = {"a": Digest(3, {"b": Values(3, "1")})}
    assert find_lost(found, found) == ()


def test_fewer_rows_are_lost_rows() -> None:
    assert find_lost({"a": Digest(3, {"b": Values(3, "1")})}, {}) == (LostData("a", "", 3, 3),)


def test_a_column_without_its_values_is_lost() -> None:
    lost = find_lost({"a": Digest(3, {"b": Values(2, "1")})}, {"a": Digest(3, {"b": Values(0, "")})})
    assert [str(each) for each in lost] == ["a.b: 2 of 2 values"]


def test_other_values_are_a_loss_and_additional_rows_are_none() -> None:
    before = {"a": Digest(1, {"b": Values(1, "1")})}
    assert [str(each) for each in find_lost(before, {"a": Digest(1, {"b": Values(1, "2")})})] == [
        "a.b: other values than before"
    ]
    assert find_lost(before, {"a": Digest(2, {"b": Values(2, "3")})}) == ()


def test_a_sequence_may_go_forward_and_not_back() -> None:
    at = {position: {"s": Digest(position, is_sequence=True)} for position in (2, 5)}
    assert find_lost(at[2], at[5]) == ()
    assert [str(each) for each in find_lost(at[5], at[2])] == ["s: back at 2, was at 5"]


def test_a_value_that_was_written_over_is_lost_though_another_came() -> None:
    before = {"a": Digest(3, {"b": Values(2, "3", (1, 2))})}
    after = {"a": Digest(3, {"b": Values(3, "9", (2, 3, 4))})}
    assert [str(each) for each in find_lost(before, after)] == ["a.b: 1 of 2 values"]


def test_rows_that_came_are_told_from_values_that_went() -> None:
    before = {"a": Digest(2, {"b": Values(2, "3", (1, 2))})}
    assert find_lost(before, {"a": Digest(3, {"b": Values(3, "6", (1, 2, 3))})}) == ()
    assert find_lost(before, {"a": Digest(3, {"b": Values(3, "8", (1, 3, 4))})}) == (
        LostData("a", "b", 2, 1),
    )
