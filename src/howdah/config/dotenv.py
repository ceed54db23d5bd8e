r"""`.env` files: text to names and values. Nothing is ever run.

* `NAME=value`, `export NAME=value`, blank lines, `# comment`; a name alone is passed over, as Compose does.
* Unquoted: up to the end of the line, blanks at both ends cut, a comment begins at a `#` after a blank.
* `'single quotes'`: as it stands, over several lines if need be; `\'` is a quote.
* `"double quotes"`: over several lines if need be; `\n \r \t \" \\ \$` mean what they do elsewhere.
* `${NAME}` and `${NAME:-default}` are replaced outside single quotes, from the environment first, then from
  the lines above. `$NAME` and `$(command)` are left as they stand: a `$` in a password needs no care.
* Quoted parts that touch are one value, as in a shell: `'it'"'"'s'`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from howdah.config.references import REFERENCE
from howdah.errors import ConfigError, Where

_ENTRY = re.compile(
    r"""
    [ \t]*(?:export[ \t]+)?
    (?P<name>[A-Za-z_][\w.-]*)[ \t]*
    (?:=[ \t]*(?:
        (?P<quoted>(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")+)[ \t]*(?:\#[^\n]*)?
      | (?P<bare>(?!["'])[^\n]*)
    ))?
    (?:\n|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
_PART = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""", re.DOTALL)
_EMPTY = re.compile(r"[ \t]*(?:\#[^\n]*)?(?:\n|\Z)")
_COMMENT = re.compile(r"(?:^|[ \t]+)\#.*")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


def read_env_file(path: Path, *, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of a file; none where there is no file.

    Raises:
        ConfigError: the file cannot be read or has a line that is no entry; values are never shown.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"cannot read it: {reason}", code="bad-env-file", where=Where(str(path))) from None
    return parse_env(text, environ=environ, file=str(path))


def parse_env(text: str, *, environ: Mapping[str, str], file: str = ".env") -> dict[str, str]:
    """The variables of a text in the form of a `.env` file; a later line wins over an earlier one."""
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    variables: dict[str, str] = {}
    position = 0
    while position < len(text):
        empty = _EMPTY.match(text, position)
        entry = None if empty else _ENTRY.match(text, position)
        if empty:
            position = empty.end()
        elif entry:
            value = _value(entry, {**variables, **environ})
            if value is not None:
                variables[entry["name"]] = value
            position = entry.end()
        else:
            raise ConfigError(
                "this line is not NAME=value",
                code="bad-env-file",
                where=Where(file, text.count("\n", 0, position) + 1),
                why="A quote may be open, or the name has a character that no variable has.",
                fix="Write NAME='value'; put a value that has quotes in it into the other kind of quotes.",
            )
    return variables


def _value(entry: re.Match[str], known: Mapping[str, str]) -> str | None:
    if entry["quoted"] is not None:
        return "".join(_unquote(part, known) for part in _PART.finditer(entry["quoted"]))
    if entry["bare"] is not None:
        return _expand(_COMMENT.sub("", entry["bare"]).strip(), known)
    return None


def _unquote(part: re.Match[str], known: Mapping[str, str]) -> str:
    single, double = part.groups()
    return _expand_quoted(double, known) if single is None else single.replace("\\'", "'")


def _expand(text: str, known: Mapping[str, str]) -> str:
    return REFERENCE.sub(lambda found: known.get(found[1]) or found[2] or "", text)


def _expand_quoted(text: str, known: Mapping[str, str]) -> str:
    r"""Escapes and references in one pass, so that `\$` protects what follows it."""
    return re.sub(
        rf"\\(.)|{REFERENCE.pattern}",
        lambda found: _ESCAPES.get(found[1], found[0]) if found[1] else known.get(found[2]) or found[3] or "",
        text,
        flags=re.DOTALL,
    )
