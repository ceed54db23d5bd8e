"""The line of a key in a TOML file, for messages; only looked for when something is wrong."""

from __future__ import annotations

import re
import tomllib
from typing import Any

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_KEY = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_KEY})[ \t]*\]")
_ENTRY = re.compile(rf"[ \t]*({_KEY})[ \t]*=")

Path = tuple[str | int, ...]


def find_line(text: str, path: Path) -> int | None:
    """The line where a key is given, or the nearest table or key around it; None where neither is found.

    Keys within an inline table share its line. Lines inside a multi-line text may be taken for keys; the
    result is a help for people, nothing is decided by it.
    """
    best_depth, best_line = 0, None
    table: Path = ()
    counts: dict[Path, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        header, entry = _HEADER.match(line), _ENTRY.match(line)
        if header:
            table = _parts(header[2])
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            here = table
        elif entry:
            here = (*table, *_parts(entry[1]))
        else:
            continue
        depth = min(len(here), len(path))
        if depth > best_depth and path[:depth] == here[:depth]:
            best_depth, best_line = depth, number
    return best_line


def _parts(key: str) -> Path:
    """The parts of a dotted key, quotes taken off by the TOML parser itself."""
    value: Any = tomllib.loads(f"{key} = 0")
    parts = []
    while isinstance(value, dict):
        name, value = next(iter(value.items()))
        parts.append(name)
    return tuple(parts)
