"""How large the tables of production are, and how busy: a file without a row or a value of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from howdah.errors import ConfigError, Where

_FORMAT = 1
# In less, one import looks like the traffic of every day.
_LEAST_COUNTED_SECONDS = 3600.0
_KINDS = ("table", "partitioned table", "materialized view")


@dataclass(frozen=True, slots=True)
class TableSize:
    """One table, materialized view or partitioned table.

    Attributes:
        name: "schema.name", quoted where SQL wants it.
        kind: "table", "partitioned table" or "materialized view".
        rows: as last estimated by the server.
        rows_are_guessed: it was never analysed: told by its bytes.
        heap_bytes, index_bytes, toast_bytes: of a partitioned table the sums of its partitions, as all numbers are.
        reads: scans of it and of its indexes, about as many as statements that read it.
        writes: rows inserted, updated and deleted.
        partitions: how many hold rows of it.
    """

    name: str
    kind: str = "table"
    rows: int = 0
    rows_are_guessed: bool = False
    heap_bytes: int = 0
    index_bytes: int = 0
    toast_bytes: int = 0
    reads: int = 0
    writes: int = 0
    partitions: int = 0

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.heap_bytes + self.index_bytes + self.toast_bytes


@dataclass(frozen=True)
class Stats:
    """The tables of one database at one moment.

    Attributes:
        server: its version, as the server states it.
        taken_at: in UTC, as ISO 8601 has it.
        is_replica: reads are those of the replica, and writes are not counted there.
        counted_seconds: for how long reads and writes were counted; None: that is not known.
        settings: of the server, such as it writes them.
        tables: sorted by name.
    """

    server: str
    major: int
    taken_at: str
    is_replica: bool = False
    counted_seconds: float | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    tables: tuple[TableSize, ...] = ()

    @cached_property
    def by_name(self) -> Mapping[str, TableSize]:
        """Name -> table."""
        return {each.name: each for each in self.tables}

    def find(self, name: str) -> TableSize | None:
        """The table of that name, or None: it is not there yet."""
        return self.by_name.get(name)

    def per_second(self, count: int) -> float | None:
        """A number of reads or writes as a rate; None where they were not counted for an hour, or nobody knows."""
        seconds = self.counted_seconds or 0.0
        return count / seconds if seconds >= _LEAST_COUNTED_SECONDS else None

    @property
    def bytes(self) -> int:
        """Of all tables; partitions are counted once."""
        return sum(each.bytes for each in self.tables if each.kind != "partitioned table")


def save_stats(stats: Stats) -> str:
    """The text of the file: the same for the same values."""
    tables = [asdict(each) for each in sorted(stats.tables, key=lambda each: each.name)]
    head = {key: value for key, value in vars(stats).items() if key in _HEAD}
    whole = {"howdah_stats": _FORMAT, **head, "settings": dict(sorted(stats.settings.items()))}
    lines = ",\n".join(f"    {json.dumps(each, ensure_ascii=False)}" for each in tables)
    text = json.dumps(whole, indent=2, ensure_ascii=False).removesuffix("\n}")
    return f'{text},\n  "tables": [\n{lines}\n  ]\n}}\n' if tables else f'{text},\n  "tables": []\n}}\n'


def load_stats(path: Path) -> Stats:
    """What a file of `save_stats` says.

    Raises:
        ConfigError: it cannot be read, is no such file, or a value in it is not what it should be; says which.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _bad(path, f"cannot be read: {error}") from error
    try:
        return parse_stats(text)
    except json.JSONDecodeError as error:
        raise _bad(path, f"is no JSON: {error.msg}", line=error.lineno) from error
    except ValueError as error:
        raise _bad(path, str(error)) from error


def parse_stats(text: str) -> Stats:
    """What a text of `save_stats` says. Raises ValueError: it is none; in words that go behind the file's name."""
    found = json.loads(text)
    if not isinstance(found, dict) or "howdah_stats" not in found:
        raise ValueError("is not a file of `howdah schema stats`")
    if found["howdah_stats"] != _FORMAT:
        raise ValueError(f"has version {found['howdah_stats']!r}; this howdah reads {_FORMAT}")
    settings = _value(found, "settings", dict, "the file")
    tables = _value(found, "tables", list, "the file")
    names = [each.get("name") for each in tables if isinstance(each, dict)]
    if twice := [name for name, count in Counter(map(str, names)).items() if count > 1]:
        raise ValueError(f"has table {twice[0]} twice")
    return Stats(
        **{key: _value(found, key, kind, "the file") for key, kind in _HEAD.items()},
        settings={str(key): str(value) for key, value in settings.items()},
        tables=tuple(_table(each, number) for number, each in enumerate(tables, 1)),
    )


def _table(found: object, number: int) -> TableSize:
    if not isinstance(found, dict):
        raise ValueError(f"has a table {number} that is no object")  # noqa: TRY004 - what is wrong is the file
    place = f"table {found.get('name', number)}"
    values = {
        each.name: _value(found, each.name, _TYPES[str(each.type)], place) for each in fields(TableSize)
    }
    if values["kind"] not in _KINDS:
        raise ValueError(f"has {place} of kind {values['kind']!r}; known are {', '.join(_KINDS)}")
    return TableSize(**values)


def _value(found: dict[str, Any], key: str, kind: type | tuple[type, ...], place: str) -> Any:
    if key not in found:
        raise ValueError(f"lacks {key!r} of {place}")
    value = found[key]
    # True is an int to Python, and NaN a number to its JSON.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"has {value!r} for {key!r} of {place}")
    if isinstance(value, int | float) and not 0 <= value < float("inf"):
        raise ValueError(f"has {value!r} for {key!r} of {place}: a number below 0, or none")
    return value


def _bad(path: Path, what: str, *, line: int | None = None) -> ConfigError:
    return ConfigError(
        f"{path} {what}",
        code="bad-stats",
        where=Where(str(path), line),
        fix="Write it anew, from production.",
        next=(f"howdah schema stats --url URL -o {path}",),
    )


_TYPES: dict[str, type] = {"str": str, "int": int, "bool": bool}
_HEAD: dict[str, type | tuple[type, ...]] = {
    "server": str,
    "major": int,
    "taken_at": str,
    "is_replica": bool,
    "counted_seconds": (int, float, type(None)),
}
