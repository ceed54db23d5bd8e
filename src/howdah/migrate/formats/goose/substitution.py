"""The variables of lines between ENVSUB ON and ENVSUB OFF, as mfridman/interpolate parser.go and interpolate.go do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import NoReturn

from howdah.errors import SourceError
from howdah.migrate.formats.goose.space import SPACE

# What is not used is not asked for: `${A:-${B?missing}}` fails only where A is empty.
_Part = Callable[[], str]
_INTEGER = re.compile(r"[+-]?[0-9]{1,99}")
_INT64 = range(-(2**63), 2**63)
_REPLACEMENT = "\ufffd"  # their scanner takes it for bytes that are no UTF-8, and stops


def substitute(line: str, variables: Mapping[str, str]) -> str:
    r"""The line with the values in it.

    `$A`, `${A}`; `${A:-b}`: b where A is empty; `${A-b}`: b where it is not set; `${A?b}`: it must be set; `${A:1:2}`:
    two bytes of it, from the second on. `$$` and `\$` are a dollar sign.

    Raises:
        SourceError: it cannot be read, or a variable that it requires is not set. Who knows the place sets `where`.
    """
    parser = _Parser(line, variables)
    expanded = _join(parser.expression(stop=""))
    if "\n" in expanded:
        _fail("a variable's value has a line break")
    try:
        expanded.encode()
    except UnicodeEncodeError:
        _fail("a variable's value is not UTF-8")
    return expanded


def _join(parts: list[_Part]) -> str:
    return "".join(part() for part in parts)


def _fail(message: str) -> NoReturn:
    raise SourceError(
        f"variables cannot be put in: {message}",
        code="substitution-failed",
        why="Between ENVSUB ON and ENVSUB OFF, goose replaces what follows a dollar sign, in dollar quotes too.",
        fix="List the variable under `variables` in howdah.toml, or write `$$` for a dollar sign.",
    )


class _Parser:
    """A recursive descent over one line."""

    def __init__(self, line: str, variables: Mapping[str, str]) -> None:
        self._line = line
        self._variables = variables
        self._position = 0

    def expression(self, *, stop: str) -> list[_Part]:
        """Text and expansions up to a character `stop`, or to the end."""
        parts: list[_Part] = []
        line = self._line
        while (character := self._peek()) and character != stop:
            start = self._position
            if line.startswith("\\\\", start):
                parts.append(self._take("\\\\"))
            elif line.startswith(("\\$", "$$"), start):
                parts.append(self._take("$$", as_text="$"))
            elif line.startswith("$(", start):
                parts.append(self._take("$("))
            elif character == "$" and start < len(line) - 1:
                parts.append(self._expansion())
            else:
                self._position += 1
                parts.append(_text(character + self._until("$\\" + stop)))
        return parts

    def _expansion(self) -> _Part:
        self._position += 1
        if self._peek() != "{":
            name = self._name()
            return lambda: self._value(name)
        self._position += 1
        name = self._name()
        if self._peek() == "}":
            part: _Part = lambda: self._value(name)  # noqa: E731 - one of several
        else:
            part = self._operation(name)
        if self._next() != "}":
            _fail(f"${{{name} is not closed")
        return part

    def _operation(self, name: str) -> _Part:
        operator = self._next()
        if operator == ":" and self._peek() == "-":
            self._position += 1
            content = self.expression(stop="}")
            return lambda: self._variables.get(name) or _join(content)
        if operator == ":":
            return self._substring(name)
        if operator not in {"-", "?"}:
            _fail(f"${{{name} is followed by {operator or 'nothing'}")
        content = self.expression(stop="}")
        if operator == "-":
            return lambda: self._variables[name] if name in self._variables else _join(content)
        return lambda: self._variables[name] if name in self._variables else _missing(name, _join(content))

    def _value(self, name: str) -> str:
        """Of what is not set goose puts in nothing; here that may as well be a variable that nobody listed."""
        return self._variables[name] if name in self._variables else _missing(name, "")

    def _substring(self, name: str) -> _Part:
        offset = _integer(self._until(":}"))
        length = None
        if self._peek() != "}":
            self._position += 1
            length = _integer(self._until("}"))
        return lambda: _slice(self._value(name), offset, length)

    def _name(self) -> str:
        if not _is_in(self._peek(), "L"):
            _fail(f"a name begins with a letter, not with '{self._peek()}'")
        start = self._position
        while self._peek() == "_" or _is_in(self._peek(), "LN"):
            self._position += 1
        return self._line[start : self._position]

    def _until(self, stops: str) -> str:
        start = self._position
        while (character := self._peek()) and character not in stops and character != _REPLACEMENT:
            self._position += 1
        return self._line[start : self._position]

    def _take(self, text: str, as_text: str | None = None) -> _Part:
        self._position += len(text)
        return _text(text if as_text is None else as_text)

    def _peek(self) -> str:
        return self._line[self._position : self._position + 1]

    def _next(self) -> str:
        character = self._peek()
        self._position += 1
        return character


def _text(text: str) -> _Part:
    return lambda: text


def _missing(name: str, message: str) -> NoReturn:
    _fail(f"${name}: {message or 'not set'}")


def _is_in(character: str, categories: str) -> bool:
    return bool(character) and unicodedata.category(character)[0] in categories


def _integer(text: str) -> int:
    number = text.strip(SPACE)
    if _INTEGER.fullmatch(number) is None or int(number) not in _INT64:
        _fail(f"'{number}' is not a number")
    return int(number)


def _slice(value: str, offset: int, length: int | None) -> str:
    """Of the value's bytes, as Go counts; a negative offset or length counts from the end."""
    raw = value.encode(errors="surrogateescape")
    first = min(max(offset + len(raw) if offset < 0 else offset, 0), len(raw))
    if length is None:
        last = len(raw)
    else:
        last = min(first + length if length >= 0 else max(len(raw) + length, first), len(raw))
    return raw[first:last].decode(errors="surrogateescape")
