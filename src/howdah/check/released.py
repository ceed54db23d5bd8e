"""Migrations that are released, read from git's trees, beside those of the working tree."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from howdah.check.base import Base
from howdah.check.git import Tree, content_id
from howdah.errors import SourceError
from howdah.migrate.formats.interface import Format
from howdah.migrate.migration import Direction, Migration, Source

# Their files say what they are without the others, or settings beside them.
_EACH_FILE_ALONE = frozenset({"golang-migrate", "goose", "sqlx", "dbmate", "prisma", "typeorm"})

Migrations = Mapping[str, Migration]
"""Version -> migration."""


class Stored(NamedTuple):
    """A file as git has it: its path below the base's folder, and the id of its content."""

    name: str
    content: str


@dataclass(frozen=True)
class Edition:
    """The migrations of one moment, and how git has their files."""

    migrations: Migrations = field(default_factory=dict)
    stored: Mapping[Path, Stored] = field(default_factory=dict)

    def find(self, version: str, direction: Direction) -> Stored | None:
        """The file of one half; None: there is none."""
        migration = self.migrations.get(version)
        file = migration.file(direction) if migration else None
        return self.stored.get(file) if file else None


@dataclass(frozen=True)
class Working:
    """The files of the working tree as git would store them; `ids` is by path below the base's folder."""

    edition: Edition
    ids: Tree


def read_working(source: Source, base: Base) -> Working:
    """The ids of the migrations' files, and of all that the base has, too."""
    files = {path for each in source.migrations for path in (each.up, each.down) if path}
    by_path = {relative(path, base.folder): path for path in files}
    by_path |= {name: base.folder / name for name in {**base.released, **base.tip} if name not in by_path}
    like = next(iter({**base.tip, **base.released}.values()), "")
    ids = {}
    for name, path in by_path.items():
        try:
            ids[name] = content_id(path.read_bytes(), like)
        except OSError:  # the base has it, the working tree does not
            continue
    other = [
        name
        for name, found in ids.items()
        if name in base.released and found not in (base.released[name], base.tip.get(name))
    ]
    if other:
        # Perhaps only checked out with other line ends: git knows what it would store.
        ids |= base.repository.stored_ids(other)
    stored = {path: Stored(name, ids[name]) for name, path in by_path.items() if name in ids}
    return Working(Edition(source.by_version, stored), ids)


@contextmanager
def read_editions(format: Format, base: Base, working: Working) -> Iterator[tuple[Edition, Edition]]:
    """What was released where this work began, and what the base has now; their files are there inside the block."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="howdah-base-") as place:
        released = _read(format, base, base.released, working, Path(place, "released"))
        tip = released
        if base.tip is not base.released:
            tip = _read(format, base, base.tip, working, Path(place, "tip"))
        yield released, tip


def untouched_part(source: Migrations, folder: Path, tree: Tree, ids: Tree) -> Migrations:
    """The migrations of the working tree with those of their files that a tree has, too, as they are."""
    same = {folder / name for name, content in tree.items() if ids.get(name) == content}
    parts = {}
    for version, each in source.items():
        up, down = (path if path in same else None for path in (each.up, each.down))
        if up or down:
            parts[version] = each if (up, down) == (each.up, each.down) else replace(each, up=up, down=down)
    return parts


def relative(path: Path, folder: Path) -> str:
    """A file's path below the folder, as git writes it."""
    name, start = str(path), f"{folder}{os.sep}"
    return name[len(start) :] if name.startswith(start) else Path(os.path.relpath(path, folder)).as_posix()


def _read(format: Format, base: Base, tree: Tree, working: Working, place: Path) -> Edition:
    """The migrations of a tree. What is wrong with them is the base's matter.

    Where a file can be read without the others, only those are read that are not here as they were.
    """
    place.mkdir()
    is_each_alone = format.name in _EACH_FILE_ALONE
    wanted = {
        name: content
        for name, content in tree.items()
        if not (is_each_alone and working.ids.get(name) == content)
    }
    stored = _write(format, base, wanted, place)
    try:
        read: Migrations = format.files.read(place, refuse=lambda _: None).by_version
    except SourceError:
        read = {}
    if not is_each_alone:
        return Edition(read, stored)
    merged = dict(untouched_part(working.edition.migrations, base.folder, tree, working.ids))
    for version, each in read.items():
        kept = merged.get(version)
        merged[version] = replace(kept, up=each.up or kept.up, down=each.down or kept.down) if kept else each
    ordered = sorted(merged.values(), key=lambda each: format.files.sort_key(each.version))
    return Edition({each.version: each for each in ordered}, {**working.edition.stored, **stored})


def _write(format: Format, base: Base, tree: Tree, place: Path) -> dict[Path, Stored]:
    """Write the files of a tree."""
    contents = base.repository.read_files(sorted(set(tree.values())))
    stored = {}
    for name, content in tree.items():
        if ".." in name.split("/"):  # no tree that git itself made has such
            continue
        # Alembic's folders need their configuration to be found; the revisions alone may stand anywhere.
        file = place / (name.replace("/", "_") if format.name == "alembic" else name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(contents[content])
        stored[file] = Stored(name, content)
    return stored
