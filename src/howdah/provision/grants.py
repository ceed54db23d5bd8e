"""Privileges: on what, which, to whom; and the text of howdah.toml that says so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from howdah.config.project import GrantSettings
from howdah.errors import ConfigError
from howdah.pg.identifiers import check_name, quote_identifier
from howdah.provision.changes import Change, ChangeInside, On, grantee


class Kind(Enum):
    """Kinds of object that privileges are given on; the value is the word in SQL."""

    DATABASE = "DATABASE"
    SCHEMA = "SCHEMA"
    TABLES = "TABLES"
    SEQUENCES = "SEQUENCES"
    FUNCTIONS = "FUNCTIONS"


# kind -> its privileges (ddl-priv.html, table 5.2). MAINTAIN came with PostgreSQL 17.
PRIVILEGES: dict[Kind, tuple[str, ...]] = {
    Kind.DATABASE: ("CREATE", "CONNECT", "TEMPORARY"),
    Kind.SCHEMA: ("USAGE", "CREATE"),
    Kind.TABLES: (
        *("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"),
        "MAINTAIN",
    ),
    Kind.SEQUENCES: ("USAGE", "SELECT", "UPDATE"),
    Kind.FUNCTIONS: ("EXECUTE",),
}
_ON = re.compile(
    r"(?i)\s*(?:(database)|(schema)\s+(.+?)|all\s+(tables|sequences|functions)\s+in\s+schema\s+(.+?))\s*"
)


@dataclass(frozen=True)
class Object:
    """What privileges are given on: the database, a schema, or all of one kind in a schema."""

    kind: Kind
    name: str  # of the database or the schema

    @property
    def is_many(self) -> bool:
        return self.kind in (Kind.TABLES, Kind.SEQUENCES, Kind.FUNCTIONS)

    def __str__(self) -> str:
        if self.is_many:
            return f"all {self.kind.value.lower()} in schema {self.name}"
        return f"{self.kind.value.lower()} {self.name}"

    @property
    def sql(self) -> str:
        name = quote_identifier(self.name)
        return f"ALL {self.kind.value} IN SCHEMA {name}" if self.is_many else f"{self.kind.value} {name}"


@dataclass(frozen=True)
class GrantPrivileges(Change):
    """Privileges on what is there now.

    `needed` marks what nobody wrote down and the application's role cannot work without: it counts as there
    when the role has it in any way.
    """

    what: ClassVar[str] = "grant"
    privileges: tuple[str, ...]
    object: Object
    to: str
    needed: bool = False

    @property
    def on(self) -> On:
        return On.SERVER if self.object.kind is Kind.DATABASE else On.DATABASE

    @property
    def subject(self) -> str:
        return f"{', '.join(self.privileges)} on {self.object} to {self.to}"

    @property
    def sql(self) -> str:
        return f"GRANT {', '.join(self.privileges)} ON {self.object.sql} TO {grantee(self.to)}"

    @property
    def says(self) -> str:
        return "grant"


@dataclass(frozen=True)
class GrantFuture(ChangeInside):
    """Privileges on what `owner` makes later in a schema."""

    what: ClassVar[str] = "default privileges"
    owner: str
    privileges: tuple[str, ...]
    object: Object
    to: str

    @property
    def subject(self) -> str:
        return f"{', '.join(self.privileges)} on new {self._things} of {self.owner} to {self.to}"

    @property
    def _things(self) -> str:
        return f"{self.object.kind.value.lower()} in schema {self.object.name}"

    @property
    def sql(self) -> str:
        return (
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {quote_identifier(self.owner)}"
            f" IN SCHEMA {quote_identifier(self.object.name)}"
            f" GRANT {', '.join(self.privileges)} ON {self.object.kind.value} TO {grantee(self.to)}"
        )

    @property
    def says(self) -> str:
        return "set"


def read_grant(grant: GrantSettings, *, database: str) -> GrantPrivileges:
    """The grant that the project's file describes; ALL stays `ALL` until the server's version is known.

    Raises:
        ConfigError: `on` is no such object, or a privilege does not exist there.
    """
    target = _read_object(grant.on, database)
    privileges = tuple(_privilege(word, target) for word in grant.privileges)
    if not privileges:
        raise ConfigError(f"the grant on {grant.on} to {grant.to} names no privileges", code="bad-grant")
    if grant.future and not target.is_many:
        raise ConfigError(
            f"the grant on {grant.on} to {grant.to} cannot have future = true",
            code="bad-grant",
            why="Default privileges exist for tables, sequences and functions that are made later.",
            fix=f'Take `future` away, or write `on = "all tables in schema {target.name}"`.',
        )
    return GrantPrivileges(privileges, target, grant.to)


def spell_out(privileges: tuple[str, ...], kind: Kind, *, major: int) -> tuple[str, ...]:
    """The privileges with ALL replaced by what a server of this version means by it; 0 is an unknown one."""
    if "ALL" not in privileges or not major:
        return privileges
    return tuple(word for word in PRIVILEGES[kind] if word != "MAINTAIN" or major >= 17)


def _read_object(text: str, database: str) -> Object:
    found = _ON.fullmatch(text)
    if not found:
        raise ConfigError(
            f"a grant on {text!r} is not understood",
            code="bad-grant",
            fix="Write `database`, `schema NAME` or `all tables (sequences, functions) in schema NAME`.",
        )
    if found[1]:
        return Object(Kind.DATABASE, database)
    kind = Kind.SCHEMA if found[2] else Kind[found[4].upper()]
    return Object(kind, check_name(_unquoted(found[3] or found[5]), what="schema"))


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if len(name) > 2 and name[0] == name[-1] == '"' else name


def _privilege(word: str, target: Object) -> str:
    name = " ".join(word.upper().split()).removesuffix(" PRIVILEGES")
    name = "TEMPORARY" if name == "TEMP" else name
    if name != "ALL" and name not in PRIVILEGES[target.kind]:
        raise ConfigError(
            f"there is no privilege {word!r} on {target}",
            code="bad-grant",
            fix=f"Use ALL or some of {', '.join(PRIVILEGES[target.kind])}.",
        )
    return name
