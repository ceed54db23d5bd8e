"""What env.py says in so many words, read without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def read_history_name(env: Path) -> tuple[str | None, str | None]:
    """Schema and table of the history; None for what it does not say, computes, or says in two ways."""
    try:
        tree = ast.parse(env.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None, None
    said = list(_said(tree))
    return _only(said, "version_table_schema"), _only(said, "version_table")


def _said(tree: ast.Module) -> Iterator[tuple[str | None, object]]:
    """The arguments of each `configure(...)`: name and value, None for one that is computed."""
    constants = {
        target.id: statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "configure"
        ):
            for keyword in node.keywords:
                value = keyword.value
                if isinstance(value, ast.Name):
                    value = constants.get(value.id, value)
                yield keyword.arg, value.value if isinstance(value, ast.Constant) else None


def _only(said: list[tuple[str | None, object]], name: str) -> str | None:
    values = {value for argument, value in said if argument == name}
    value = values.pop() if len(values) == 1 else None
    return value if isinstance(value, str) else None
