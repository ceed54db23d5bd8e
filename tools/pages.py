"""Write a page that follows from something else, or say where it does not follow."""

from __future__ import annotations

import difflib
from pathlib import Path


def bring_up(page: Path, text: str, *, check: bool, source: str, mend: str) -> int:
    """Write the page; with `check` only tell where it says something else than its `source`. The exit code."""
    if not check:
        page.write_text(text)
        return 0
    current = page.read_text() if page.is_file() else ""
    if current == text:
        return 0
    print(f"{page.name} does not say what {source} say; {mend} mends it")
    lines = difflib.unified_diff(current.split("\n"), text.split("\n"), "page", source, lineterm="", n=0)
    print("\n".join(lines))
    return 1
