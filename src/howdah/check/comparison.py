"""What a change does to the migrations that are released: taken numbers, edited, removed and renumbered files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from howdah.check import changed
from howdah.check.base import Base
from howdah.check.released import Edition, Working, read_editions, read_working, untouched_part
from howdah.check.report import RuleFinding
from howdah.errors import SourceError
from howdah.migrate.checksums import read_content
from howdah.migrate.formats.interface import Format, Keeps, OutOfOrder
from howdah.migrate.migration import SQUASHED_FOLDER, Direction, Migration, Source


@dataclass(frozen=True)
class Comparison:
    """What differs from the base.

    Attributes:
        new: the versions that are not released, all where there is no base; and repeatable ones that run again.
        untouched: the files, as paths, that are as the base has them.
        findings: what is wrong with the change.
    """

    new: frozenset[str]
    untouched: frozenset[str] = frozenset()
    findings: tuple[RuleFinding, ...] = ()

    def mark_old(self, finding: RuleFinding) -> RuleFinding:
        """The finding, as an old one where its file is as the base has it. Of duplicates the other one may be new."""
        where = finding.finding.where
        is_old = where is not None and where.file in self.untouched
        if is_old and finding.finding.code != "duplicate-migration":
            return replace(finding, is_old=True)
        return finding


@dataclass(frozen=True)
class _Editions:
    """The migrations as released, as the base has them now, and as they are here."""

    format: Format
    base: Base
    released: Edition
    tip: Edition
    now: Edition
    source: Source
    allow_renumbering: bool = False
    policy: OutOfOrder | None = None
    squashed: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def new(self) -> frozenset[str]:
        """Neither released nor, the same, in the base by now."""
        return frozenset(
            version
            for version, migration in self.now.migrations.items()
            if (version not in self.released.migrations and not self._is_in_tip(version))
            or (migration.repeats and self._repeats_before(version) != migration.repeats)
        )

    def _is_in_tip(self, version: str) -> bool:
        return version in self.tip.migrations and not self.is_taken(version)

    def _repeats_before(self, version: str) -> str:
        before = self.released.migrations.get(version)
        return before.repeats if before else ""

    def is_taken(self, version: str) -> bool:
        """The base has this version by now, and with it something else."""
        return any(
            (theirs := self.tip.find(version, direction)) is not None
            and (ours := self.now.find(version, direction)) is not None
            and theirs != ours
            for direction in Direction
        )


def compare_with_base(
    format: Format,
    source: Source,
    base: Base,
    *,
    allow_renumbering: bool = False,
    out_of_order: OutOfOrder | None = None,
) -> Comparison:
    """What is new, and what the change does to what is released.

    `out_of_order` is what becomes of a migration older than the newest released one; None: what the tool does.
    """
    if not base.name:
        return Comparison(frozenset(source.by_version), findings=(base.note,) if base.note else ())
    working = read_working(source, base)
    untouched = frozenset(
        str(base.folder / name)
        for name, content in working.ids.items()
        if content in (base.released.get(name), base.tip.get(name))
    )
    known = _from_untouched(source, base, working)
    if known is not None:
        editions = _Editions(format, base, known, known, working.edition, source, policy=out_of_order)
        return Comparison(editions.new, untouched, tuple(_out_of_order(editions)))
    with read_editions(format, base, working) as (released, tip):
        editions = _Editions(
            format,
            base,
            released,
            tip,
            working.edition,
            source,
            allow_renumbering=allow_renumbering,
            policy=out_of_order,
            squashed=_squashed(format, source),
        )
        return Comparison(editions.new, untouched, tuple(_findings(editions)))


def _from_untouched(source: Source, base: Base, working: Working) -> Edition | None:
    """What is released, where every file of it is here as it was: nothing of it need be read. None: it must be."""
    if base.tip is not base.released:
        return None
    if any(working.ids.get(name) != content for name, content in base.released.items()):
        return None
    stored = untouched_part(source.by_version, base.folder, base.released, working.ids)
    return Edition(stored, working.edition.stored)


def _squashed(format: Format, source: Source) -> frozenset[str]:
    """The versions that one file took the place of, and that file's."""
    if not (source.directory / SQUASHED_FOLDER).is_dir():
        return frozenset()
    from howdah.migrate.squashed import read_archives

    try:
        archives = read_archives(format, source.directory)
    except SourceError:
        return frozenset()
    return frozenset(version for each in archives for version in each.originals.by_version)


