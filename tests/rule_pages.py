"""The pages of the rules, and the examples on them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference" / "rules"
_FENCE = re.compile(r"^```sql\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DOWN = "-- down\n"


@dataclass(frozen=True)
class Example:
    """One migration of a page: its halves; `down` is "" where the page shows none."""

    up: str
    down: str = ""


@dataclass(frozen=True)
class Page:
    """A page; `says` are the messages that it quotes."""

    rule: str
    instead: tuple[Example, ...]
    use: tuple[Example, ...]
    says: tuple[str, ...]


def read_page(rule: str) -> Page:
    """The page of a rule."""
    text = (FOLDER / f"{rule}.md").read_text()
    parts = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    return Page(
        rule,
        _examples(parts["Instead of"]),
        _examples(parts["Use"]),
        tuple(re.findall(r"^> (.+)$", parts["Instead of"], re.MULTILINE)),
    )


def example_tables() -> str:
    """What the examples are about."""
    text = (FOLDER / "README.md").read_text()
    found = _FENCE.search(text, text.index("## The tables of the examples"))
    assert found
    return found[1]


def _examples(text: str) -> tuple[Example, ...]:
    halves = (found[1].partition(_DOWN) for found in _FENCE.finditer(text))
    return tuple(Example(up, down) for up, _, down in halves)
