"""Whose migrations a folder holds: from the files' names and first lines. One line a format."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from howdah.errors import ConfigError

_PAIR = re.compile(r"[0-9]+_.*\.(up|down)\.[^.]*")
_NUMBERED = re.compile(r"[+-]?[0-9]+.*\.sql")
_FLYWAY = re.compile(r"[VRUB][0-9_.]*__.+\.sql", re.IGNORECASE)
_TYPEORM = re.compile(r"([0-9]{13}-.*|.*[0-9]{13})\.[cm]?[jt]s")
_GOOSE = re.compile(r"^\s*--\s*\+goose\s", re.MULTILINE | re.IGNORECASE)
_DBMATE = re.compile(r"^--\s*migrate:(up|down)", re.MULTILINE)
_SQL_MIGRATE = re.compile(r"^-- \+migrate ", re.MULTILINE)
_MARKS = MappingProxyType({"goose": "-- +goose Up", "dbmate": "-- migrate:up"})
_PRISMA_LOCK = "migration_lock.toml"
# How many files of a folder are read: those at its two ends.
_SAMPLES = 3
_HEAD_BYTES = 64 * 1024


@dataclass(frozen=True)
class Folder:
    """What detection looks at: the names of a folder, and the beginnings of some of its SQL files."""

    path: Path
    names: tuple[str, ...]
    texts: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> Folder:
        """The folder, empty where it cannot be read."""
        try:
            names = tuple(sorted(each.name for each in os.scandir(path)))
        except OSError:
            return cls(path, (), MappingProxyType({}))
        numbered = [name for name in names if _NUMBERED.fullmatch(name)]
        samples = dict.fromkeys([*numbered[:_SAMPLES], *numbered[-_SAMPLES:]])
        return cls(path, names, {name: _head(path / name) for name in samples})

    def first(self, pattern: re.Pattern[str]) -> str:
        """A name of this pattern, or nothing."""
        return next((name for name in self.names if pattern.fullmatch(name)), "")

    def first_saying(self, pattern: re.Pattern[str]) -> str:
        """The name of a file that says this, or nothing."""
        return next((name for name, text in self.texts.items() if pattern.search(text)), "")


def _goose(folder: Folder) -> str:
    return _says(folder.first_saying(_GOOSE), "'-- +goose'")


def _dbmate(folder: Folder) -> str:
    return _says(folder.first_saying(_DBMATE), "'-- migrate:up'")


def _flyway(folder: Folder) -> str:
    return _named(folder.first(_FLYWAY), "VERSION__description")


def _prisma(folder: Folder) -> str:
    if _PRISMA_LOCK in folder.names:
        return f"there is a {_PRISMA_LOCK}"
    has_folders = any(
        name[:14].isdigit() and (folder.path / name / "migration.sql").is_file() for name in folder.names
    )
    return "its folders hold a migration.sql each" if has_folders else ""


def _alembic(folder: Folder) -> str:
    if "alembic.ini" in folder.names:
        return "there is an alembic.ini"
    if "env.py" in folder.names and "versions" in folder.names:
        return "there are an env.py and versions/"
    is_versions = folder.path.name == "versions" and (folder.path.parent / "env.py").is_file()
    return "there is an env.py beside it" if is_versions else ""


def _typeorm(folder: Folder) -> str:
    return _named(folder.first(_TYPEORM), "a timestamp in milliseconds and a class")


def _pairs(folder: Folder) -> str:
    return _named(folder.first(_PAIR), "one half of a pair")


def _simple(folder: Folder) -> str:
    if _PRISMA_LOCK in folder.names:
        return ""  # a file beside Prisma's folders, which Prisma does not look at
    plain = [
        name for name, text in folder.texts.items() if not _is_annotated(text) and not _PAIR.fullmatch(name)
    ]
    plain = [name for name in plain if "_" in name]
    return _named(plain[0], "a number and words, without annotations inside") if plain else ""


# Name of the format -> what in a folder speaks for it; empty: nothing.
SHAPES: Mapping[str, Callable[[Folder], str]] = MappingProxyType(
    {
        "goose": _goose,
        "dbmate": _dbmate,
        "flyway": _flyway,
        "prisma": _prisma,
        "alembic": _alembic,
        "typeorm": _typeorm,
        "golang-migrate": _pairs,
        "sqlx": _simple,
    }
)


@dataclass(frozen=True)
class Reading:
    """The format of a folder, and what speaks for it; empty: nothing, and it is the one for want of another."""

    format: str
    evidence: str


def detect_format(directory: Path, *, default: str) -> Reading:
    """Whose migrations these are; `default` where there are none.

    Pairs of files may be golang-migrate's or sqlx's: they are sqlx's where the Cargo.toml above them names it.

    Raises:
        ConfigError: the files speak for more than one; names each with what speaks for it.
    """
    folder = Folder.read(directory)
    found = find_evidence(folder)
    if "golang-migrate" in found and (file := _names_sqlx(directory)):
        found["sqlx"] = f"{found.pop('golang-migrate')}, and {file} names sqlx"
    if not found:
        _refuse_sql_migrate(folder)
        return Reading(default, "")
    if len(found) > 1:
        raise ConfigError(
            f"{directory} may hold migrations of {' or of '.join(found)}",
            code="ambiguous-format",
            why=" ".join(f"For {name}: {evidence}." for name, evidence in found.items()),
            fix=f"{_forgotten(found)} which with --format, or `format = ...` in howdah.toml.",
            next=tuple(f"howdah migrate status --format {name}" for name in found),
        )
    (name,) = found
    return Reading(name, found[name])


def _forgotten(found: Mapping[str, str]) -> str:
    """Say; or first write, into a file without annotations among those that have them: it looks like one of sqlx's."""
    mark = next((mark for name, mark in _MARKS.items() if set(found) == {name, "sqlx"}), "")
    return f"Write `{mark}` into the file where it was forgotten; or say" if mark else "Say"


def find_evidence(folder: Folder) -> dict[str, str]:
    """The formats that the files speak for, each with what does."""
    return {name: evidence for name, speaks in SHAPES.items() if (evidence := speaks(folder))}


def _names_sqlx(directory: Path) -> str:
    """The Cargo.toml above a folder that names sqlx, up to the repository's root; empty: there is none."""
    folder = directory.absolute()
    for above in (folder, *folder.parents):
        file = above / "Cargo.toml"
        if file.is_file() and re.search(r"^\s*sqlx\b", _head(file), re.MULTILINE):
            return str(os.path.relpath(file, folder))
        if (above / ".git").exists():
            return ""
    return ""


def _refuse_sql_migrate(folder: Folder) -> None:
    if name := folder.first_saying(_SQL_MIGRATE):
        raise ConfigError(
            f"{folder.path} holds migrations of sql-migrate, which is not one of the formats",
            code="unknown-format",
            why=f"{name} says '-- +migrate'.",
        )


def _is_annotated(text: str) -> bool:
    return any(pattern.search(text) for pattern in (_GOOSE, _DBMATE, _SQL_MIGRATE))


def _says(name: str, what: str) -> str:
    return f"{name} says {what}" if name else ""


def _named(name: str, what: str) -> str:
    return f"{name} is named as {what}" if name else ""


def _head(path: Path) -> str:
    if not path.is_file():
        return ""  # to open a pipe is to wait for somebody to write
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES).decode(errors="replace")
    except OSError:
        return ""
