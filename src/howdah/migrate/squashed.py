"""Databases that stand among squashed migrations are carried on with the files that one file took the place of.

Squashed migrations are kept in `squashed/VERSION/` of their directory, where no tool looks, with a manifest.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from howdah.errors import SourceError, Where
from howdah.migrate.declare import checksum_of
from howdah.migrate.formats.interface import Format, Keeps, Phase, Query
from howdah.migrate.history import History
from howdah.migrate.migration import SQUASHED_FOLDER, Direction, Migration, Source, Step
from howdah.migrate.plan import refuse_dirty
from howdah.migrate.side_history import record_declaration

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Archive:
    """The migrations that one took the place of; the last of them had its version."""

    version: str
    originals: Source

    @property
    def lower(self) -> frozenset[str]:
        """The versions that have no file any more."""
        return frozenset(self.originals.by_version) - {self.version}


def read_archives(format: Format, directory: Path) -> tuple[Archive, ...]:
    """What was squashed in a directory, the newest version first.

    Raises:
        SourceError: a manifest cannot be read, or is another format's.
    """
    found = []
    for manifest in directory.glob(f"{SQUASHED_FOLDER}/*/{MANIFEST}"):
        try:
            stated = json.loads(manifest.read_text(encoding="utf-8"))
            version, name = str(stated["version"]), stated["format"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _unreadable(manifest, str(error)) from error
        if name != format.name:
            raise _unreadable(manifest, f"it is of {name}, and these migrations are {format.name}'s")
        found.append(Archive(version, format.files.read(manifest.parent)))
    return tuple(sorted(found, key=lambda each: format.files.sort_key(each.version), reverse=True))


def carry_on(format: Format, source: Source, history: History) -> Source:
    """The migrations as this database wants them: the original ones where it stands among them.

    An empty database, and one that was made by the one file, keep it.
    """
    if not history.applied or not (source.directory / SQUASHED_FOLDER).is_dir():
        return source
    for archive in read_archives(format, source.directory):
        if source.find(archive.version) and _came_by_originals(format, archive, history):
            kept = [each for each in source.migrations if each.version != archive.version]
            whole = sorted(
                [*kept, *archive.originals.migrations], key=lambda each: format.files.sort_key(each.version)
            )
            source = replace(source, migrations=tuple(whole))
    return source


def settle(format: Format, source: Source, history: History) -> tuple[list[str], list[Query]]:
    """The versions whose rows go, and the statements: what is left in the history are versions that have a file.

    sqlx stops at an applied version without one. Only what stands at a squashed version, or past it, can be settled.

    Raises:
        DirtyDatabase: a row may stand for a step that did not end.
    """
    if format.table.keeps is not Keeps.EVERY:
        return [], []
    refuse_dirty(format, source, history)
    applied = [each.version for each in history.applied]
    gone: list[str] = []
    queries: list[Query] = []
    for archive in reversed(read_archives(format, source.directory)):
        squashed = source.find(archive.version)
        left = [version for version in applied if version in archive.lower and version not in gone]
        if archive.version not in applied or not left or squashed is None:
            continue
        for version in left:
            step = Step(Migration(version, ""), Direction.DOWN, archive.version, archive.version)
            queries += format.table.record(history.table, step, None, start=None, end=Phase.AFTER)
        checksum = checksum_of(format, squashed)
        queries += format.table.bless(history.table, archive.version, checksum) if checksum else ()
        if history.has_side_history:
            queries.append(
                record_declaration(history.table, squashed, "baseline", archive.version, format.files)
            )
        gone += left
    return gone, queries


def _came_by_originals(format: Format, archive: Archive, history: History) -> bool:
    key = format.files.sort_key
    if format.table.keeps is Keeps.NUMBER:
        assert history.version is not None
        is_past = key(history.version) >= key(archive.version)
        recorded = any(
            version in archive.lower and record.action == "apply"
            for version, record in history.records.items()
        )
        return recorded or not is_past
    applied = {each.version for each in history.applied}
    return bool(applied & archive.lower) or archive.version not in applied


def _unreadable(manifest: Path, why: str) -> SourceError:
    return SourceError(
        "the manifest of squashed migrations cannot be used",
        code="bad-manifest",
        where=Where(str(manifest)),
        why=f"{why}.",
        fix="Bring the folder back as `howdah migrate squash` wrote it; or delete it, if every database is past it.",
    )
