"""HoloMUSH's page says what happens."""

from __future__ import annotations

from acceptance.examples.page import run_page
from acceptance.examples.place import HOLOMUSH, page_place


def test_every_command_of_the_page_does_what_the_page_says() -> None:
    with page_place(HOLOMUSH) as place:
        count = run_page(
            place.folder / "README.md",
            folder=place.folder,
            environment=place.environment,
            replace={"5432": str(place.port)},
        )
    assert count > 50
