"""From one tool's migration files to another's: pure, but for reading them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from howdah.errors import SourceError, UnsupportedError
from howdah.findings import Finding, Severity
from howdah.migrate.formats.interface import Format
from howdah.migrate.migration import Source
from howdah.migrate.portable import Half, Portable, read_portable
from howdah.migrate.writers.goose import goose_notes, write_goose
from howdah.migrate.writers.plain import write_dbmate, write_golang_migrate, write_sqlx
from howdah.pg.features import Feature, features_of

_INT64_MAX = 2**63 - 1


@dataclass(frozen=True)
class Writer:
    """How the files of a format are made.

    Attributes:
        write: name -> text of the files; raises SourceError for what the tool cannot have.
        largest: the largest version that its table holds; None: any.
        notes: what the tool will do otherwise than the one before it did.
    """

    write: Callable[[Iterable[Portable]], Mapping[str, str]]
    largest: int | None = _INT64_MAX
    notes: Callable[[Portable], Iterable[Finding]] = lambda _: ()


WRITERS: Mapping[str, Writer] = MappingProxyType(
    {
        "dbmate": Writer(write_dbmate, largest=None),
        "golang-migrate": Writer(write_golang_migrate),
        "goose": Writer(write_goose, notes=goose_notes),
        "sqlx": Writer(write_sqlx),
    }
)
"""Format -> what writes its files. These can be read, too."""


@dataclass(frozen=True)
class Conversion:
    """The files of the new layout by name, and what to know about them."""

    files: Mapping[str, str]
    notes: tuple[Finding, ...]


def find_writer(format: Format) -> Writer:
    """What writes the files of a format.

    Raises:
        UnsupportedError: nothing does.
    """
    if format.name not in WRITERS:
        raise UnsupportedError(
            f"migrations of {format.name} can be neither converted nor squashed",
            code="not-convertible",
            fix=f"Formats that can be: {', '.join(WRITERS)}.",
        )
    return WRITERS[format.name]


def convert(format: Format, source: Source, to: Format) -> Conversion:
    """The migrations of a source as files of another format. The versions stay; nothing is written.

    Raises:
        UnsupportedError: one of the two formats cannot be converted.
        SourceError: a migration cannot run, or the other tool cannot have it; says what to do.
    """
    find_writer(format)
    writer = find_writer(to)
    migrations = list(read_portable(format, source))
    _refuse_versions(migrations, to.name, writer.largest)
    return Conversion(writer.write(migrations), tuple(_notes(migrations, writer)))


def _refuse_versions(migrations: list[Portable], tool: str, largest: int | None) -> None:
    """Refuse versions that the other tool would order otherwise, or that its table cannot hold."""
    newest = None
    for each in migrations:
        number = int(each.migration.version)
        if largest is not None and number > largest:
            raise SourceError(
                f"version {number} does not fit {tool}'s bigint",
                code="version-too-large",
                where=each.migration.where,
                fix=f"Use a number up to {largest}.",
            )
        if newest is not None and number <= newest:
            raise SourceError(
                f"migration {each.migration.version} runs behind {newest}, and would run before it",
                code="order-changes",
                where=each.migration.where,
                why=f"{tool} compares numbers, not text.",
                fix="Where they have yet to run everywhere, number them in the order they run.",
            )
        newest = number


def _notes(migrations: list[Portable], writer: Writer) -> Iterator[Finding]:
    for each in migrations:
        halves = [half for half in (each.up, each.down) if half]
        yield from writer.notes(each)
        if any(map(_sets_session, halves)):
            yield Finding(
                "session-setting",
                f"migration {each.migration.version} changes a setting of its session",
                Severity.WARNING,
                where=each.migration.where,
                why="How long such a setting lasts depends on the tool: for the whole run, or for the file.",
                fix="Use SET LOCAL, and set it in each migration that needs it.",
            )
        if each.up is None:
            yield Finding(
                "missing-up-file",
                f"migration {each.migration.version} has only a down file; its up half does nothing now",
                Severity.WARNING,
                where=each.migration.where,
            )


def _sets_session(half: Half) -> bool:
    return any(
        Feature.SESSION in features_of(piece.statement) and "local" not in piece.statement.lower().split()[:2]
        for piece in half.pieces
    )
