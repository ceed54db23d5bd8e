"""Find the migrations directory where nobody says."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from howdah.config.project import DatabaseSettings, Project
from howdah.errors import ConfigError
from howdah.migrate.formats.detect import Folder, find_evidence

# Folders that hold other people's files.
_SKIPPED = {".git", ".venv", "venv", "node_modules", "vendor", "target", "dist", "build", "testdata"}
_DEPTH = 5


def directory_of(
    settings: DatabaseSettings, project: Project, *, words: str = "create_users", made_for: str = ""
) -> Path:
    """The migrations of one of a project's databases: those that are named, or the only ones there are.

    Raises:
        ConfigError: as `find_migrations`; or the project has several databases and names none for this one: what is
            found might be another's.
    """
    if settings.migrations is not None:
        return settings.migrations
    if len(project.databases) == 1:
        return find_migrations(project.root, words=words, made_for=made_for)
    raise ConfigError(
        f"nothing says which migrations are those of '{settings.name}'",
        code="no-migrations-directory",
        why="The project has several databases; what is found by itself might be another's.",
        fix=f"Say where they are with --dir, or `migrations = ...` in [database.{settings.name}] of howdah.toml.",
    )


def find_migrations(root: Path, *, words: str = "create_users", made_for: str = "") -> Path:
    """The one directory under `root` that holds migrations of some format; `words` name a migration to suggest.

    Where `made_for` names a tool, the folder that `adopt` wrote for it, beside its original, does not count.

    Raises:
        ConfigError: there is none, or more than one.
    """
    candidates = list(_candidates(root, _DEPTH))
    # Numbered SQL files without a mark of a tool are many things besides migrations: they count for want of others.
    found = sorted(path for path, is_sure in candidates if is_sure) or sorted(path for path, _ in candidates)
    made = [each.with_name(f"{each.name}-{made_for}") for each in found] if made_for else []
    found = [each for each in found if each not in made]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigError(
            f"there are no migrations under {root}",
            code="no-migrations-directory",
            why="No folder has files such as NUMBER_name.up.sql, NUMBER_name.sql or V1__name.sql, or Alembic's env.py.",
            fix="Say where they are with --dir, or `migrations = ...` in howdah.toml; or write the first one.",
            next=(f"howdah migrate new {words} --dir migrations",),
        )
    raise ConfigError(
        f"several folders hold migrations: {', '.join(str(each.relative_to(root)) for each in found)}",
        code="several-migrations-directories",
        fix="Say which with --dir, or `migrations = ...` in howdah.toml.",
        next=tuple(f"howdah migrate status --dir {shlex.quote(os.path.relpath(each))}" for each in found[:2]),
    )


def _candidates(folder: Path, depth: int) -> Iterator[tuple[Path, bool]]:
    """Folders that may hold migrations, and whether a tool's mark says so."""
    content = Folder.read(folder)
    shapes = tuple(find_evidence(content))
    # A lone alembic.ini says that they are somewhere below.
    if shapes and not (
        shapes == ("alembic",) and "alembic.ini" in content.names and "env.py" not in content.names
    ):
        yield folder, shapes != ("sqlx",) or folder.name == "migrations"
        return
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        is_ours = entry.name not in _SKIPPED and not entry.name.startswith(".")
        if depth and is_ours and entry.is_dir(follow_symlinks=False):
            yield from _candidates(Path(entry.path), depth - 1)
