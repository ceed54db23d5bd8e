"""Versions as programs and servers state them."""

from __future__ import annotations

import pytest

from howdah.pg.version import Version, parse_version, version_of_number


@pytest.mark.parametrize(
    ("text", "major", "minor", "shown"),
    [
        ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", 15, 18, "15.18"),
        ("postgres (PostgreSQL) 18.6", 18, 6, "18.6"),
        ("initdb (PostgreSQL) 19beta1", 19, 0, "19beta1"),
        ("19devel", 19, 0, "19devel"),
        ("18rc1", 18, 0, "18rc1"),
    ],
)
def test_a_stated_version_is_read(text: str, major: int, minor: int, shown: str) -> None:
    version = parse_version(text)
    assert (version.major, version.minor, str(version)) == (major, minor, shown)


def test_a_text_without_version_is_refused() -> None:
    with pytest.raises(ValueError, match="no version"):
        parse_version("command not found")


def test_the_servers_number_is_read_and_given_back() -> None:
    assert version_of_number(150014) == Version(15, 14)
    assert Version(15, 14).number == 150014


def test_versions_are_ordered_by_number_not_text() -> None:
    assert Version(9) < Version(15, 2) < Version(15, 10) < Version(18)
