"""What is lost between two digests."""

from __future__ import annotations

from howdah.rehearse.data import Digest, LostData, find_lost


def test_the_same_lose_nothing() -> None:
    found = {"a": Digest(3, {"b": (3, "1")})}
    assert find_lost(found, found) == ()


def test_fewer_rows_are_lost_rows() -> None:
    assert find_lost({"a": Digest(3, {"b": (3, "1")})}, {}) == (LostData("a", "", 3, 3),)


def test_a_column_without_its_values_is_lost() -> None:
    lost = find_lost({"a": Digest(3, {"b": (2, "1")})}, {"a": Digest(3, {"b": (0, "")})})
    assert [str(each) for each in lost] == ["a.b: 2 of 2 values"]


def test_other_values_are_a_loss_and_additional_rows_are_none() -> None:
    before = {"a": Digest(1, {"b": (1, "1")})}
    assert [str(each) for each in find_lost(before, {"a": Digest(1, {"b": (1, "2")})})] == [
        "a.b: other values than before"
    ]
    assert find_lost(before, {"a": Digest(2, {"b": (2, "3")})}) == ()


def test_a_sequence_may_go_forward_and_not_back() -> None:
    at = {position: {"s": Digest(position, is_sequence=True)} for position in (2, 5)}
    assert find_lost(at[2], at[5]) == ()
    assert [str(each) for each in find_lost(at[5], at[2])] == ["s: back at 2, was at 5"]