def _findings(editions: _Editions) -> Iterator[RuleFinding]:
    gone = [
        each
        for version, each in editions.released.migrations.items()
        if version not in editions.now.migrations
        and version in editions.tip.migrations
        and version not in editions.squashed
        and not each.repeats
    ]
    yield from _gone(editions, gone)
    for version, before in editions.released.migrations.items():
        now = editions.now.migrations.get(version)
        if now and version not in editions.squashed and not now.repeats:
            yield from _edited(editions, before, now)
    for version in editions.new:
        theirs = editions.tip.migrations.get(version)
        if theirs and version not in editions.released.migrations:
            yield changed.taken(editions.base, editions.now.migrations[version], theirs)
    yield from _out_of_order(editions)
    yield from _diverging_heads(editions)


def _gone(editions: _Editions, gone: list[Migration]) -> Iterator[RuleFinding]:
    if not gone:
        return
    said = {
        _says(editions.format, each): each for each in map(editions.now.migrations.get, editions.new) if each
    }
    newest = list(editions.released.migrations)[-1]
    for before in gone:
        says = _says(editions.format, before)
        if says is not None and (now := said.get(says)):
            yield changed.renumbered(editions.base, before, now, is_allowed=editions.allow_renumbering)
        else:
            yield changed.removed(
                editions.format, editions.base, before, editions.source, is_newest=before.version == newest
            )


def _says(format: Format, migration: Migration) -> bytes | None:
    """A checksum of what its `up` says; None: nothing, or nobody can tell."""
    if migration.up is None:
        return None
    content = read_content(format.files, migration.up)
    return None if changed.is_empty(content) else content.normal_checksum


def _edited(editions: _Editions, before: Migration, now: Migration) -> Iterator[RuleFinding]:
    tool, base = editions.format, editions.base
    if before.path.name != now.path.name:
        yield changed.renamed(tool, base, before, now)
    if set(before.parents) != set(now.parents):
        yield changed.parents(base, before, now)
        return
    for direction in Direction:
        one, two = before.file(direction), now.file(direction)
        ours = editions.now.find(now.version, direction)
        if one is None or two is None or ours is None:
            continue
        theirs = (each.find(now.version, direction) for each in (editions.released, editions.tip))
        if ours.content in {each.content for each in theirs if each}:
            continue
        found = changed.edited(tool, base, now, direction, before=one, file=two)
        if found:
            yield found
        if now.foreign:  # both ways are one text to us
            return


def _out_of_order(editions: _Editions) -> Iterator[RuleFinding]:
    """New ones older than the newest released one."""
    tool = editions.format
    if tool.table.keeps is Keeps.HEADS:
        return
    known = [
        version
        for version, each in {**editions.released.migrations, **editions.tip.migrations}.items()
        if not each.repeats
    ]
    if not known:
        return
    newest = max(known, key=tool.files.sort_key)
    for version, each in editions.now.migrations.items():
        if (
            version in editions.new
            and version not in known
            and not each.repeats
            and tool.files.sort_key(version) < tool.files.sort_key(newest)
        ):
            yield changed.late(tool, editions.base, each, newest, editions.policy)


def _diverging_heads(editions: _Editions) -> Iterator[RuleFinding]:
    """The base went on by another revision than this branch."""
    if editions.format.table.keeps is not Keeps.HEADS:
        return
    ours, theirs = editions.now.migrations, editions.tip.migrations
    together = _heads({**theirs, **ours})
    if len(together) > max(len(_heads(ours)), len(_heads(theirs)), 1):
        own = [each for each in together if each in editions.new]
        if own:
            yield changed.diverging(editions.base, [ours[each] for each in own], together)


def _heads(migrations: Mapping[str, Migration]) -> list[str]:
    below = {
        parent for each in migrations.values() for parent in each.parents if parent not in each.depends_on
    }
    return [version for version in migrations if version not in below]
