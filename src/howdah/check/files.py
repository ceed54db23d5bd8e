"""The files of a folder of migrations by themselves: every thing that is wrong with them, not only the first."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from howdah.check.names import (
    differing_halves,
    gaps,
    note,
    same_but_for_case,
    stray_copies,
    uneven_widths,
)
from howdah.check.report import RuleFinding
from howdah.errors import SourceError
from howdah.findings import Finding, Severity
from howdah.migrate.formats.interface import Format
from howdah.migrate.migration import Direction, Migration, Source, Step
from howdah.migrate.script import Execution, load_script
from howdah.observe.verdict import Verdict

_CONFLICT = re.compile(rb"^(<{7}|>{7}|\|{7})( |\r?$)", re.MULTILINE)
_MARK = b"\xef\xbb\xbf"
# Notes of reading that stop a deployment, or a way back that people count on.
_STOPPING = frozenset({"missing-up-file", "missing-down-file", "several-heads"})
_NOT_ON_THE_WAY_UP = frozenset({"missing-down-file", "several-heads"})
# Send a whole file as one message, which PostgreSQL runs as one transaction, whatever stands in it.
_SEND_WHOLE_FILES = frozenset({"golang-migrate", "prisma"})


def examine_files(format: Format, directory: Path) -> tuple[Source | None, tuple[RuleFinding, ...]]:
    """The migrations without what is wrong with them, and everything that is; None: they cannot be read at all.

    Nothing that has a finding with the verdict FAILS can be run.

    Raises:
        SourceError: there is no such directory.
    """
    refused: list[SourceError] = []
    try:
        source = format.files.read(directory, refuse=refused.append).noting_none()
    except SourceError as error:
        if error.code == "no-migrations-directory":
            raise
        # What builds upon a revision that could not be read is not wrong itself.
        if not refused or error.code != "unknown-revision":
            refused.append(error)
        return None, tuple(map(stopping, refused))
    found = [
        *map(stopping, refused),
        *_from_names(format, source),
        *_from_contents(format, source),
    ]
    return source, tuple(found)


def are_runnable(found: Iterable[RuleFinding]) -> bool:
    """Whether nothing that was found by itself in the files keeps them from being run up."""
    return all(each.verdict is not Verdict.FAILS or each.finding.code in _NOT_ON_THE_WAY_UP for each in found)


def stopping(error: SourceError) -> RuleFinding:
    """The finding of what would stop a run."""
    return RuleFinding(Finding.of(error), Verdict.FAILS)


def _from_names(format: Format, source: Source) -> Iterator[RuleFinding]:
    paths = _list(source)
    copies = list(stray_copies(paths))
    known = {each.finding.where for each in copies}
    yield from copies
    yield from (_noted(each) for each in source.notes if each.where is None or each.where not in known)
    yield from same_but_for_case(paths)
    migrations = [each for each in source.migrations if not each.repeats]
    if format.name in ("golang-migrate", "goose", "sqlx", "dbmate", "flyway"):
        yield from gaps(migrations)
    if format.name in ("golang-migrate", "goose", "sqlx"):
        yield from uneven_widths(migrations)
    yield from differing_halves(migrations)


def _list(source: Source) -> list[Path]:
    """The files beside the migrations, too."""
    folders = {each.path.parent for each in source.migrations}
    return [
        folder / name
        for folder in sorted(folders or {source.directory})
        for name in sorted(each.name for each in os.scandir(folder) if each.is_file())
    ]


def _noted(finding: Finding) -> RuleFinding:
    """A note of reading, by what it means for a deployment."""
    if finding.code not in _STOPPING:
        return RuleFinding(finding, Verdict.SAFE)
    return RuleFinding(replace(finding, severity=Severity.ERROR), Verdict.FAILS)


def _from_contents(format: Format, source: Source) -> Iterator[RuleFinding]:
    without_section: list[RuleFinding] = []
    goes_back = False
    for migration in source.migrations:
        is_empty = False
        for direction, path, raw in _halves(migration):
            if isinstance(raw, RuleFinding):
                yield raw
                continue
            is_section = direction is Direction.DOWN and path == migration.up
            if not is_section:
                yield from _from_bytes(path, raw)
            if migration.foreign or _CONFLICT.search(raw):
                continue
            found = list(_from_script(format, migration, direction, raw))
            codes = {each.finding.code for each in found}
            if "missing-down-file" in codes:
                # What did nothing needs no way back.
                without_section += [] if is_empty else map(_as_warning, found)
                continue
            is_empty = "empty-migration" in codes
            goes_back = goes_back or is_section
            yield from found
    # Where no file says how to go back, the project never does.
    if goes_back:
        yield from without_section


def _halves(migration: Migration) -> Iterator[tuple[Direction, Path, bytes | RuleFinding]]:
    """Each half with what its file holds; of what only its tool can run one is enough."""
    for direction in Direction:
        path = migration.file(direction)
        if path is not None and not (
            migration.foreign and direction is Direction.DOWN and path == migration.up
        ):
            yield direction, path, _read(path)


def _as_warning(finding: RuleFinding) -> RuleFinding:
    """A section may be left out: many do so on purpose where there is no way back."""
    return RuleFinding(replace(finding.finding, severity=Severity.WARNING), Verdict.SAFE)


def _read(path: Path) -> bytes | RuleFinding:
    try:
        return path.read_bytes()
    except OSError as error:
        return note(
            "unreadable-migration",
            f"cannot read {path}: {error.strerror}",
            path,
            Severity.ERROR,
            verdict=Verdict.FAILS,
        )


def _from_bytes(path: Path, raw: bytes) -> Iterator[RuleFinding]:
    if mark := _CONFLICT.search(raw):
        yield note(
            "conflict-marker",
            "a conflict of a merge is left in the file",
            path,
            Severity.ERROR,
            why="git writes these marks where two branches changed the same lines.",
            fix="Decide what the file is to say, and remove the marks.",
            verdict=Verdict.FAILS,
            line=raw.count(b"\n", 0, mark.start()) + 1,
        )
    dos = raw.count(b"\r\n")
    unix = raw.count(b"\n") - dos
    if dos and unix:
        yield note(
            "mixed-line-ends",
            f"{dos} lines end with CR LF, {unix} with LF",
            path,
            why="An editor that makes them alike changes the checksum of the file; within a literal also the value.",
            fix="Save it with one kind of line ends.",
        )


def _from_script(
    format: Format, migration: Migration, direction: Direction, raw: bytes
) -> Iterator[RuleFinding]:
    path = migration.file(direction)
    assert path is not None
    try:
        script = load_script(format, Step(migration, direction, None, None))
    except SourceError as error:
        yield stopping(error)
        return
    if raw.startswith(_MARK) and direction is Direction.UP:
        yield note("byte-order-mark", "the file starts with a byte order mark", path, line=1)
    if not script.statements:
        if direction is Direction.UP:
            yield _empty(path)
        return
    leaves = script.execution is Execution.OUTSIDE and script.reason.startswith("PostgreSQL forbids")
    if leaves and len(script.statements) > 1 and format.name in _SEND_WHOLE_FILES:
        yield note(
            "needs-own-file",
            f"{script.reason.replace('inside one', 'inside a transaction')}, and other statements stand beside it",
            path,
            Severity.WARNING,
            why=f"howdah runs them one by one. {format.name} itself sends the file as one message, which PostgreSQL"
            " takes for one transaction, and fails.",
            fix="Move the statement to a migration of its own, where anything but howdah runs these files.",
        )


def _empty(path: Path) -> RuleFinding:
    has_text = path.stat().st_size > 0
    return note(
        "empty-migration",
        "there is no statement in the file" if has_text else "the file is empty",
        path,
        Severity.INFO if has_text else Severity.WARNING,
        why="It counts as applied as soon as it is deployed: what is written into it later does not run.",
        fix="Write what it is to do, or delete it.",
    )
