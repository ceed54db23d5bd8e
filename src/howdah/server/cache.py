"""Keep a new data directory, and copy it where another like it is wanted: that takes a tenth of the time of initdb.

Only for servers that are thrown away: the copies of one are the same system, with the same password.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

from howdah.pg.programs import Programs
from howdah.server.initialise import SETTINGS, initialise
from howdah.server.state import make_directory, read_private, write_private

_log = logging.getLogger(__name__)
_RECORD = "password.json"


def initialise_by_copy(data: Path, programs: Programs, *, superuser: str, cache: Path) -> str:
    """Make a data directory like initialise(), from the one that is kept in `cache`; the superuser's password.

    What is kept is never changed: several processes may use it at once. Another version, or an installation that has
    changed, has its own.

    Raises:
        CommandError: initdb failed.
    """
    kept = cache / f"data-{_key(programs, superuser)}"
    try:
        password = _password(kept) or _keep(kept, programs, superuser)
        _copy(kept / "data", data)
    except (OSError, subprocess.SubprocessError) as error:
        _log.debug("the kept data directory cannot be used: %s", error)
        shutil.rmtree(data, ignore_errors=True)
        password = secrets.token_urlsafe(18)
        initialise(data, programs, superuser=superuser, password=password)
    return password


def _key(programs: Programs, superuser: str) -> str:
    """Whatever decides what initdb makes."""
    found = programs.path("postgres").stat()
    parts = (
        programs.bindir.resolve(),
        programs.version,
        found.st_mtime_ns,
        found.st_size,
        os.geteuid(),
        superuser,
    )
    text = "\0".join(map(str, (*parts, SETTINGS)))
    return f"{programs.version.major}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _password(kept: Path) -> str | None:
    password = read_private(kept / _RECORD).get("password")
    return password if isinstance(password, str) else None


def _keep(kept: Path, programs: Programs, superuser: str) -> str:
    """Make what is to be kept: whole, or not at all."""
    make_directory(kept.parent)
    workplace = Path(tempfile.mkdtemp(prefix=f"{kept.name}.new-", dir=kept.parent))
    workplace.chmod(0o711)
    password = secrets.token_urlsafe(18)
    try:
        initialise(workplace / "data", programs, superuser=superuser, password=password)
        write_private(workplace / _RECORD, {"password": password})
        try:
            workplace.rename(kept)
        except OSError:
            # Another process was first.
            return _password(kept) or _unusable(kept)
        return password
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def _unusable(kept: Path) -> str:
    raise OSError(f"{kept} has no password")


def _copy(source: Path, target: Path) -> None:
    """Copy a tree with its owners and modes, complete or not at all."""
    half = Path(tempfile.mkdtemp(prefix=f"{target.name}.new-", dir=target.parent))
    try:
        # With GNU's and the BSDs' alike; where the file system can, blocks are shared until they are written to.
        subprocess.run(["cp", "-a", source, half / "data"], check=True, capture_output=True)
        (half / "data").rename(target)
    finally:
        shutil.rmtree(half, ignore_errors=True)
