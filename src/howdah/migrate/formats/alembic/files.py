"""Alembic's files: a graph of revisions, brought into one order."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from howdah.errors import ConfigError, SourceError, Where
from howdah.findings import Finding, Severity
from howdah.migrate.formats.files import Refuse, raise_at_once
from howdah.migrate.formats.interface import Body
from howdah.migrate.migration import Direction, Migration, Source

if TYPE_CHECKING:
    from howdah.migrate.formats.alembic.revisions import Revision

_SHORTEST_PART = 4
_ILLEGAL = frozenset("@-+:")
_SLUG_LENGTH = 40
_BASE, _HEADS = "base", {"head", "heads"}


class AlembicFiles:
    """Revisions in the order they run: each after all that it builds upon, then by id."""

    def read(self, directory: Path, *, refuse: Refuse = raise_at_once) -> Source:
        """The revisions of an environment; `directory` has alembic.ini, or env.py, or the revisions themselves.

        Raises:
            SourceError: there is no such directory, or Alembic's configuration or a revision cannot be read;
                two revisions have one id, build upon each other in a ring, or upon one that no file has.
        """
        # What parses Python is loaded for Alembic only.
        from howdah.migrate.formats.alembic.places import find_places
        from howdah.migrate.formats.alembic.revisions import read_revisions

        revisions = read_revisions(find_places(directory), refuse=refuse)
        return Source(directory, tuple(map(_as_migration, revisions)), _several_heads(revisions))

    def history_name(self, directory: Path) -> tuple[str | None, str | None]:
        """What env.py says as `version_table_schema` and `version_table`, where it says it in so many words."""
        from howdah.migrate.formats.alembic.env_file import read_history_name
        from howdah.migrate.formats.alembic.places import find_places

        try:
            script = find_places(directory).script
        except SourceError:
            return None, None
        return read_history_name(script / "env.py") if script else (None, None)

    def new(self, source: Source, words: str) -> Mapping[str, str]:
        """An empty revision upon the one head, from the environment's own template where it has one.

        Raises:
            SourceError: there are several heads.
            UnsupportedError: the template needs the Alembic library, which is not installed.
        """
        from uuid import uuid4

        from howdah.migrate.formats.alembic.places import find_places
        from howdah.migrate.formats.alembic.revisions import heads, read_revisions
        from howdah.migrate.formats.alembic.template import Blank

        places = find_places(source.directory)
        newest = heads(read_revisions(places))
        if len(newest) > 1:
            raise _which_head(newest)
        blank = Blank(uuid4().hex[-12:], newest[0].id if newest else None, words)
        path = places.versions[0] / f"{blank.revision}_{_slug(words)}.py"
        return {os.path.relpath(path, source.directory.absolute()): blank.render(places)}

    def read_body(self, path: Path, text: str, direction: Direction) -> Body:
        """All of it, which is Python: only Alembic runs it."""
        return Body(text, is_foreign=True)

    def checksum(self, raw: bytes) -> str | None:
        """None: Alembic keeps none."""
        return None

    def parse_version(self, text: str, source: Source) -> str:
        """An id: whole, its first characters (four or more) where only one begins so, a label, `head` or `base`.

        Raises:
            ConfigError: several begin so; `head` where there are several; no text for an id.
        """
        if text in source.by_version:
            return text
        if text == _BASE:
            return "0"
        candidates = _candidates(source, text)
        if len(candidates) > 1:
            raise ConfigError(
                f"'{text}' may be any of {', '.join(candidates)}",
                code="ambiguous-version",
                fix="Write more of the id.",
            )
        if not candidates and (not text or _ILLEGAL & set(text)):
            raise ConfigError(
                f"'{text}' is not a revision",
                code="bad-version",
                why="Relative places (+1, -1) and branches (label@head) are not understood here.",
                fix="Name the revision, or `head`.",
                next=("howdah migrate status",),
            )
        return candidates[0] if candidates else text

    def sort_key(self, version: str) -> tuple[int | str, ...]:
        """By id, which says nothing: the order of revisions is in their files."""
        return (version,)


def _candidates(source: Source, text: str) -> list[str]:
    if text in _HEADS:
        parents = {parent for each in source.migrations for parent in each.parents}
        return [version for version in source.by_version if version not in parents]
    if len(text) < _SHORTEST_PART:
        return []
    return [version for version in source.by_version if version.startswith(text)]


def _as_migration(revision: Revision) -> Migration:
    return Migration(
        version=revision.id,
        name=revision.words,
        up=revision.file,
        down=revision.file if revision.goes_down else None,
        foreign="an Alembic revision",
        parents=tuple(dict.fromkeys((*revision.down, *revision.depends_on))),
        depends_on=tuple(each for each in revision.depends_on if each not in revision.down),
    )


def _several_heads(revisions: Sequence[Revision]) -> tuple[Finding, ...]:
    """A note where Alembic's own `upgrade head` would refuse; branches that have labels are meant to be."""
    from howdah.migrate.formats.alembic.revisions import heads

    newest = heads(revisions)
    if len(newest) < 2 or any(each.labels for each in revisions):
        return ()
    return (
        Finding(
            code="several-heads",
            severity=Severity.WARNING,
            message=f"there are {len(newest)} newest revisions: {', '.join(each.id for each in newest)}",
            where=Where(str(newest[-1].file), newest[-1].line),
            why="Two branches of development each added one. `up` applies all of them; `alembic upgrade head` refuses.",
            fix="Join them with `alembic merge heads`.",
        ),
    )


def _which_head(newest: Sequence[Revision]) -> SourceError:
    return SourceError(
        f"there are several newest revisions: {', '.join(each.id for each in newest)}",
        code="several-heads",
        why="A new revision builds upon one of them, and nobody said which.",
        fix="Join them with `alembic merge heads`, or make this one with `alembic revision --head`.",
    )


def _slug(words: str) -> str:
    """Words as Alembic puts them into a file's name: cut after a whole word."""
    slug = "_".join(re.findall(r"\w+", words)).lower()
    if len(slug) <= _SLUG_LENGTH:
        return slug
    return slug[:_SLUG_LENGTH].rsplit("_", 1)[0] + "_"
