"""TypeORM: classes in TypeScript or JavaScript, a row for each. Read as text; only TypeORM runs them.

Sources: typeorm/typeorm src/migration/MigrationExecutor.ts (names, order, table), src/naming-strategy/
DefaultNamingStrategy.ts (the key's name).
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from howdah.errors import ConfigError, SourceError, Where
from howdah.findings import Finding, Severity
from howdah.migrate.formats.files import Refuse, list_files, raise_at_once
from howdah.migrate.formats.interface import Body, Format, Keeps, OutOfOrder, Phase, Query
from howdah.migrate.history import HistoryTable
from howdah.migrate.migration import Direction, Migration, Source, Step
from howdah.pg.identifiers import quote_identifier

_ENDINGS = {".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"}
_TIMESTAMP_DIGITS = 13
# `class Name`, and what compilers for old engines make of it.
_CLASS = re.compile(r"\bclass\s+([A-Za-z_$][\w$]*)|\bfunction\s+([A-Za-z_$][\w$]*\d)\s*\(\s*\)\s*\{")
# A property of the class, or of what its constructor makes.
_NAME = re.compile(r"(?:^|[\s;{]|(this\.))name\s*(?::\s*string\s*)?=\s*(['\"`])([^'\"`$\n]+)\2")
_STRING = re.compile(r"'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`", re.DOTALL)
_UP, _DOWN = (re.compile(rf"\b{way}\s*(?:\(|=\s*(?:async\s+)?(?:function|\())") for way in ("up", "down"))
_HAS_INTERFACE = re.compile(r"\bimplements\b[^{]*\bMigrationInterface\b")
_COMMENT = re.compile(
    r"//[^\n]*|/\*.*?\*/|('(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`)", re.DOTALL
)
# As parseInt() reads it: what follows the digits does not count.
_NUMBER = re.compile(r"\s*([+-]?\d+)")


@dataclass(frozen=True)
class _Class:
    """A migration class: what TypeORM calls it, and where it stands."""

    name: str
    file: Path
    line: int
    goes_down: bool


class TypeOrmFiles:
    """Classes of a flat folder, by the timestamp at the end of their names."""

    def read(self, directory: Path, *, refuse: Refuse = raise_at_once) -> Source:
        """The migrations of a directory.

        Raises:
            SourceError: there is no such directory; a class has no timestamp at the end of its name; two have one name.
        """
        found: dict[str, _Class] = {}
        notes = []
        for path in _sources(directory):
            classes = list(_classes(path))
            if not classes:
                notes.append(_ignored(path))
            for each in classes:
                if each.name in found:
                    refuse(_duplicate(found[each.name], each))
                elif _timestamp(each.name) <= 0:
                    refuse(_no_timestamp(each))
                else:
                    found[each.name] = each
        ordered = sorted(found.values(), key=lambda each: self.sort_key(each.name))
        return Source(directory, tuple(map(_as_migration, ordered)), tuple(notes))

    def new(self, source: Source, words: str) -> Mapping[str, str]:
        """An empty class, in JavaScript where the folder has only that."""
        stamps = [_timestamp(version) for version in source.by_version]
        stamp = max(int(time.time() * 1000), max(stamps, default=0) + 1)
        name = "".join(part[:1].upper() + part[1:] for part in re.split(r"[\W_]+", words))
        endings = {path.suffix for each in source.migrations if (path := each.up)}
        ending = ".ts" if not endings or ".ts" in endings else min(endings)
        text = _TYPESCRIPT if ending == ".ts" else _JAVASCRIPT
        return {f"{stamp}-{name}{ending}": text.replace("NAME", f"{name}{stamp}")}

    def read_body(self, path: Path, text: str, direction: Direction) -> Body:
        """All of it, which is no SQL: only TypeORM runs it."""
        return Body(text, is_foreign=True)

    def checksum(self, raw: bytes) -> str | None:
        """None: TypeORM keeps none."""
        return None

    def parse_version(self, text: str, source: Source) -> str:
        """A class's name, or its timestamp alone where no other class has the same.

        Raises:
            ConfigError: several have it.
        """
        if text in source.by_version or not text.isdigit():
            return text
        candidates = [version for version in source.by_version if _timestamp(version) == int(text)]
        if len(candidates) > 1:
            raise ConfigError(
                f"'{text}' may be any of {', '.join(candidates)}",
                code="ambiguous-version",
                fix="Write the name of the class.",
            )
        return candidates[0] if candidates else text

    def sort_key(self, version: str) -> tuple[int | str, ...]:
        """By timestamp, then by name."""
        return (_timestamp(version), version)


class TypeOrmTable:
    """Table `migrations(id, timestamp, name)`: a row for each applied class, by its name."""

    name = "migrations"
    keeps = Keeps.EVERY
    marks_running = False
    out_of_order = OutOfOrder.APPLY
    refuses_changes = False
    fence = True

    def recognises(self, columns: Mapping[str, str]) -> bool:
        """An id, a timestamp that is a bigint, and a name."""
        return columns == {"id": "integer", "timestamp": "bigint", "name": "character varying"}

    def lock_keys(self, table: HistoryTable) -> tuple[int, ...]:
        """None: TypeORM takes no lock."""
        return ()

    def create(self, table: HistoryTable) -> Sequence[Query]:
        """As TypeORM makes it, the key's name included."""
        raw = f"{table.table.rpartition('.')[2]}_id".encode()
        key = quote_identifier(f"PK_{hashlib.sha1(raw, usedforsecurity=False).hexdigest()[:27]}")
        return [
            Query(
                f'CREATE TABLE IF NOT EXISTS {table.sql} ("id" SERIAL NOT NULL, "timestamp" bigint NOT NULL,'
                f' "name" character varying NOT NULL, CONSTRAINT {key} PRIMARY KEY ("id"))'
            )
        ]

    def read(self, table: HistoryTable) -> Query:
        """The names, in the order of their ids: TypeORM reverts the one with the highest."""
        return Query(f'SELECT "name", false FROM {table.sql} ORDER BY "id"')

    def record(
        self, table: HistoryTable, step: Step, checksum: str | None, *, start: Phase | None, end: Phase
    ) -> Sequence[Query]:
        """Insert the row, or delete it. A run never comes here: TypeORM writes its rows itself."""
        is_in = end.is_applied(step.direction)
        version = step.migration.version
        if start is None:
            return [_delete(table, version), *([_insert(table, version)] if is_in else [])]
        if start.is_applied(step.direction) == is_in:
            return ()
        guard = _count(table, version, 0 if is_in else 1)
        return [guard, _insert(table, version) if is_in else _delete(table, version)]

    def baseline(
        self, table: HistoryTable, declared: Sequence[tuple[Migration, str | None]]
    ) -> Sequence[Query]:
        """A row for each."""
        empty = Query(f"SELECT 1 / (CASE WHEN count(*) = 0 THEN 1 ELSE 0 END) FROM {table.sql}")
        return [empty, *(_insert(table, migration.version) for migration, _ in declared)]

    def bless(self, table: HistoryTable, version: str, checksum: str) -> Sequence[Query]:
        """Nothing: TypeORM keeps no checksum."""
        return ()


