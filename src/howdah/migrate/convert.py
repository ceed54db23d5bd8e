"""From one tool's migration files to another's: pure, but for reading them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from howdah.errors import SourceError, UnsupportedError, Where
from howdah.findings import Finding, Severity
from howdah.migrate.formats.interface import Format
from howdah.migrate.migration import Source
from howdah.migrate.portable import Half, Portable, read_portable
from howdah.migrate.writers.goose import changes_line_endings, write_goose
from howdah.migrate.writers.plain import write_dbmate, write_golang_migrate, write_sqlx
from howdah.pg.features import Feature, features_of

WRITERS: Mapping[str, Callable[[Iterable[Portable]], Mapping[str, str]]] = MappingProxyType(
    {
        "dbmate": write_dbmate,
        "golang-migrate": write_golang_migrate,
        "goose": write_goose,
        "sqlx": write_sqlx,
    }
)
"""Format -> what writes its files. These can be read, too."""

_INT64_MAX = 2**63 - 1


@dataclass(frozen=True)
class Conversion:
    """The files of the new layout by name, and what to know about them."""

    files: Mapping[str, str]
    notes: tuple[Finding, ...]


def convert(format: Format, source: Source, to: Format) -> Conversion:
    """The migrations of a source as files of another format. The versions stay; nothing is written.

    Raises:
        UnsupportedError: one of the two formats cannot be converted.
        SourceError: a migration cannot run, or the other tool cannot have it; says what to do.
    """
    for name in (format.name, to.name):
        if name not in WRITERS:
            raise UnsupportedError(
                f"migrations of {name} cannot be converted",
                code="not-convertible",
                fix=f"Formats that can be: {', '.join(WRITERS)}.",
            )
    migrations = list(read_portable(format, source))
    _refuse_versions(migrations, to)
    return Conversion(WRITERS[to.name](migrations), tuple(_notes(migrations, to)))


def _refuse_versions(migrations: list[Portable], to: Format) -> None:
    """Refuse versions that the other tool would order otherwise, or that its table cannot hold."""
    newest = None
    for each in migrations:
        number = int(each.migration.version)
        where = Where(str(each.migration.up or each.migration.down))
        if number > _INT64_MAX and to.name != "dbmate":
            raise SourceError(
                f"version {number} does not fit {to.name}'s bigint",
                code="version-too-large",
                where=where,
                fix=f"Use a number up to {_INT64_MAX}.",
            )
        if newest is not None and number <= newest:
            raise SourceError(
                f"migration {each.migration.version} runs behind {newest}, and would run before it",
                code="order-changes",
                where=where,
                why=f"{to.name} compares numbers, not text.",
                fix="Where they have yet to run everywhere, number them in the order they run.",
            )
        newest = number


def _notes(migrations: list[Portable], to: Format) -> Iterator[Finding]:
    for each in migrations:
        where = Where(str(each.migration.up or each.migration.down))
        halves = [half for half in (each.up, each.down) if half]
        if to.name == "goose" and changes_line_endings(each):
            yield Finding(
                "line-endings-change",
                f"migration {each.migration.version} has a function body with the line endings of Windows",
                Severity.WARNING,
                where=where,
                why="goose takes the carriage returns off: the function has the same words, and other line endings.",
            )
        if any(map(_sets_session, halves)):
            yield Finding(
                "session-setting",
                f"migration {each.migration.version} changes a setting of its session",
                Severity.WARNING,
                where=where,
                why="How long such a setting lasts depends on the tool: for the whole run, or for the file.",
                fix="Use SET LOCAL, and set it in each migration that needs it.",
            )
        if each.up is None:
            yield Finding(
                "missing-up-file",
                f"migration {each.migration.version} has only a down file; its up half does nothing now",
                Severity.WARNING,
                where=where,
            )


def _sets_session(half: Half) -> bool:
    return any(
        Feature.SESSION in features_of(piece.statement) and "local" not in piece.statement.lower().split()[:2]
        for piece in half.pieces
    )
