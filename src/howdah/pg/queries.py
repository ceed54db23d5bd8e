"""Load the named statements of a `queries.sql` file.

A file holds blocks that start with a line `-- name: x`; comment lines under it say what the block is for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import LiteralString, cast

_NAME = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)


@cache
def load_queries(path: Path) -> Mapping[str, LiteralString]:
    """The statements of a file by name, read once. Text shipped in the package is a literal for the type checker.

    Raises:
        ValueError: two blocks share a name, or the file has none.
    """
    text = path.read_text(encoding="utf-8")
    parts = _NAME.split(text)
    names = parts[1::2]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"{path}: no '-- name:' block, or one name used twice")
    return {name: cast("LiteralString", body.strip()) for name, body in zip(names, parts[2::2], strict=True)}
