"""Find the migrations directory and the format where nobody says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from howdah.errors import ConfigError

# Folders that hold other people's files.
_SKIPPED = {".git", ".venv", "venv", "node_modules", "vendor", "target", "dist", "build", "testdata"}
_DEPTH = 5


def find_migrations(root: Path, *, words: str = "create_users") -> Path:
    """The one directory under `root` that holds golang-migrate's files; `words` name a migration to suggest.

    Raises:
        ConfigError: there is none, or more than one.
    """
    found = sorted(_candidates(root, _DEPTH))
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigError(
            f"there are no migrations under {root}",
            code="no-migrations-directory",
            why="No folder has files named NUMBER_name.up.sql.",
            fix="Say where they are with --dir, or `migrations = ...` in howdah.toml; or write the first one.",
            next=(f"howdah migrate new {words} --dir migrations",),
        )
    raise ConfigError(
        f"several folders hold migrations: {', '.join(str(each.relative_to(root)) for each in found)}",
        code="several-migrations-directories",
        fix="Say which with --dir, or `migrations = ...` in howdah.toml.",
    )


def _candidates(folder: Path, depth: int) -> Iterator[Path]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    if any(entry.name.endswith(".up.sql") and entry.name[:1].isdigit() for entry in entries):
        yield folder
        return
    for entry in entries:
        is_ours = entry.name not in _SKIPPED and not entry.name.startswith(".")
        if depth and is_ours and entry.is_dir(follow_symlinks=False):
            yield from _candidates(Path(entry.path), depth - 1)
