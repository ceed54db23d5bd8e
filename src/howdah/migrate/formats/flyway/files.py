"""Flyway's files: V, U, B and R below a directory, and how much of them howdah runs.

Sources: flyway/flyway FileSystemScanner.java, SqlMigrationResolver.java, CompositeMigrationResolver.java,
ParserSqlScript.java.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from howdah.errors import ConfigError, ScriptError, SourceError, Where
from howdah.findings import Finding, Severity
from howdah.migrate.formats.files import (
    Refuse,
    duplicate_file,
    ignored_file,
    no_directory,
    raise_at_once,
)
from howdah.migrate.formats.flyway.migration import FlywayMigration
from howdah.migrate.formats.flyway.names import (
    FOREIGN_SUFFIXES,
    REPEATABLE,
    SQL_SUFFIX,
    Kind,
    Name,
    canonical,
    is_version,
    parse_name,
    repeatable_version,
    version_key,
)
from howdah.migrate.formats.flyway.script import (
    ScriptSettings,
    checksum_of,
    read_settings,
    replace_placeholders,
    settings_path,
)
from howdah.migrate.formats.interface import Body, Transaction
from howdah.migrate.formats.names import next_timestamp
from howdah.migrate.migration import Direction, Source
from howdah.pg.features import Feature
from howdah.pg.lexer import BYTE_ORDER_MARK
from howdah.pg.statements import shorten, split_script

_LONGEST_VERSION = 50  # characters of the history's column
_TIMESTAMP_DIGITS = 14
# A word of each statement that PostgreSQL forbids inside a transaction: most files need no second look.
_PERHAPS_FORBIDDEN = re.compile(
    r"concurrently|database|tablespace|subscription|system|reindex|vacuum|discard|cluster|prepared",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class FlywayFiles:
    """Files V{version}__{words}.sql below a directory.

    Attributes:
        variables: the values of ${name}.
    """

    variables: Mapping[str, str] = field(default_factory=dict)

    def read(self, directory: Path, *, refuse: Refuse = raise_at_once) -> Source:
        """The versioned migrations of a directory and those below it, hidden ones left out.

        Raises:
            SourceError: there is no such directory; two files have equal versions, or two repeatable ones equal
                words; the settings beside a script are wrong.
        """
        if not directory.is_dir():
            raise no_directory(directory)
        found: dict[Kind, dict[str, tuple[Name, Path]]] = {kind: {} for kind in Kind}
        notes = []
        for path in sorted(_walk(directory)):
            name = parse_name(path.name)
            if name is None:
                if path.name.lower().endswith(SQL_SUFFIX):
                    notes.append(_ignored(path))
                continue
            try:
                _check(name, path)
                key = _key(name, path)
                if key in found[name.kind]:
                    raise _duplicate(name, found[name.kind][key][1], path)
                found[name.kind][key] = (name, path)
                read_settings(path)
            except SourceError as error:
                refuse(error)
        migrations = [
            _migration(directory, version, name, path, found[Kind.UNDO].get(version))
            for version, (name, path) in found[Kind.VERSIONED].items()
        ]
        migrations += _baselines(directory, found)
        migrations.sort(key=lambda each: version_key(each.version))
        migrations += [
            self._repeatable(directory, name, path)
            for _, (name, path) in sorted(found[Kind.REPEATABLE].items())
            if name.suffix.lower() == SQL_SUFFIX
        ]
        return Source(directory, tuple(migrations), (*notes, *_notes(found)))

    def new(self, source: Source, words: str) -> Mapping[str, str]:
        """The versioned file that comes next: the newest version with its last part counted on."""
        newest = next((each for each in reversed(source.migrations) if not each.repeats), None)
        if newest is None or newest.up is None:
            return {f"V1__{words}{SQL_SUFFIX}": ""}
        written = newest.up.name[1:].partition("__")[0].removesuffix(SQL_SUFFIX)
        head, last = written[: len(written) - len(_last_part(written))], _last_part(written)
        if not head and len(last) == _TIMESTAMP_DIGITS:
            number = next_timestamp(after=int(last))
        else:
            number = str(int(last) + 1).zfill(len(last))
        folder = newest.up.relative_to(source.directory).parent
        name = f"V{head}{number}__{words}{SQL_SUFFIX}"
        return {(folder / name).as_posix(): ""}

    def read_body(self, path: Path, text: str, direction: Direction) -> Body:
        """The script with its placeholders replaced.

        Raises:
            SourceError: a placeholder has no value; statements that need a transaction stand beside such as
                forbid one; the script says under which condition it runs.
        """
        if not path.name.lower().endswith(SQL_SUFFIX):
            return Body(text)
        settings = read_settings(path)
        if settings.should_execute is not None:
            raise _conditional(path)
        text = text.removeprefix(BYTE_ORDER_MARK)
        filled = self._with_values(path, text, settings)
        wanted = settings.executes_in_transaction
        if wanted is None:
            _refuse_mixture(path, filled)
        transaction = {None: Transaction.AUTO, True: Transaction.ALWAYS, False: Transaction.NEVER}[wanted]
        return Body(filled, transaction=transaction, directive=_directive(path), is_filled=filled != text)

    def checksum(self, raw: bytes) -> str:
        """CRC-32 of the lines, as a signed number."""
        return checksum_of(raw)

    def with_variables(self, variables: Mapping[str, str]) -> FlywayFiles:
        """The same files, with these values for placeholders."""
        return FlywayFiles(variables)

    def parse_version(self, text: str, source: Source) -> str:
        """The one text of equal versions: "7" for "007", "1.2" for "1_2_0"; R__words of a repeatable migration."""
        if text.startswith(REPEATABLE):
            return repeatable_version(text.removeprefix(REPEATABLE))
        if not is_version(text):
            raise ConfigError(
                f"'{text}' is not a version of Flyway's",
                code="bad-version",
                fix="A version is numbers with dots or underscores between them, such as 2 or 2.1.",
            )
        return canonical(text)

    def sort_key(self, version: str) -> tuple[int | str, ...]:
        """Part by part, as numbers; what is no version is older than all that are."""
        return (-1, version) if version.startswith(REPEATABLE) else version_key(version)

    def _with_values(self, path: Path, text: str, settings: ScriptSettings) -> str:
        if settings.replaces_placeholders is False:
            return text
        return replace_placeholders(text, path, self.variables)

    def _repeatable(self, directory: Path, name: Name, path: Path) -> FlywayMigration:
        """A repeatable migration: its checksum is of the script with its values, so that a new value runs it, too."""
        raw = path.read_bytes()
        with suppress(SourceError, UnicodeDecodeError):  # told when it is to run
            raw = self._with_values(path, raw.decode(), read_settings(path)).encode()
        return FlywayMigration(
            repeatable_version(name.words),
            name.words,
            path,
            script=path.relative_to(directory).as_posix(),
            repeats=checksum_of(raw),
        )


def _walk(directory: Path) -> Iterator[Path]:
    with os.scandir(directory) as entries:
        for entry in entries:
            if not entry.is_dir():
                yield directory / entry.name
            elif not entry.name.startswith("."):
                yield from _walk(directory / entry.name)


def _key(name: Name, path: Path) -> str:
    """What makes two files of one kind the same to Flyway."""
    if name.kind is Kind.CALLBACK:
        return path.name.removesuffix(name.suffix)
    return canonical(name.version) if name.version else name.words.replace("_", " ")


def _check(name: Name, path: Path) -> None:
    if name.is_odd:
        raise SourceError(
            f"the version '{name.version}' is no plain number",
            code="bad-file-name",
            where=Where(str(path)),
            why="Flyway takes signs, digits of other scripts and its own words for versions; howdah does not.",
            fix="Write it in the digits 0 to 9 with dots or underscores between them.",
        )
    if len(name.version) > _LONGEST_VERSION:
        raise SourceError(
            f"version {shorten(name.version, limit=60)} does not fit the history's varchar({_LONGEST_VERSION})",
            code="version-too-large",
            where=Where(str(path)),
            fix="Use a shorter one.",
        )


def _duplicate(name: Name, first: Path, second: Path) -> SourceError:
    return duplicate_file(
        f"are version {name.version}" if name.version else f"are '{name.words}'",
        first,
        second,
        why="Flyway compares versions as numbers, part by part: 1, 1.0, 01 and 1_0 are one version.",
    )


def _migration(
    directory: Path, version: str, name: Name, path: Path, undo: tuple[Name, Path] | None
) -> FlywayMigration:
    foreign, kind = FOREIGN_SUFFIXES.get(name.suffix.lower(), ("", "SQL"))
    return FlywayMigration(
        version,
        name.words,
        path,
        undo[1] if undo and undo[0].suffix.lower() == SQL_SUFFIX else None,
        foreign,
        shown_version=name.version,
        script=path.relative_to(directory).as_posix(),
        type=kind,
    )


def _baselines(
    directory: Path, found: Mapping[Kind, Mapping[str, tuple[Name, Path]]]
) -> list[FlywayMigration]:
    """Baseline migrations that no versioned file stands for: only Flyway knows when to run one."""
    return [
        FlywayMigration(
            version,
            name.words,
            path,
            foreign="a baseline migration",
            shown_version=name.version,
            script=path.relative_to(directory).as_posix(),
            type="SQL_BASELINE",
        )
        for version, (name, path) in found[Kind.BASELINE].items()
        if version not in found[Kind.VERSIONED]
    ]


def _last_part(version: str) -> str:
    return version.replace("_", ".").rpartition(".")[2]


def _directive(path: Path) -> str:
    return f"executeInTransaction=false in {settings_path(path).name}"


def _refuse_mixture(path: Path, text: str) -> None:
    """Flyway runs a whole file in a transaction or outside one, and refuses a file that needs both."""
    if not _PERHAPS_FORBIDDEN.search(text):
        return
    try:
        statements = split_script(text)
    except ScriptError:  # told by who splits it to run it
        return
    kinds: set[bool] = set()
    for statement in statements:
        kinds.add(Feature.NO_TRANSACTION in statement.features)
        if len(kinds) > 1:
            raise SourceError(
                f"{shorten(statement.text, limit=60)} stands with statements of the other kind in one file",
                code="mixed-statements",
                where=Where(str(path), statement.line),
                why="Some of the file's statements PostgreSQL forbids inside a transaction, the others ought to"
                " stand or fall together; Flyway refuses the mixture too.",
                fix=f"Split the file, or write {_directive(path)} to run all of it outside a transaction.",
            )


def _conditional(path: Path) -> SourceError:
    return SourceError(
        "the script runs under a condition of Flyway's",
        code="unsupported-setting",
        where=Where(str(settings_path(path))),
        why="howdah does not evaluate shouldExecute, and running the script all the same could be wrong.",
        fix="Run this migration with Flyway, or take shouldExecute out.",
    )


def _ignored(path: Path) -> Finding:
    return ignored_file(path, tool="Flyway", why="The name is not V{version}__words.sql.")


def _notes(found: Mapping[Kind, Mapping[str, tuple[Name, Path]]]) -> Iterator[Finding]:
    for name, path in found[Kind.REPEATABLE].values():
        if name.suffix.lower() != SQL_SUFFIX:
            yield Finding(
                code="repeatable-program",
                severity=Severity.WARNING,
                message="a repeatable migration that is no SQL, not run by howdah",
                where=Where(str(path)),
                why="Flyway runs it again after the others whenever it changed.",
                fix="Run `flyway migrate` after `howdah migrate up`, or make it SQL.",
            )
    for name, path in found[Kind.CALLBACK].values():
        if name.runs_at_migrate:
            yield Finding(
                code="flyway-callback",
                severity=Severity.WARNING,
                message=f"a callback, not run by howdah: {name.event}",
                where=Where(str(path)),
                why="Flyway runs it at that moment of each migrate.",
                fix="Make it a migration, or run it yourself.",
            )
    for version, (_, path) in found[Kind.BASELINE].items():
        if version in found[Kind.VERSIONED]:
            yield Finding(
                code="baseline-migration",
                severity=Severity.INFO,
                message="a baseline migration, not run by howdah",
                where=Where(str(path)),
                why="Flyway runs it on an empty database in place of the files up to its version; howdah runs those.",
            )
    for version, (_, path) in found[Kind.UNDO].items():
        if version not in found[Kind.VERSIONED]:
            yield _ignored(path)
