"""Copy a database, or restore a dump, into a throwaway one: the source is only read."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from howdah.config.database import DatabaseConfig
from howdah.connect.session import open_session
from howdah.errors import RefusedError
from howdah.findings import Finding, Severity
from howdah.observe.amounts import say_bytes
from howdah.pg.queries import load_queries
from howdah.rehearse.program import Program, run_program
from howdah.rehearse.source import (
    DataSource,
    SourceKind,
    list_contents,
    newest_program,
    open_script,
    run_pg_restore,
)
from howdah.rehearse.throwaway import Throwaway
from howdah.server.pg_dump import client_address, find_pg_dumps

_QUERIES = Path(__file__).with_name("source.sql")
# The restored database, its copy, and what the largest rewrite puts beside it.
_SPACE = 2.5
_TICK_SECONDS = 0.5
# Of an archive: what reaches out of the rehearsal, or belongs to the server that it comes from.
_LEFT_OUT = re.compile(
    r"^\d+; \d+ \d+ (?:SUBSCRIPTION|USER MAPPING|ACL|DEFAULT ACL|SECURITY LABEL|COMMENT - EXTENSION"
    r"|TABLE DATA cron) "
)
_EXTENSION = re.compile(r"^\d+; \d+ \d+ EXTENSION - (\S+)")
_NAME = r'(?:"(?:[^"]|"")+"|[^\W\d]\w*)'
_ROLES = re.compile(rf"\b(?:TO|FROM|ROLE|USER) ({_NAME}(?:, {_NAME})*)")
_NAMES_ROLES = (b"ALTER ", b"CREATE POLICY", b"GRANT ", b"REVOKE ")
_NO_ROLES = {"public", "current_user", "session_user", "current_role"}
# What goes wrong without anything of the data missing: a setting of a newer server, what every database has,
# a comment on what is another's, commands of psql, which are shut out; what only a superuser makes, who disables it;
# an extension that is told as left out: what needs it fails with other words.
_HARMLESS = re.compile(
    r'unrecognized configuration parameter "(?:\w+_timeout|default_table_access_method)"'
    r'|schema "public" already exists|must be owner of extension|backslash commands are restricted'
    r"|\\restrict|\\unrestrict|COMMENT ON EXTENSION"
    r'|extension "[^"]+" (?:is not available|does not exist)|could not open extension control file'
    r"|permission denied to create event trigger|must be superuser to create FOR ALL TABLES publication"
)
_ERROR = re.compile(r"(?:pg_restore: error: |psql:<stdin>:\d+: )(.*(?:ERROR: |error: |FATAL: ).*)")


@dataclass(frozen=True, slots=True)
class Copying:
    """How far a copy is.

    Attributes:
        doing: "reading", "restoring", "analysing" or "copying".
        bytes: done; of reading, as compressed.
        total_bytes: 0: not known.
    """

    doing: str
    bytes: int
    total_bytes: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Bytes in a second, on average."""
        return self.bytes / self.seconds if self.seconds else 0.0

    @property
    def remaining_seconds(self) -> float | None:
        """How long it takes at this rate; None: not known."""
        if not (self.total_bytes and self.per_second):
            return None
        return max(self.total_bytes - self.bytes, 0) / self.per_second


