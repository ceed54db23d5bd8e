"""Where local servers live on this machine, what is remembered about each, and the lock that guards it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from howdah.errors import ConfigError, LockTimeout
from howdah.pg.programs import Account, server_account

# sockaddr_un holds 104 bytes on BSDs, 108 on Linux, with the final zero
_LONGEST_SOCKET = 103


@dataclass(frozen=True)
class ServerRecord:
    """What is remembered about a server from run to run."""

    port: int
    bindir: str
    version: str
    password: str = field(repr=False)


def state_home(environ: Mapping[str, str] = os.environ) -> Path:
    """The directory of all local servers of this user.

    HOWDAH_STATE_DIR, else `howdah` in XDG_STATE_HOME or ~/.local/state; for root, whose home the server's
    unprivileged user cannot enter, /var/lib/howdah.
    """
    if told := environ.get("HOWDAH_STATE_DIR"):
        return Path(told).expanduser().resolve()
    if os.geteuid() == 0:
        return Path("/var/lib/howdah")
    base = environ.get("XDG_STATE_HOME", "")
    home = Path(base) if base.startswith("/") else Path("~/.local/state").expanduser()
    return (home / "howdah").resolve()


def server_directory(root: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the server of the project in a folder lives: named after the folder, distinct for each path."""
    root = root.resolve()
    checksum = hashlib.sha256(os.fsencode(root)).hexdigest()[:8]
    word = re.sub(r"[^a-z0-9]+", "-", root.name.lower()).strip("-")[:32]
    return state_home(environ) / f"{word or 'project'}-{checksum}"


def make_directory(directory: Path) -> None:
    """Make a directory that the server's user can pass through; directories that exist are left as they are.

    Raises:
        ConfigError: it cannot be made, or the server's user cannot get there.
    """
    account = server_account()
    try:
        missing = [place for place in (directory, *directory.parents) if not place.exists()]
        for place in reversed(missing):
            place.mkdir(exist_ok=True)
            place.chmod(0o711 if account else 0o700)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(13, "no permission to write", str(directory))
    except OSError as error:
        raise unusable(directory, error) from error
    if account and not account.can_enter(directory):
        raise ConfigError(
            f"user '{account.name}' cannot enter {directory}",
            code="no-state-directory",
            why=f"PostgreSQL refuses to run as root, so the server runs as '{account.name}'.",
            fix="Set HOWDAH_STATE_DIR to a directory every user may pass through, such as /var/lib/howdah.",
        )


def unusable(directory: Path, error: OSError) -> ConfigError:
    """The error for a directory of ours in which something cannot be read or written."""
    return ConfigError(
        f"cannot use {directory} for the local server: {error.strerror or error}",
        code="no-state-directory",
        fix="Set HOWDAH_STATE_DIR to a directory that you can write.",
    )


def give(path: Path, account: Account | None) -> None:
    """Hand a file or directory of ours to the user the server runs as."""
    if account:
        os.chown(path, account.uid, account.gid)


def read_record(directory: Path) -> ServerRecord | None:
    """What is remembered about the server in a directory; None where nothing usable is."""
    try:
        record = ServerRecord(**read_private(directory / "server.json"))
    except TypeError:
        return None
    texts = (record.bindir, record.version, record.password)
    is_usable = all(isinstance(text, str) for text in texts) and type(record.port) is int
    return record if is_usable and 0 <= record.port < 65536 else None


def write_record(directory: Path, record: ServerRecord) -> None:
    """Remember what the next run needs."""
    write_private(directory / "server.json", asdict(record))


def read_private(file: Path) -> dict[str, Any]:
    """What `write_private` wrote; empty where nothing usable is."""
    try:
        stated = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stated if isinstance(stated, dict) else {}


def write_private(file: Path, values: Mapping[str, Any]) -> None:
    """Write a file that only we can read; a reader sees the old one or the new one, never half of it.

    Raises:
        ConfigError: it cannot be written, as on a full disk.
    """
    half = ""
    try:
        handle, half = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}-")
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            json.dump(values, opened, indent=2)
        Path(half).replace(file)
    except OSError as error:
        if half:
            Path(half).unlink(missing_ok=True)
        raise unusable(file.parent, error) from error


def socket_directory(directory: Path) -> Path:
    """The directory of the server's socket: beside its data, or in /tmp where libpq could not use that path.

    It would be too long, or hold a comma, which separates hosts.
    """
    beside = directory / "socket"
    if len(os.fsencode(beside / ".s.PGSQL.65535")) <= _LONGEST_SOCKET and "," not in str(beside):
        return beside
    return Path("/tmp") / f"howdah-{os.geteuid()}-{hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]}"  # noqa: S108


@contextlib.contextmanager
def locked(file: Path, *, limit_seconds: float = 60.0) -> Iterator[None]:
    """Hold a lock file against other processes and threads; it is released by any death of ours.

    The directory of the file is made, and made again where the one who had the lock removed it.

    Raises:
        LockTimeout: another process holds it for longer than that.
        ConfigError: the lock file is somebody else's, or the directory cannot be used.
    """
    deadline = time.monotonic() + limit_seconds
    while (handle := _try_lock(file)) is None:
        if time.monotonic() > deadline:
            raise LockTimeout(
                f"another howdah works on this local server for more than {limit_seconds:.0f} s",
                fix=f"Look for it with `fuser {file}`.",
            )
        time.sleep(0.02)
    with handle:
        yield


def _try_lock(file: Path) -> TextIO | None:
    """The lock file, held; None where another has it, or where it was removed meanwhile."""
    make_directory(file.parent)
    try:
        handle = file.open("a", encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(file.parent, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle.fileno()), file.stat()):
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    handle.close()
    return None
