"""Where the data of a rehearsal comes from: a database, or a dump of one in any of pg_dump's formats."""

from __future__ import annotations

import gzip
import re
import subprocess
import zlib
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import IO, cast

from howdah.config.database import DatabaseConfig
from howdah.config.url import parse_url
from howdah.connect.session import open_session
from howdah.errors import CommandError, ConfigError, RefusedError, UnsupportedError
from howdah.pg.programs import plain_environment
from howdah.pg.queries import load_queries
from howdah.server.installations import system_programs, wheel_programs

_QUERIES = Path(__file__).with_name("source.sql")
# Of a script: so far in it the extensions are named.
_HEAD_BYTES = 1 << 18
_GZIP = zlib.MAX_WBITS | 16
_STATED = re.compile(r"Dumped from database version:? (\d+)")
_CREATED = re.compile(r'^CREATE EXTENSION IF NOT EXISTS "?([\w-]+)"?', re.MULTILINE)
_COMPRESSED = {b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
# How much larger than its file a database is: what pg_dump compresses, and indexes, which no dump holds.
_GROWS_COMPRESSED, _GROWS_PLAIN = 8, 2


class SourceKind(Enum):
    """What the data comes from."""

    DATABASE = "database"
    ARCHIVE = "archive"  # pg_dump's custom, directory and tar formats: what pg_restore reads
    SCRIPT = "script"  # plain SQL, gzipped or not: what psql reads


@dataclass(frozen=True)
class DataSource:
    """What is known before anything is copied.

    Attributes:
        name: for people: the database without its password, or the path.
        major: the server's version.
        bytes: of the database, with its indexes; of a dump about what it will take.
        is_primary: a database that takes writes; dumps and replicas are none.
        extensions: that it has.
        roles: that things in it may name.
        settings: of a session there, which decide what statements do: `TimeZone`, `search_path`, ...
        lock_slots: `max_locks_per_transaction` there.
    """

    kind: SourceKind
    name: str
    major: int
    bytes: int
    database: DatabaseConfig | None = None
    path: Path | None = None
    is_primary: bool = False
    extensions: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    settings: dict[str, str] = field(default_factory=dict)
    lock_slots: int = 64


def find_source(text: str) -> DataSource:
    """What `--on` names: a URL, or a file or folder that pg_dump wrote; looked at, and not changed.

    Raises:
        UnsupportedError: it is a backup, or a file that is none of pg_dump's.
        ConfigError: there is no such file.
        RefusedError: the role may not read all of the database.
        ConnectError: the database cannot be reached.
    """
    if text.startswith("backup:"):
        raise UnsupportedError(
            f"{text}: howdah makes no backups yet, so it cannot rehearse on one",
            code="no-backups-yet",
            fix="Name a dump that pg_dump wrote, or the address of a replica.",
        )
    if "://" in text:
        return look_at_database(parse_url(text, origin="--on"))
    path = Path(text).expanduser()
    if not path.exists():
        raise ConfigError(
            f"--on names {text}, and there is no such file",
            code="no-such-dump",
            fix="Name a file or folder that pg_dump wrote, or the URL of a database.",
        )
    return look_at_dump(path)


def look_at_database(database: DatabaseConfig) -> DataSource:
    """What is known of a database; read-only.

    Raises:
        RefusedError: the role may not read all of it.
        ConnectError: it cannot be reached.
    """
    queries = load_queries(_QUERIES)
    with open_session(database, application_name="howdah rehearse") as connection:
        connection.execute("SET default_transaction_read_only = on")
        row = connection.execute(queries["about"]).fetchone()
        assert row is not None
        major, size, is_replica, extensions, roles, slots = row
        hidden = [name for (name,) in connection.execute(queries["unreadable"])]
        if hidden:
            raise _cannot_read(database, hidden)
        settings: dict[str, str] = dict(connection.execute(queries["settings"]).fetchall())
    return DataSource(
        SourceKind.DATABASE,
        database.target,
        major,
        size,
        database=database,
        is_primary=not is_replica,
        extensions=frozenset(extensions),
        roles=frozenset(roles),
        settings=settings,
        lock_slots=slots,
    )


def _cannot_read(database: DatabaseConfig, hidden: list[str]) -> RefusedError:
    shown = ", ".join(hidden[:5]) + (f" and {len(hidden) - 5} more" if len(hidden) > 5 else "")
    return RefusedError(
        f"the role may not read all of {database.target}: {shown}",
        code="cannot-read-source",
        why="A copy that lacks tables or rows would rehearse something else. Row security hides rows, too.",
        fix="Use a role that reads everything: its owner, or one with BYPASSRLS and GRANT pg_read_all_data TO it.",
    )


def look_at_dump(path: Path) -> DataSource:
    """What is known of a dump, by its first bytes and its table of contents.

    Raises:
        UnsupportedError: it is none, is packed in a way that nobody unpacks here, or holds several databases.
    """
    if path.is_dir():
        if not (path / "toc.dat").is_file():
            raise _no_dump(path, "a folder without a `toc.dat`")
        size = sum(file.stat().st_size for file in path.iterdir() if file.is_file())
        return _archive(path, size * _GROWS_COMPRESSED)
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    for magic, tool in _COMPRESSED.items():
        if head.startswith(magic):
            raise _no_dump(path, f"compressed by {tool}", fix=f"Unpack it with {tool} first.")
    size = path.stat().st_size
    if head.startswith(b"PGDMP") or head[:8].rstrip(b"\0") == b"toc.dat":
        return _archive(path, size * _GROWS_COMPRESSED)
    is_packed = head.startswith(b"\x1f\x8b")
    if is_packed:
        try:
            head = zlib.decompressobj(wbits=_GZIP).decompress(head, _HEAD_BYTES)
        except zlib.error as error:
            raise _no_dump(path, f"damaged: {error}") from error
        if head.startswith(b"PGDMP"):
            raise _no_dump(
                path, "an archive of pg_dump, compressed again", fix="Unpack it with gunzip first."
            )
    return _script(path, head, size * (_GROWS_COMPRESSED if is_packed else _GROWS_PLAIN))


def open_script(path: Path) -> IO[bytes]:
    """The statements of a plain dump, unpacked."""
    with path.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
    return cast("IO[bytes]", gzip.open(path)) if is_packed else path.open("rb")


def _script(path: Path, head: bytes, size: int) -> DataSource:
    text = head.decode(errors="replace")
    if "PostgreSQL database cluster dump" in text:
        raise _no_dump(
            path, "a dump of a whole server by pg_dumpall", fix="Dump the one database with pg_dump."
        )
    if "PostgreSQL database dump" not in text:
        raise _no_dump(path, "something else")
    stated = _STATED.search(text)
    return DataSource(
        SourceKind.SCRIPT,
        str(path),
        int(stated[1]) if stated else 0,
        size,
        path=path,
        extensions=frozenset(_CREATED.findall(text)),
    )


def _archive(path: Path, size: int) -> DataSource:
    contents = list_contents(path)
    stated = _STATED.search(contents)
    return DataSource(
        SourceKind.ARCHIVE,
        str(path),
        int(stated[1]) if stated else 0,
        size,
        path=path,
        extensions=frozenset(re.findall(r"^\d+; \d+ \d+ EXTENSION - (\S+)", contents, re.MULTILINE)),
    )


def list_contents(path: Path) -> str:
    """The table of contents of an archive. Raises UnsupportedError: no pg_restore here reads it."""
    return run_pg_restore(path, "--list")


def run_pg_restore(path: Path, *options: str) -> str:
    """What the newest pg_restore here writes of an archive. Raises UnsupportedError: it does not read it."""
    program = newest_program("pg_restore")
    done = subprocess.run(
        [program, *options, path], env=plain_environment(), capture_output=True, check=False
    )
    if done.returncode:
        raise _no_dump(path, done.stderr.decode(errors="replace").strip().removeprefix("pg_restore: error: "))
    return done.stdout.decode(errors="replace")


def newest_program(name: str) -> Path:
    """Where the newest program of this name is. Raises CommandError: nowhere."""
    wheel = wheel_programs()
    installed = [*system_programs(), *([wheel] if wheel else [])]
    able = [each for each in installed if each.has(name)]
    if not able:
        raise CommandError(name, -1, "it is not installed here")
    return max(able, key=lambda each: each.version).path(name)


def _no_dump(path: Path, what: str, *, fix: str | None = None) -> UnsupportedError:
    return UnsupportedError(
        f"{path} is no dump that can be restored here: {what}",
        code="not-a-dump",
        fix=fix or "Name a file or folder that pg_dump wrote, in any of its formats.",
    )
