"""Files `V_name.sql` and `V_name.go` of a flat folder, as goose migration.go, migrate.go and create.go do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from howdah.errors import SourceError, Where
from howdah.findings import Finding
from howdah.migrate.formats.files import (
    NumberedFiles,
    Refuse,
    duplicate_file,
    ignored_file,
    raise_at_once,
)
from howdah.migrate.formats.goose.agreement import blocks_of
from howdah.migrate.formats.goose.sections import read_section
from howdah.migrate.formats.interface import Body, Transaction
from howdah.migrate.formats.names import list_files_and_links, readable_name
from howdah.migrate.migration import Direction, Migration, Source

_NUMBER = re.compile(r"[+-]?[0-9]+")
_INT64_MAX = 2**63 - 1
_TIMESTAMP = "%Y%m%d%H%M%S"
_TIMESTAMP_DIGITS = 14
_TEMPLATE = "-- +goose Up\n\n-- +goose Down\n"
_DIRECTIVE = "-- +goose NO TRANSACTION"


@dataclass(frozen=True)
class GooseFiles(NumberedFiles):
    """One file for both directions. `variables` are what ENVSUB ON puts in; None: it is refused."""

    variables: Mapping[str, str] | None = None

    def with_variables(self, variables: Mapping[str, str]) -> GooseFiles:
        """With these values for ENVSUB."""
        return GooseFiles(variables)

    def read(self, directory: Path, *, refuse: Refuse = raise_at_once) -> Source:
        """The migrations by number. A file in Go is foreign: only the program that it is built into can run it.

        Raises:
            SourceError: there is no such directory; a name or link that stops goose; two files of one version.
        """
        taken: dict[int, Path] = {}
        notes = []
        for path in list_files_and_links(directory, refuse=refuse):
            version = _version(path)
            if version is None and path.name.endswith(".sql"):
                refuse(_bad_name(path))
                continue
            if version is None:
                if path.name.lower().endswith(".sql"):
                    notes.append(_ignored(path))
                continue
            if version in taken:
                why = "goose compares numbers, not names (1 and 001 are one version), and stops."
                refuse(duplicate_file(f"have version {version}", taken[version], path, why=why))
                continue
            taken[version] = path
        migrations = (_migration(version, path) for version, path in sorted(taken.items()))
        return Source(directory, tuple(migrations), tuple(notes))

    def new(self, source: Source, words: str) -> Mapping[str, str]:
        """One file: a timestamp (UTC), or, where the newest version is none, the next number in five digits."""
        newest = int(source.migrations[-1].version) if source.migrations else None
        stamp = None if newest is None else _as_time(newest)
        if newest is not None and stamp is None:
            prefix = f"{newest + 1:05}"
        else:
            now = datetime.now(UTC)
            prefix = (now if stamp is None else max(now, stamp + timedelta(seconds=1))).strftime(_TIMESTAMP)
        name = "_".join(re.findall(r"[^\W_]+", words.lower()))
        return {f"{prefix}_{name}.sql": _TEMPLATE}

    def read_body(self, path: Path, text: str, direction: Direction) -> Body:
        """The section of a direction, from its first line to its last.

        Raises:
            SourceError: goose would refuse the file, leave something out, or send a statement in pieces.
        """
        if path.suffix == ".go":
            return Body(text, is_foreign=True)
        section = read_section(path, text, direction, self.variables)
        blocks = blocks_of(path, section)
        first = section.messages[0].first_line if section.messages else 1
        last = section.messages[-1].last_line + 1 if section.messages else 0
        return Body(
            text="\n".join(section.lines[first - 1 : last]),
            first_line=first,
            transaction=Transaction.ALWAYS if section.is_transactional else Transaction.NEVER,
            directive=_DIRECTIVE,
            blocks=blocks,
            is_missing=section.is_missing,
            is_filled=section.is_filled,
        )

    def checksum(self, raw: bytes) -> str | None:
        """None: goose keeps none."""
        return None


def _migration(version: int, path: Path) -> Migration:
    foreign = "a Go function" if path.name.endswith(".go") else ""
    words = readable_name(path).partition("_")[2].rpartition(".")[0]
    return Migration(str(version), words, path, path, foreign)


def _version(path: Path) -> int | None:
    """The version of a migration; None: the file is none."""
    prefix, underscore, _ = path.name.partition("_")
    is_version = underscore and _NUMBER.fullmatch(prefix) and 1 <= int(prefix) <= _INT64_MAX
    is_migration = path.name.endswith(".sql") or (
        path.name.endswith(".go") and not path.name.endswith("_test.go")
    )
    return int(prefix) if is_version and is_migration else None


def _bad_name(path: Path) -> SourceError:
    return SourceError(
        f"{path.name} is not named NUMBER_name.sql",
        code="bad-migration-name",
        where=Where(str(path)),
        why="goose stops at every .sql file of the folder whose name does not begin with a number from 1 to"
        f" {_INT64_MAX} and an underscore.",
        fix="Rename the file, or move it to another folder.",
    )


def _as_time(version: int) -> datetime | None:
    """The time that a version stands for, where goose takes it for one."""
    if len(str(version)) != _TIMESTAMP_DIGITS:
        return None
    try:
        time = datetime.strptime(str(version), _TIMESTAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return time if time.timestamp() > 0 else None


def _ignored(path: Path) -> Finding:
    return ignored_file(path, tool="goose", why="goose looks at names that end with .sql in small letters.")