@dataclass(frozen=True)
class Clone:
    """A database to restore into, on a throwaway server, and whom to tell how far it is."""

    source: DataSource
    server: Throwaway
    database: DatabaseConfig
    jobs: int = min(os.cpu_count() or 1, 4)
    on_event: Callable[[Copying], None] = lambda _: None

    def restore(self) -> tuple[Finding, ...]:
        """Put the source's structure and rows there, and analyse them; what is to be known of it.

        Raises:
            RefusedError: the disk has no room, or something of the source cannot be restored.
            CommandError: pg_dump could not read it.
        """
        with _work_directory(self.server) as work:
            check_space(self.source, work)
            self.make_roles(self.source.roles)
            self._take_settings()
            missing = self._missing_extensions()
            if self.source.kind is SourceKind.SCRIPT:
                self._restore_script()
            else:
                self._restore_archive(self._archive(work), work, missing)
        self._finish()
        return tuple(_left_out(name) for name in sorted(missing))

    def make_roles(self, names: Iterable[str]) -> None:
        """Make roles that are not there yet, on a server of ours; they cannot log in."""
        if not self.server.is_ours:
            return
        with open_session(self.server.address) as connection:
            there = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            for name in sorted(set(names) - there):
                if not name.startswith("pg_"):
                    connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))

    def _take_settings(self) -> None:
        with open_session(self.database) as connection:
            here = sql.Identifier(self.database.database)
            for name, value in self.source.settings.items():
                connection.execute("SELECT set_config(%s, %s, false)", [name, value])
                parts = sql.SQL(".").join(map(sql.Identifier, name.split(".")))
                connection.execute(sql.SQL("ALTER DATABASE {} SET {} FROM CURRENT").format(here, parts))

    def _missing_extensions(self) -> frozenset[str]:
        with open_session(self.server.address) as connection:
            offered = {name for (name,) in connection.execute("SELECT name FROM pg_available_extensions")}
        return self.source.extensions - offered

    def _archive(self, work: Path) -> Path:
        """The archive to restore: the source itself, or what pg_dump reads of the database."""
        if self.source.path is not None:
            return self.source.path
        assert self.source.database is not None
        dump = min(find_pg_dumps(self.source.major), key=lambda each: each.version.major)
        named, secrets = client_address(self.source.database)
        target = work / "dump"
        options = ["--format=directory", f"--jobs={self.jobs}", "--compress=1", "--no-owner", "--no-acl"]
        options += ["--no-tablespaces", "--no-subscriptions", "--no-security-labels"]
        # Whoever alters a table there goes first: pg_dump does not stand in that queue for long.
        options += ["--lock-wait-timeout=10s", f"--file={target}", f"--dbname={named}"]
        run_program(
            Program(dump.program, tuple(options), secrets),
            tick=self._ticker("reading", lambda: _size_of(target), total_bytes=0),
        )
        return target

    def _restore_archive(self, archive: Path, work: Path, missing: frozenset[str]) -> None:
        contents = list_contents(archive)
        if self.source.kind is SourceKind.ARCHIVE:
            policies = run_pg_restore(archive, "--section=post-data", "--file=-")
            self.make_roles(_roles_of(line.encode() for line in policies.splitlines()))
        chosen = work / "contents"
        chosen.write_text(_choose(contents, missing), encoding="utf-8")
        is_tar = "Format: TAR" in contents
        named, secrets = client_address(self.database)
        options = [f"--jobs={1 if is_tar else self.jobs}", "--no-owner", "--no-acl", "--no-tablespaces"]
        options += ["--no-subscriptions", "--no-security-labels", f"--use-list={chosen}"]
        said = run_program(
            Program(
                newest_program("pg_restore"),
                (*options, f"--dbname={named}", str(archive)),
                self._fast(secrets),
            ),
            tick=self._ticker("restoring", self._restored, total_bytes=self.source.bytes),
            may_fail=True,
        )
        self._judge(said)

    def _restore_script(self) -> None:
        assert self.source.path is not None
        named, secrets = client_address(self.database)
        options = ("--no-psqlrc", "--quiet", "--file=-", "--output=/dev/null", f"--dbname={named}")
        try:
            with open_script(self.source.path) as file:
                said = run_program(
                    Program(newest_program("psql"), options, self._fast(secrets)),
                    tick=self._ticker("restoring", self._restored, total_bytes=0),
                    may_fail=True,
                    lines=self._script_lines(file),
                )
        except (EOFError, OSError, zlib.error) as error:
            raise self._cannot_restore(f"it is damaged: {error}") from error
        self._judge(said)

    def _script_lines(self, file: Iterable[bytes]) -> Iterator[bytes]:
        """The lines of a script for a psql that takes no commands of its own from it, such as for a shell."""
        yield b"\\restrict howdah\n"
        in_rows = is_whole = False
        for line in file:
            if in_rows:
                in_rows = line.rstrip() != b"\\."
            elif line.startswith(b"COPY ") and line.rstrip().endswith(b"FROM stdin;"):
                in_rows = True
            elif line.startswith(_NAMES_ROLES):
                self.make_roles(_roles_of([line]))
            is_whole = is_whole or line.startswith(b"-- PostgreSQL database dump complete")
            yield line
        if not is_whole:
            raise self._cannot_restore("it ends in the middle")

    @staticmethod
    def _fast(secrets: dict[str, str]) -> dict[str, str]:
        return {
            **secrets,
            "PGOPTIONS": "-c maintenance_work_mem=256MB -c synchronous_commit=off -c row_security=off",
        }

    def _finish(self) -> None:
        """Disable what would reach out or act by itself, and count the rows as the planner wants them."""
        with open_session(self.database) as connection:
            connection.execute(load_queries(_QUERIES)["defuse"])
            self.on_event(Copying("analysing", 0, 0, 0.0))
            connection.execute("ANALYZE")

    def _judge(self, said: str) -> None:
        wrong = [error for error in _ERROR.findall(said) if not _HARMLESS.search(error)]
        if not wrong:
            return
        more = f" (and {len(wrong) - 3} more)" if len(wrong) > 3 else ""
        raise self._cannot_restore("; ".join(wrong[:3]) + more)

    def _cannot_restore(self, what: str) -> RefusedError:
        return RefusedError(
            f"{self.source.name} cannot be restored whole: {what}",
            code="restore-failed",
            why="A rehearsal on a part of the data would promise what was not tried. The source was only read.",
            fix="Mend what the message names; a dump that fails here fails in an emergency, too.",
        )

    def _restored(self) -> int:
        with open_session(self.server.address) as connection:
            row = connection.execute("SELECT pg_database_size(%s)", [self.database.database]).fetchone()
        return 0 if row is None else int(row[0])

    def _ticker(self, doing: str, done: Callable[[], int], *, total_bytes: int) -> Callable[[], None]:
        began = told = time.monotonic()

        def tick() -> None:
            nonlocal told
            now = time.monotonic()
            if now - told >= _TICK_SECONDS:
                told = now
                self.on_event(Copying(doing, done(), total_bytes, now - began))

        return tick


