"""What the files of several formats have in common."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from howdah.errors import ConfigError, SourceError, Where
from howdah.findings import Finding, Severity
from howdah.migrate.migration import Direction, Migration, Source

_NUMBER = re.compile(r"[+-]?[0-9]+")

Refuse = Callable[[SourceError], None]
"""What is called with each thing that is wrong with the files. Where it returns, reading goes on without that file."""


def raise_at_once(error: SourceError) -> None:
    """Stop at the first: nothing may be run while one file is wrong."""
    raise error


def list_files(directory: Path) -> list[Path]:
    """The files of a flat directory by name; links to files count.

    Raises:
        SourceError: there is no such directory.
    """
    if not directory.is_dir():
        raise no_directory(directory)
    # scandir knows what is a file without asking again for each of 20,000.
    return [
        directory / name for name in sorted(each.name for each in os.scandir(directory) if each.is_file())
    ]


def no_directory(directory: Path) -> SourceError:
    """The error for a directory of migrations that is not there."""
    return SourceError(
        f"there is no directory {directory}",
        code="no-migrations-directory",
        why=None if directory.is_absolute() else f"It was looked for in {Path.cwd()}.",
        fix="Say where the migrations are with --dir, or `migrations = ...` in howdah.toml.",
    )


def ignored_file(path: Path, *, tool: str, why: str) -> Finding:
    """The note of a file that is no migration, though it may be meant as one."""
    return Finding(
        code="ignored-file",
        severity=Severity.WARNING,
        message=f"not a migration for {tool}, ignored",
        where=Where(str(path)),
        why=why,
    )


def duplicate_file(
    what: str, first: Path, second: Path, *, why: str, fix: str = "Renumber one of them."
) -> SourceError:
    """The error of two files that are one thing to their tool; `what` says which: "have version 7"."""
    return SourceError(
        f"two files {what}: {first.name} and {second.name}",
        code="duplicate-migration",
        where=Where(str(second)),
        why=why,
        fix=fix,
    )


def missing_half(migration: Migration, missing: Direction, *, why: str) -> Finding:
    """The note of a migration that can go one way only."""
    return Finding(
        code=f"missing-{missing.value}-file",
        severity=Severity.WARNING,
        message=f"migration {migration.version} ({migration.name}) has no {missing.value} file",
        where=migration.where,
        why=why,
        fix="Add it; an empty one says that nothing is to do.",
    )


class NumberedFiles:
    """What files have in common whose versions are numbers."""

    def parse_version(self, text: str, source: Source) -> str:
        """A number without leading zeros. Raises ConfigError: it is none."""
        if _NUMBER.fullmatch(text) is None:
            raise ConfigError(
                f"'{text}' is not a version", code="bad-version", fix="Versions are numbers here."
            )
        return str(int(text))

    def sort_key(self, version: str) -> tuple[int | str, ...]:
        """By number."""
        return (int(version),)
