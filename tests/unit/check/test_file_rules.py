"""Each rule about files and histories has its page."""

from __future__ import annotations

import pytest

from howdah.check.file_rules import ALLOWABLE, OF_DATA, OF_FILES, OF_HISTORY
from rule_pages import FOLDER, read_page


@pytest.mark.parametrize("rule", [*OF_FILES, *OF_HISTORY, *OF_DATA])
def test_a_rule_has_its_page(rule: str) -> None:
    text = (FOLDER / f"{rule}.md").read_text()

    assert text.startswith(f"# {rule}\n")
    assert "## Problem" in text
    assert read_page(rule).says


def test_what_cannot_run_cannot_be_allowed() -> None:
    assert "duplicate-migration" not in ALLOWABLE
    assert "missing-down-file" in ALLOWABLE