def check_space(source: DataSource, directory: Path) -> None:
    """Raises RefusedError: the disk has less room than a rehearsal may take."""
    needed, free = source.bytes * _SPACE, shutil.disk_usage(directory).free
    if needed > free:
        raise RefusedError(
            f"the rehearsal may take {say_bytes(needed)}, and {directory} has {say_bytes(free)} free",
            code="no-disk-space",
            why=f"{source.name} takes about {say_bytes(source.bytes)}; it is restored, copied and rewritten.",
            fix="Name a larger disk as HOWDAH_STATE_DIR, or rehearse on a smaller dump.",
        )


@contextmanager
def _work_directory(server: Throwaway) -> Iterator[Path]:
    """Where files of a restore are; a killed process leaves them to the sweeping of its server."""
    with tempfile.TemporaryDirectory(prefix="restore-", dir=server.directory) as name:
        yield Path(name)


def _choose(contents: str, missing: frozenset[str]) -> str:
    """The contents without what reaches out, and without extensions that nobody has here."""
    lines = contents.splitlines()
    gone = {line for line in lines if (found := _EXTENSION.match(line)) and found[1] in missing}
    return "".join(f"{line}\n" for line in lines if line not in gone and not _LEFT_OUT.match(line))


def _roles_of(lines: Iterable[bytes]) -> set[str]:
    """The roles that lines of SQL seem to name; one too many does no harm."""
    found: set[str] = set()
    for line in lines:
        if not line.startswith(_NAMES_ROLES):
            continue
        for names in _ROLES.findall(line.decode(errors="replace")):
            for name in re.findall(_NAME, names):
                plain = name[1:-1].replace('""', '"') if name.startswith('"') else name
                if plain.lower() not in _NO_ROLES and plain.islower() | name.startswith('"'):
                    found.add(plain)
    return found


def _left_out(extension: str) -> Finding:
    return Finding(
        "extension-left-out",
        f"extension {extension} is in the data and not here; it was left out",
        Severity.WARNING,
        why="What migrations do with it fails here, or was not tried.",
        fix="Install it beside the PostgreSQL that the rehearsal runs on.",
    )


def _size_of(directory: Path) -> int:
    total = 0
    for file in directory.glob("*"):
        try:
            total += file.stat().st_size
        except FileNotFoundError:
            continue
    return total
