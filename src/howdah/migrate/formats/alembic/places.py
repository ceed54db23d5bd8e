"""Where an Alembic environment keeps its parts, read from its configuration without running any of it.

Sources: sqlalchemy/alembic config.py (options, separators), script/base.py (folders).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from configparser import ConfigParser, InterpolationError
from configparser import Error as ConfigParserError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from howdah.errors import SourceError, Where
from howdah.migrate.formats.files import no_directory

_INI, _TOML, _ENV, _SECTION = "alembic.ini", "pyproject.toml", "env.py", "alembic"
# How far above the folder that was named the configuration is looked for.
_LEVELS = 4
_SEPARATORS = {"os": os.pathsep, "space": " ", "newline": "\n", ":": ":", ";": ";"}
# What separates without `path_separator`: of folders of revisions, and of folders to import from.
_OLD_SEPARATOR = re.compile(r", *|(?: +)")
_OLD_PATH_SEPARATOR = re.compile(r", *|(?: +)|:")


@dataclass(frozen=True)
class Places:
    """The parts of an environment.

    Attributes:
        home: where people run `alembic`: relative paths count from here.
        script: the folder with env.py and script.py.mako; None: there is none, the revisions stand alone.
        versions: the folders with revisions.
        ini, toml: the files of the configuration; None: there is none.
        imports: folders that env.py imports from (`prepend_sys_path`).
        recursive: folders below those of the revisions count.
        sourceless: compiled revisions count.
    """

    home: Path
    script: Path | None
    versions: tuple[Path, ...]
    ini: Path | None = None
    toml: Path | None = None
    imports: tuple[Path, ...] = ()
    recursive: bool = False
    sourceless: bool = False


def find_places(directory: Path) -> Places:
    """The environment of a folder: the one with alembic.ini, the one with env.py, or one with revisions.

    Raises:
        SourceError: there is no such folder; its configuration cannot be read.
    """
    if not directory.is_dir():
        raise no_directory(directory)
    directory = directory.absolute()
    own = _configured(directory)
    if own is not None:
        return own
    for folder in list(directory.parents)[:_LEVELS]:
        found = _configured(folder)
        if found is not None and _is_part(directory, found):
            return found
    if (directory / _ENV).is_file():
        return Places(directory.parent, directory, (directory / "versions",), imports=(directory.parent,))
    if (directory.parent / _ENV).is_file():
        home = directory.parent.parent
        return Places(home, directory.parent, (directory,), imports=(home,))
    return Places(directory, None, (directory,))


def _is_part(directory: Path, places: Places) -> bool:
    real = directory.resolve()
    return any(each is not None and each.resolve() == real for each in (places.script, *places.versions))


def _configured(home: Path) -> Places | None:
    """What the configuration in a folder says; None: there is none of Alembic's."""
    ini, toml = home / _INI, home / _TOML
    said = [*_read_toml(toml), *_read_ini(ini)]
    options: dict[str, Any] = {}
    for _, each in said:
        options |= each
    location = options.get("script_location")
    if not isinstance(location, str):
        return None
    files = [file for file, _ in said]
    separator = _separator(options, "path_separator")
    imports = _folders(options.get("prepend_sys_path"), separator or _OLD_PATH_SEPARATOR, home)
    script = _script_folder(location, home, imports, files[-1])
    return Places(
        home=home,
        script=script,
        versions=_folders(
            options.get("version_locations"),
            separator or _separator(options, "version_path_separator") or _OLD_SEPARATOR,
            home,
        )
        or (script / "versions",),
        ini=ini if ini in files else None,
        toml=toml if toml in files else None,
        imports=imports,
        recursive=_is_on(options.get("recursive_version_locations")),
        sourceless=_is_on(options.get("sourceless")),
    )


def _read_ini(file: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    if not file.is_file():
        return
    parser = ConfigParser({"here": file.parent.as_posix()})
    try:
        parser.read_string(file.read_text(encoding="utf-8"), source=str(file))
    except (ConfigParserError, UnicodeDecodeError) as error:
        raise _unreadable(file, str(error)) from None
    if not parser.has_section(_SECTION):
        return
    options = {}
    for name in parser.options(_SECTION):
        try:
            options[name] = parser.get(_SECTION, name)
        except InterpolationError:
            continue  # an address with a % in it, say: env.py's business
    yield file, options


def _read_toml(file: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    if not file.is_file() or b"alembic" not in (raw := file.read_bytes()):
        return
    import tomllib

    try:
        content = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _unreadable(file, str(error)) from None
    table = content.get("tool", {}).get("alembic")
    if isinstance(table, dict):
        yield file, {key: _with_here(value, file.parent.as_posix()) for key, value in table.items()}


def _with_here(value: Any, here: str) -> Any:
    if isinstance(value, list):
        return [_with_here(each, here) for each in value]
    return value.replace("%(here)s", here) if isinstance(value, str) else value


def _separator(options: Mapping[str, Any], name: str) -> str | None:
    return _SEPARATORS.get(str(options.get(name, "")).strip())


def _folders(value: Any, separator: str | re.Pattern[str], home: Path) -> tuple[Path, ...]:
    if not value:
        return ()
    if isinstance(value, str):
        parts: Sequence[str] = (
            value.split(separator) if isinstance(separator, str) else separator.split(value)
        )
    else:
        parts = [str(each) for each in value]
    return tuple(_resolve(each.strip(), home, ()) or home / each.strip() for each in parts if each.strip())


def _script_folder(location: str, home: Path, imports: Sequence[Path], file: Path) -> Path:
    found = _resolve(location, home, imports)
    if found is None:
        raise SourceError(
            f"script_location names the package '{location.partition(':')[0]}', which is not to be found",
            code="bad-alembic-configuration",
            where=Where(str(file)),
            why=f"It was looked for in {', '.join(map(str, (*imports, home)))}.",
            fix="Write the folder itself: script_location = %(here)s/path/to/migrations.",
        )
    return found


def _resolve(location: str, home: Path, imports: Sequence[Path]) -> Path | None:
    """A folder, or `package:folder` in the first place that has it (None: no place has)."""
    package, colon, rest = location.partition(":")
    if not colon or Path(location).is_absolute():
        return Path(os.path.normpath(home / location))
    inside = Path(*package.split("."), *rest.split(":"))
    return next((base / inside for base in (*imports, home) if (base / inside).is_dir()), None)


def _is_on(value: Any) -> bool:
    return str(value).strip().lower() in {"true", "yes", "on", "y", "t", "1"}


def _unreadable(file: Path, reason: str) -> SourceError:
    return SourceError(
        f"Alembic's configuration cannot be read: {' '.join(reason.split())}",
        code="bad-alembic-configuration",
        where=Where(str(file)),
    )
