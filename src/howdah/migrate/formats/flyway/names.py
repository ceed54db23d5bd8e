"""How Flyway reads a file's name and a version.

Sources: flyway/flyway ResourceNameParser.java, MigrationVersion.java, Event.java, CoreResourceTypeProvider.java.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

SQL_SUFFIX = ".sql"
REPEATABLE = "R__"

# What Flyway runs that is no SQL, by the end of its name, and the type its history keeps of it.
FOREIGN_SUFFIXES = {
    **dict.fromkeys((".java", ".kt", ".groovy", ".scala", ".class"), ("a Java class", "JDBC")),
    **dict.fromkeys((".cmd", ".bat", ".ps1", ".py", ".sh", ".bash"), ("a program", "SCRIPT")),
}

_MOMENTS = (
    *("Migrate", "EachMigrate", "EachMigrateStatement", "Validate", "Baseline"),
    *("Undo", "EachUndo", "EachUndoStatement", "Clean", "Repair", "Info"),
)
_EVENTS = (
    *(f"before{moment}" for moment in _MOMENTS),
    *(f"after{moment}" for moment in _MOMENTS),
    *(f"after{moment}Error" for moment in _MOMENTS),
    *("beforeRepeatables", "afterVersioned", "afterMigrateApplied"),
    *("afterMigrateOperationFinish", "afterInfoOperationFinish"),
    *("createSchema", "beforeCreateSchema", "beforeConnect", "afterConnect"),
)
# The longest first: afterMigrateError is not afterMigrate with an invalid rest.
_LONGEST_EVENTS = tuple(sorted(_EVENTS, key=len, reverse=True))
# Moments of commands that howdah does not stand in for.
_ELSEWHERE = re.compile(r"Undo|Clean|Repair|Info")

_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+)*")
# What Java's BigInteger and Flyway's own words would take besides.
_ODD_VERSION = re.compile(r"[+-]?\d+(?:\.\d+)*|current|next|latest", re.IGNORECASE)


class Kind(Enum):
    """What a file is for Flyway."""

    VERSIONED = "V"
    UNDO = "U"
    BASELINE = "B"
    REPEATABLE = "R"
    CALLBACK = "callback"


@dataclass(frozen=True)
class Name:
    """A file's name in its parts.

    Attributes:
        version: as Flyway shows and stores it ("1.0" for V1_0), "" for what has none.
        words: the part behind the separator, as written.
        event: of a callback: its moment.
    """

    kind: Kind
    version: str
    words: str
    suffix: str
    event: str = ""

    @property
    def is_odd(self) -> bool:
        """Flyway takes the version for one, and nobody writes such."""
        return bool(self.version) and not _VERSION.fullmatch(self.version)

    @property
    def runs_at_migrate(self) -> bool:
        """A callback that Flyway calls in what `howdah migrate` does."""
        return not _ELSEWHERE.search(self.event)


def parse_name(name: str) -> Name | None:
    """The parts of a file's name; None for what Flyway does not know."""
    suffix = next((each for each in (SQL_SUFFIX, *FOREIGN_SUFFIXES) if name.lower().endswith(each)), None)
    if suffix is None or len(name) == len(suffix):
        return None
    suffix = name[-len(suffix) :]
    stem = name.removesuffix(suffix)
    event = next((each for each in _LONGEST_EVENTS if stem.startswith(each)), "")
    prefix = event or stem[:1]
    if not event and prefix not in {kind.value for kind in Kind}:
        return None
    kind = Kind.CALLBACK if event else Kind(prefix)
    version, _, words = stem.removeprefix(prefix).partition("__")
    if kind in (Kind.REPEATABLE, Kind.CALLBACK):
        return None if version else Name(kind, "", words, suffix, event)
    version = version.replace("_", ".")
    if not (_VERSION.fullmatch(version) or _ODD_VERSION.fullmatch(version)):
        return None
    return Name(kind, version, words, suffix)


def version_key(version: str) -> tuple[int, ...]:
    """The parts of a version as numbers, without zeros at the end: 1, 1.0, 01 and 1_0 are one version."""
    parts = [int(part) for part in version.replace("_", ".").split(".")]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def canonical(version: str) -> str:
    """The one text of all equal versions: "1" for "01.0"."""
    return ".".join(map(str, version_key(version)))


def repeatable_version(words: str) -> str:
    """What stands for the version of a repeatable migration: Flyway tells them apart by their descriptions."""
    return REPEATABLE + words.replace(" ", "_")


def is_version(text: str) -> bool:
    """Whether a person typed a version: digits with dots or underscores between them."""
    return _VERSION.fullmatch(text.replace("_", ".")) is not None
