"""`import howdah`: a table of contents that costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import howdah


def loaded_after(statement: str) -> set[str]:
    """The top-level packages and howdah's modules that a fresh Python has loaded after a statement."""
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_public_names_are_few_sorted_and_unique() -> None:
    assert howdah.__all__ == sorted(set(howdah.__all__))
    assert len(howdah.__all__) <= 15


@pytest.mark.parametrize("name", howdah.__all__)
def test_a_public_name_leads_to_what_it_says(name: str) -> None:
    assert getattr(howdah, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Elephant'"):
        _ = howdah.Elephant


def test_importing_howdah_loads_no_driver_and_no_command_line() -> None:
    assert not loaded_after("import howdah") & {"psycopg", "click", "howdah.cli", "howdah.migrate"}


def test_the_library_never_loads_the_command_line() -> None:
    everything = "import howdah\nfor name in howdah.__all__: getattr(howdah, name)"
    assert not loaded_after(everything) & {"click", "howdah.cli"}


def test_addresses_and_errors_load_no_driver() -> None:
    assert "psycopg" not in loaded_after("from howdah import DatabaseConfig, HowdahError")


def test_the_help_page_loads_neither_click_nor_a_driver() -> None:
    page = "import sys\nsys.argv = ['howdah', '--help']\nfrom howdah.cli.main import main\nmain()"
    assert not loaded_after(page) & {"click", "psycopg", "howdah.config", "asyncio"}
