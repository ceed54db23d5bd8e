"""The published page of interop says what a run proved, failures included."""

from __future__ import annotations

from dataclasses import replace

import interop

ONE = interop.Tested(peer="goose", tool="goose", format="goose", claim="up", checks=3, passed=True, server=18)


def test_tests_and_checks_are_counted_for_each_tool() -> None:
    text = interop.page([ONE, replace(ONE, checks=4), replace(ONE, claim="down", checks=5)])

    assert "| goose | 3.29.0 | `goose` | 3 | 12 | all hold |" in text
    assert "| up | goose 7 |" in text
    assert "| down | goose 5 |" in text
    assert "PostgreSQL 18" in text


def test_a_failure_is_published_as_one() -> None:
    text = interop.page([ONE, replace(ONE, claim="down", passed=False)])

    assert "| goose | 3.29.0 | `goose` | 2 | 6 | 1 failed |" in text
    assert "| down | goose **failed** |" in text


def test_tools_come_in_the_order_they_are_installed_in() -> None:
    text = interop.page([ONE, replace(ONE, peer="golang-migrate", tool="migrate")])

    assert text.index("| golang-migrate |") < text.index("| goose |")
