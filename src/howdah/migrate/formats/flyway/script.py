"""What Flyway does with a script before it runs it: the settings beside it, the placeholders in it.

Sources: flyway/flyway SqlScriptMetadata.java, PlaceholderReplacingReader.java, ParsingContext.java.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from howdah.errors import SourceError, Where

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\r|\n")
# Flyway reads two characters at a dollar sign and gives both back unless they are ${: so $${a} is left alone.
_PLACEHOLDER = re.compile(r"\$\{(.*?)(\}|\Z)|\$[^{]", re.DOTALL)
_KEYS = ("executeInTransaction", "placeholderReplacement", "encoding", "shouldExecute")


def checksum_of(raw: bytes) -> str:
    """CRC-32 of the lines without their ends, signed, as Flyway's ChecksumCalculator makes it."""
    value = zlib.crc32(_LINE_END.sub(b"", raw.removeprefix(_BYTE_ORDER_MARK)))
    return str(value - 2**32 if value >> 31 else value)


@dataclass(frozen=True)
class ScriptSettings:
    """What NAME.sql.conf beside NAME.sql says; None: nothing of it."""

    executes_in_transaction: bool | None = None
    replaces_placeholders: bool | None = None
    encoding: str | None = None
    should_execute: str | None = None


def read_settings(script: Path) -> ScriptSettings:
    """The settings beside a script, empty ones where there is no such file.

    Raises:
        SourceError: a key or value that Flyway refuses, or one whose effect howdah does not have.
    """
    path = settings_path(script)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ScriptSettings()
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        key, _, value = (part.strip() for part in line.partition("="))
        if not key or key.startswith("#"):
            continue
        if key not in _KEYS:
            raise _bad_setting(path, number, f"there is no setting '{key}' of a script")
        if key == "encoding" and value.lower() not in ("utf-8", "utf8"):
            raise SourceError(
                f"the script is written in {value}",
                code="unsupported-setting",
                where=Where(str(path), number),
                why="howdah reads UTF-8 only.",
                fix="Save the script as UTF-8: Flyway's checksum of it stays the same.",
            )
        found[key] = value
    return ScriptSettings(
        executes_in_transaction=_boolean(path, found, "executeInTransaction"),
        replaces_placeholders=_boolean(path, found, "placeholderReplacement"),
        encoding=found.get("encoding"),
        should_execute=found.get("shouldExecute"),
    )


def settings_path(script: Path) -> Path:
    """Where the settings of a script stand."""
    return script.with_name(script.name + ".conf")


def _boolean(path: Path, found: Mapping[str, str], key: str) -> bool | None:
    value = found.get(key)
    if value in (None, "true", "false"):
        return None if value is None else value == "true"
    raise _bad_setting(path, None, f"{key} is '{value}', neither true nor false")


def _bad_setting(path: Path, line: int | None, message: str) -> SourceError:
    return SourceError(
        message, code="bad-script-settings", where=Where(str(path), line), why="Flyway stops at it."
    )


def replace_placeholders(text: str, path: Path, values: Mapping[str, str]) -> str:
    """The text with each ${name} replaced, in comments and literals too, in whatever case the name is written.

    Raises:
        SourceError: one has no value.
    """
    if "${" not in text:
        return text
    known = {name.lower(): value for name, value in values.items()} | {"flyway:filename": path.name}

    def replaced(found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return found[0]
        if not found[2] or name.lower() not in known:
            raise _no_value(path, text[: found.start()].count("\n") + 1, name)
        return known[name.lower()]

    return _PLACEHOLDER.sub(replaced, text)


def _no_value(path: Path, line: int, name: str) -> SourceError:
    shown = name.split("\n", 1)[0]
    return SourceError(
        f"there is no value for ${{{shown}}}",
        code="no-placeholder-value",
        where=Where(str(path), line),
        why="Flyway puts values in for such names before it reads the SQL, in comments and literals too.",
        fix="List it under `variables` in howdah.toml, and set what its value takes from the environment; or write"
        f" placeholderReplacement=false into {settings_path(path).name}, where it is meant as it is written.",
    )
