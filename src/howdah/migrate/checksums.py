"""What a migration file holds, and two checksums of it: of its bytes, and of what its statements say."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from howdah.errors import ScriptError, SourceError
from howdah.migrate.formats.interface import Body, Files
from howdah.migrate.migration import Direction


@dataclass(frozen=True)
class Content:
    """A file as it was read; `text` is None where it is no UTF-8. `is_foreign`: it is no SQL."""

    text: str | None
    size_bytes: int
    checksum: bytes
    is_foreign: bool = False

    @classmethod
    def of(cls, raw: bytes, *, is_foreign: bool = False) -> Content:
        """The content of these bytes."""
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = None
        return cls(text, len(raw), hashlib.sha256(raw).digest(), is_foreign)

    @cached_property
    def normal_checksum(self) -> bytes | None:
        """SHA-256 of the normal form, in which comments and white space do not count; None for no script.

        Made when asked for: it takes as long as splitting the script.
        """
        if self.is_foreign and self.text is not None:
            return hashlib.sha256(self.text.replace("\r\n", "\n").encode()).digest()
        # The lexer takes long to load, and most runs find every file unchanged.
        from howdah.pg.normal_form import normal_form

        try:
            return None if self.text is None else hashlib.sha256(normal_form(self.text).encode()).digest()
        except ScriptError:
            return None


def read_content(files: Files, path: Path, direction: Direction = Direction.UP) -> Content:
    """What a file says of one direction: all of it, or, where both stand in one file, its section. Raises OSError."""
    raw = path.read_bytes()
    try:
        text = raw.decode()
        return content_of(raw, text, files.read_body(path, text, direction))
    except (UnicodeDecodeError, SourceError):
        return Content.of(raw)


def content_of(raw: bytes, text: str, body: Body) -> Content:
    """The content of a body: the whole file also where values, perhaps secret ones, were put into its section."""
    whole = body.text is text or body.is_filled
    return Content.of(raw if whole else body.text.encode(), is_foreign=body.is_foreign)
