"""Names of migration files: listed and read as tools in Go and Rust do, and made from the clock."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from howdah.errors import SourceError, Where
from howdah.migrate.formats.files import Refuse, list_files, raise_at_once


def list_files_and_links(directory: Path, *, refuse: Refuse = raise_at_once) -> list[Path]:
    """The files of a flat directory by name. A link that leads nowhere is no reason to pass over a migration.

    Raises:
        SourceError: there is no such directory; a link in it leads nowhere.
    """
    files = list_files(directory)
    with os.scandir(directory) as entries:
        broken = [each for each in entries if each.is_symlink() and not Path(each).exists()]
    for each in sorted(broken, key=lambda entry: entry.name):
        refuse(
            SourceError(
                f"{each.name} is a link to nowhere",
                code="broken-link",
                where=Where(each.path),
                fix="Bring back what it leads to, or delete it.",
            )
        )
    return files


def readable_name(path: Path) -> str:
    """The file's name in valid Unicode: bytes that are not UTF-8 become U+FFFD."""
    return os.fsencode(path.name).decode(errors="replace")


def next_timestamp(*, after: int | None) -> str:
    """The time in UTC as YYYYMMDDHHMMSS, or the number behind `after` where that is not less."""
    now = int(datetime.now(UTC).strftime("%Y%m%d%H%M%S"))
    return str(now if after is None else max(now, after + 1))
