"""What a TOML file may say, as data: one description checks the file and gives its JSON schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from howdah.config.keywords import near_name

Path = tuple[str | int, ...]

# The shapes are made on every start with a file: without eq and repr, which nobody asks of them, in half the time.


@dataclass(frozen=True)
class Problem:
    """What is wrong at a place of the file. Texts are not shown: one may be a misplaced password."""

    path: Path
    message: str
    fix: str | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Text:
    """A string, perhaps one that matches a pattern; `meaning` says in words what the pattern wants."""

    help: str
    pattern: str | None = None
    meaning: str = "a text"

    def problems(self, value: Any, path: Path) -> Iterator[Problem]:
        """What is wrong with the value."""
        if not isinstance(value, str) or (self.pattern and not re.search(self.pattern, value)):
            yield Problem(path, f"expected {self.meaning}, found {_kind(value, self.meaning)}")

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the value."""
        pattern = {"pattern": self.pattern} if self.pattern else {}
        return {"type": "string", "description": self.help, **pattern}


@dataclass(frozen=True, eq=False, repr=False)
class Flag:
    """true or false."""

    help: str

    def problems(self, value: Any, path: Path) -> Iterator[Problem]:
        """What is wrong with the value."""
        if not isinstance(value, bool):
            yield Problem(path, f"expected true or false, found {_kind(value)}")

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the value."""
        return {"type": "boolean", "description": self.help}


@dataclass(frozen=True, eq=False, repr=False)
class Integer:
    """A whole number within bounds."""

    help: str
    minimum: int
    maximum: int

    def problems(self, value: Any, path: Path) -> Iterator[Problem]:
        """What is wrong with the value."""
        if isinstance(value, bool) or not isinstance(value, int):
            yield Problem(path, f"expected a whole number, found {_kind(value)}")
        elif not self.minimum <= value <= self.maximum:
            yield Problem(path, f"expected a number from {self.minimum} to {self.maximum}, found {value}")

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the value."""
        return {
            "type": "integer",
            "description": self.help,
            "minimum": self.minimum,
            "maximum": self.maximum,
        }


@dataclass(frozen=True, eq=False, repr=False)
class Scalar:
    """A string, number, true or false: a server setting as postgresql.conf would have it."""

    help: str

    def problems(self, value: Any, path: Path) -> Iterator[Problem]:
        """What is wrong with the value."""
        if not isinstance(value, str | int | float):
            yield Problem(path, f"expected a text, a number, true or false, found {_kind(value)}")

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the value."""
        return {"type": ["string", "number", "boolean"], "description": self.help}


@dataclass(frozen=True, eq=False, repr=False)
class ListOf:
    """An array whose items have one shape."""

    item: Shape
    help: str

    def problems(self, value: Any, path: Path) -> Iterator[Problem]:
        """What is wrong with the value."""
        if not isinstance(value, list):
            yield Problem(path, f"expected a list, found {_kind(value)}")
            return
        for index, item in enumerate(value):
            yield from self.item.problems(item, (*path, index))

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the value."""
        return {"type": "array", "description": self.help, "items": self.item.schema()}


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """A table with known keys. `hints` answers keys that people expect and that are not there."""

    keys: Mapping[str, Shape]
    help: str
    required: tuple[str, ...] = ()
    hints: Mapping[str, str] = field(default_factory=dict)

    def problems(self, value: Any, path: Path) -> Iterator[Problem]:
        """What is wrong with the value."""
        if not isinstance(value, dict):
            yield Problem(path, f"expected a table, found {_kind(value)}")
            return
        for key, item in value.items():
            if key in self.keys:
                yield from self.keys[key].problems(item, (*path, key))
            else:
                near = near_name(key, self.keys)
                known = f"Known here: {', '.join(self.keys)}."
                fix = self.hints.get(key) or (f"Did you mean '{near}'?" if near else known)
                yield Problem((*path, key), f"there is no key '{key}'", fix)
        for key in self.required:
            if key not in value:
                yield Problem(path, f"the key '{key}' is missing")

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the value."""
        required = {"required": list(self.required)} if self.required else {}
        return {
            "type": "object",
            "description": self.help,
            "properties": {key: shape.schema() for key, shape in self.keys.items()},
            "additionalProperties": False,
            **required,
        }


@dataclass(frozen=True, eq=False, repr=False)
class TableOf:
    """A table whose keys the user names, with values of one shape; `usage` is said when one is no table."""

    value: Shape
    help: str
    usage: str | None = None

    def problems(self, value: Any, path: Path) -> Iterator[Problem]:
        """What is wrong with the value."""
        if not isinstance(value, dict):
            yield Problem(path, f"expected a table, found {_kind(value)}", self.usage)
            return
        for key, item in value.items():
            if not key:
                yield Problem(path, "a name is empty")
            elif isinstance(self.value, Table) and not isinstance(item, dict):
                yield Problem((*path, key), f"expected a table, found {_kind(item)}", self.usage)
            else:
                yield from self.value.problems(item, (*path, key))

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the value."""
        return {
            "type": "object",
            "description": self.help,
            "additionalProperties": self.value.schema(),
            "propertyNames": {"minLength": 1},
        }


Shape = Text | Flag | Integer | Scalar | ListOf | Table | TableOf


def _kind(value: Any, wanted: str = "") -> str:
    """The kind of a value in words, never the value."""
    if isinstance(value, str):
        return "another text" if wanted else "a text"
    words = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return words.get(type(value), "a date or time")
