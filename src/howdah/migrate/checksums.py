"""Two checksums of a migration file: of its bytes, and of what its statements say."""

from __future__ import annotations

import hashlib

from howdah.errors import ScriptError


def checksum_of(raw: bytes) -> bytes:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(raw).digest()


def normal_checksum_of(raw: bytes) -> bytes | None:
    """SHA-256 of a script's normal form, in which comments and white space do not count; None for no script."""
    # The lexer takes long to load, and most runs find every file unchanged.
    from howdah.pg.normal_form import normal_form

    try:
        return hashlib.sha256(normal_form(raw.decode()).encode()).digest()
    except (UnicodeDecodeError, ScriptError):
        return None