TYPEORM = Format("typeorm", TypeOrmFiles(), TypeOrmTable())

_TYPESCRIPT = """import { MigrationInterface, QueryRunner } from "typeorm";

export class NAME implements MigrationInterface {

    public async up(queryRunner: QueryRunner): Promise<void> {
    }

    public async down(queryRunner: QueryRunner): Promise<void> {
    }

}
"""
_JAVASCRIPT = """module.exports = class NAME {
    name = 'NAME'

    async up(queryRunner) {
    }

    async down(queryRunner) {
    }
}
"""


def _sources(directory: Path) -> Iterator[Path]:
    """Files of code. What a compiler put beside its source is the same class once more, and left out."""
    files = [
        path
        for path in list_files(directory)
        if path.suffix in _ENDINGS and not path.name.endswith((".d.ts", ".d.mts", ".d.cts"))
    ]
    typed = {path.stem for path in files if path.suffix in {".ts", ".mts", ".cts"}}
    yield from (path for path in files if path.suffix.endswith("ts") or path.stem not in typed)


def _classes(file: Path) -> Iterator[_Class]:
    """The migration classes of a file: those that declare to be one, or, in JavaScript, have an up()."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SourceError(
            "not UTF-8", code="not-utf8", where=Where(str(file)), fix="Save the file as UTF-8."
        ) from None
    # Comments go, strings stay: a name is one; lines stay as they are.
    code = _COMMENT.sub(lambda found: found[1] or "\n" * found[0].count("\n"), text)
    matches = list(_CLASS.finditer(code))
    for number, match in enumerate(matches):
        end = matches[number + 1].start() if number + 1 < len(matches) else len(code)
        body = code[match.start() : end]
        is_one = _HAS_INTERFACE.match(body, body.find(" implements ")) or _UP.search(body)
        if not is_one:
            continue
        named = _own_name(body)
        line = code.count("\n", 0, match.start()) + 1
        yield _Class(named or match[1] or match[2], file, line, goes_down=bool(_DOWN.search(body)))


def _own_name(body: str) -> str | None:
    """What a class says that its instances are called; a variable of the same name in a method is none."""
    shape = _STRING.sub(lambda found: "s" * len(found[0]), body)
    for found in _NAME.finditer(body):
        before = shape[: found.end() - len(found[3]) - 2]
        if found[1] or before.count("{") - before.count("}") == 1:
            return found[3]
    return None


def _as_migration(each: _Class) -> Migration:
    words = each.name[:-_TIMESTAMP_DIGITS] or each.name
    return Migration(
        version=each.name,
        name=re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", words).lower(),
        up=each.file,
        down=each.file if each.goes_down else None,
        foreign=f"a {'TypeScript' if each.file.suffix.endswith('ts') else 'JavaScript'} class",
    )


def _timestamp(name: str) -> int:
    """The number in the last 13 characters; -1 where there is none, which only a history may have."""
    match = _NUMBER.match(name[-_TIMESTAMP_DIGITS:])
    return int(match[1]) if match else -1


def _no_timestamp(each: _Class) -> SourceError:
    return SourceError(
        f"the class {each.name} has no timestamp at the end of its name",
        code="bad-version",
        where=Where(str(each.file), each.line),
        why="TypeORM orders migrations by the last 13 characters of their names, and refuses to start here.",
        fix="Name it like CreateUsers1700000000000, or give it such a `name`.",
    )


def _duplicate(first: _Class, second: _Class) -> SourceError:
    return SourceError(
        f"two classes are called {second.name}: in {first.file.name} and {second.file.name}",
        code="duplicate-migration",
        where=Where(str(second.file), second.line),
        why="TypeORM knows migrations by their names, and refuses to start here.",
        fix="Rename one of them, or delete the copy.",
    )


def _ignored(path: Path) -> Finding:
    return Finding(
        code="ignored-file",
        severity=Severity.WARNING,
        message="no migration class of TypeORM's found in it, ignored",
        where=Where(str(path)),
        why="It is read as text, not run: a class is found by `class NAME1700000000000` with an up(). TypeORM itself"
        " takes what the `migrations` of its data source match.",
    )


def _count(table: HistoryTable, name: str, expected: int) -> Query:
    """Divide by zero unless there are so many rows of this name."""
    return Query(
        f"SELECT 1 / (CASE WHEN count(*) = {expected} THEN 1 ELSE 0 END) FROM {table.sql}"
        ' WHERE "name" = $1::varchar',
        (name,),
    )


def _insert(table: HistoryTable, name: str) -> Query:
    return Query(
        f'INSERT INTO {table.sql} ("timestamp", "name") VALUES ($1::bigint, $2::varchar)',
        (str(_timestamp(name)), name),
    )


def _delete(table: HistoryTable, name: str) -> Query:
    return Query(f'DELETE FROM {table.sql} WHERE "name" = $1::varchar', (name,))
