"""What `setup` can bring about: each change is a value that knows its statement and how to say it.

The same values say what is wanted and what is to do; `evolve.py` knows what each leaves behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from howdah.pg.identifiers import quote_identifier, quote_literal

PUBLIC = "public"  # as a grantee: everybody; the server lets no role have this name


class On(Enum):
    """Where a statement runs: in any database of the server, or in the database itself."""

    SERVER = "server"
    DATABASE = "database"


def grantee(role: str) -> str:
    """A role as it stands behind TO."""
    return "PUBLIC" if role == PUBLIC else quote_identifier(role)


@dataclass(frozen=True)
class Change:
    """One statement to run. `restricts` is true of a change that can take something away from somebody.

    `wants_password` names the role whose password the statement sets; `sql` then ends where ` PASSWORD '...'`
    is put, so that no plan, log or report ever holds one.
    """

    what: ClassVar[str]

    @property
    def on(self) -> On:
        return On.SERVER

    @property
    def subject(self) -> str:
        """The object, as a person names it."""
        raise NotImplementedError

    @property
    def sql(self) -> str:
        """The statement, without a final semicolon."""
        raise NotImplementedError

    @property
    def says(self) -> str:
        """What it does, in a few words."""
        raise NotImplementedError

    @property
    def restricts(self) -> bool:
        return False

    @property
    def wants_password(self) -> str | None:
        return None


class ChangeInside(Change):
    """A change whose statement runs in the database itself."""

    @property
    def on(self) -> On:
        return On.DATABASE


@dataclass(frozen=True)
class CreateRole(Change):
    """The role, with what the project says of it. `login` None: made as a group, left as it is if there."""

    what: ClassVar[str] = "role"
    name: str
    login: bool | None = True
    connection_limit: int | None = None
    password: bool = False

    @property
    def subject(self) -> str:
        return self.name

    @property
    def sql(self) -> str:
        limit = "" if self.connection_limit is None else f" CONNECTION LIMIT {self.connection_limit:d}"
        return f"CREATE ROLE {quote_identifier(self.name)} {'LOGIN' if self.login else 'NOLOGIN'}{limit}"

    @property
    def says(self) -> str:
        kind = "may log in" if self.login else "a group, may not log in"
        return f"create, {kind}{', with its password' if self.password else ''}"

    @property
    def wants_password(self) -> str | None:
        return self.name if self.password else None


@dataclass(frozen=True)
class AlterRole(Change):
    """Attributes of a role that is there; None leaves one as it is."""

    what: ClassVar[str] = "role"
    name: str
    login: bool | None = None
    connection_limit: int | None = None

    @property
    def subject(self) -> str:
        return self.name

    @property
    def _attributes(self) -> str:
        login = () if self.login is None else ("LOGIN" if self.login else "NOLOGIN",)
        limit = () if self.connection_limit is None else (f"CONNECTION LIMIT {self.connection_limit:d}",)
        return " ".join((*login, *limit))

    @property
    def sql(self) -> str:
        return f"ALTER ROLE {quote_identifier(self.name)} {self._attributes}"

    @property
    def says(self) -> str:
        return f"set {self._attributes}"

    @property
    def restricts(self) -> bool:
        return self.login is False or self.connection_limit is not None


@dataclass(frozen=True)
class SetPassword(Change):
    """Another password for a role that is there; `first` where it had none."""

    what: ClassVar[str] = "password"
    name: str
    first: bool = False

    @property
    def subject(self) -> str:
        return self.name

    @property
    def sql(self) -> str:
        return f"ALTER ROLE {quote_identifier(self.name)}"

    @property
    def says(self) -> str:
        return "set" if self.first else "change"

    @property
    def restricts(self) -> bool:
        return not self.first

    @property
    def wants_password(self) -> str | None:
        return self.name


@dataclass(frozen=True)
class GrantRole(Change):
    """Membership of a role. `assists`: for the role that sets up, which must act for an owner."""

    what: ClassVar[str] = "membership"
    role: str
    member: str
    assists: bool = False

    @property
    def subject(self) -> str:
        return f"{self.member} in {self.role}"

    @property
    def sql(self) -> str:
        return f"GRANT {quote_identifier(self.role)} TO {quote_identifier(self.member)}"

    @property
    def says(self) -> str:
        return f"grant, to act for {self.role}" if self.assists else "grant"


@dataclass(frozen=True)
class CreateDatabase(Change):
    """The database. With an encoding or a locale it is made from template0, the only one that may differ."""

    what: ClassVar[str] = "database"
    name: str
    owner: str | None = None
    encoding: str | None = None
    locale: str | None = None

    @property
    def subject(self) -> str:
        return self.name

    @property
    def sql(self) -> str:
        parts = [f"CREATE DATABASE {quote_identifier(self.name)}"]
        parts += [f"OWNER {quote_identifier(self.owner)}"] if self.owner else []
        parts += ["TEMPLATE template0"] if self.encoding or self.locale else []
        parts += [f"ENCODING {quote_literal(self.encoding)}"] if self.encoding else []
        parts += [f"LOCALE {quote_literal(self.locale)}"] if self.locale else []
        return " ".join(parts)

    @property
    def says(self) -> str:
        return f"create, owned by {self.owner}" if self.owner else "create"


@dataclass(frozen=True)
class ChangeOwner(Change):
    """Another owner of the database."""

    what: ClassVar[str] = "owner"
    database: str
    owner: str

    @property
    def subject(self) -> str:
        return self.database

    @property
    def sql(self) -> str:
        return f"ALTER DATABASE {quote_identifier(self.database)} OWNER TO {quote_identifier(self.owner)}"

    @property
    def says(self) -> str:
        return f"change to {self.owner}"

    @property
    def restricts(self) -> bool:
        return True


@dataclass(frozen=True)
class CreateSchema(ChangeInside):
    """A schema (namespace) in the database."""

    what: ClassVar[str] = "schema"
    name: str
    owner: str | None = None

    @property
    def subject(self) -> str:
        return self.name

    @property
    def sql(self) -> str:
        owner = f" AUTHORIZATION {quote_identifier(self.owner)}" if self.owner else ""
        return f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(self.name)}{owner}"

    @property
    def says(self) -> str:
        return f"create, owned by {self.owner}" if self.owner else "create"


@dataclass(frozen=True)
class CreateExtension(ChangeInside):
    """An extension; `cascade` brings the ones it requires."""

    what: ClassVar[str] = "extension"
    name: str
    at_least: str | None = None
    cascade: bool = False

    @property
    def subject(self) -> str:
        return self.name

    @property
    def sql(self) -> str:
        cascade = " CASCADE" if self.cascade else ""
        return f"CREATE EXTENSION IF NOT EXISTS {quote_identifier(self.name)}{cascade}"

    @property
    def says(self) -> str:
        return "create, with the ones it requires" if self.cascade else "create"


@dataclass(frozen=True)
class UpdateExtension(ChangeInside):
    """A newer version of an extension that is there."""

    what: ClassVar[str] = "extension"
    name: str
    version: str

    @property
    def subject(self) -> str:
        return self.name

    @property
    def sql(self) -> str:
        return f"ALTER EXTENSION {quote_identifier(self.name)} UPDATE TO {quote_literal(self.version)}"

    @property
    def says(self) -> str:
        return f"update to {self.version}"


@dataclass(frozen=True)
class PreloadLibraries(Change):
    """The server loads these when it starts. Never done by us: it takes a restart of everybody's server."""

    what: ClassVar[str] = "library"
    libraries: tuple[str, ...]  # the whole new list
    needed: str

    @property
    def subject(self) -> str:
        return self.needed

    @property
    def sql(self) -> str:
        # one literal for each: 'a,b' in one would be taken as a single, quoted name
        return "ALTER SYSTEM SET shared_preload_libraries = " + ", ".join(map(quote_literal, self.libraries))

    @property
    def says(self) -> str:
        return f"add {self.needed} to shared_preload_libraries and restart the server"
