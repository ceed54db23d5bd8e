"""The files of a squash: the directory as it would be, and as it becomes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from howdah.migrate.formats.interface import Format
from howdah.migrate.migration import Migration, Source
from howdah.migrate.squashed import MANIFEST
from howdah.rehearse.verify import Chain


def _files_of(migrations: Sequence[Migration]) -> list[Path]:
    return sorted({path for each in migrations for path in (each.up, each.down) if path})


def stage(
    format: Format, source: Source, replaced: Sequence[Migration], files: Mapping[str, str], place: Path
) -> Chain:
    """The directory as it would be."""
    directory = place / source.directory.name
    directory.mkdir()
    for path in _files_of(source.migrations[len(replaced) :]):
        shutil.copy2(path, directory)
    for name, text in files.items():
        (directory / name).write_bytes(text.encode())
    return Chain(format.name, format.files.read(directory))


def put_in_place(
    format: Format, source: Source, replaced: Sequence[Migration], archive: Path, files: Mapping[str, str]
) -> tuple[Path, ...]:
    """Copy the old files into the archive, then exchange them for the new ones."""
    archive.mkdir(parents=True)
    old = _files_of(replaced)
    for path in old:
        shutil.copy2(path, archive)
    manifest = {
        "howdah": 1,
        "format": format.name,
        "version": replaced[-1].version,
        "replaced": [{"version": each.version, "name": each.name} for each in replaced],
    }
    (archive / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    written = []
    for name, text in files.items():
        half = source.directory / f".{name}.new"
        half.write_bytes(text.encode())
        written.append((half, source.directory / name))
    for path in old:
        path.unlink()
    for half, whole in written:
        half.rename(whole)
    return tuple(whole for _, whole in written)
