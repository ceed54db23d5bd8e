"""What a migration file holds, and two checksums of it: of its bytes, and of what its statements say."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from howdah.errors import ScriptError, SourceError
from howdah.migrate.formats.interface import Files
from howdah.migrate.migration import Direction


@dataclass(frozen=True)
class Content:
    """A file as it was read; `text` is None where it is no UTF-8."""

    text: str | None
    size_bytes: int
    checksum: bytes

    @classmethod
    def of(cls, raw: bytes) -> Content:
        """The content of these bytes."""
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = None
        return cls(text, len(raw), hashlib.sha256(raw).digest())

    @cached_property
    def normal_checksum(self) -> bytes | None:
        """SHA-256 of the normal form, in which comments and white space do not count; None for no script.

        Made when asked for: it takes as long as splitting the script.
        """
        # The lexer takes long to load, and most runs find every file unchanged.
        from howdah.pg.normal_form import normal_form

        try:
            return None if self.text is None else hashlib.sha256(normal_form(self.text).encode()).digest()
        except ScriptError:
            return None


def read_content(files: Files, path: Path, direction: Direction = Direction.UP) -> Content:
    """What a file says of one direction: all of it, or, where both stand in one file, its section. Raises OSError."""
    content = Content.of(path.read_bytes())
    if content.text is None:
        return content
    try:
        section = files.read_body(path, content.text, direction).text
    except SourceError:
        return content
    return content if section is content.text else Content.of(section.encode())
