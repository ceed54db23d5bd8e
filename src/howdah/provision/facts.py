"""What is there: values only, as read from a server by `read.py` or as foreseen by `evolve.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from howdah.config.database import Secret
from howdah.pg.version import version_of_number
from howdah.provision.grants import Kind

Grants = frozenset[tuple[str, str]]  # (grantee, privilege); the grantee of everybody is `public`


@dataclass(frozen=True)
class Role:
    """A role and the attributes that matter here."""

    name: str
    login: bool = False
    superuser: bool = False
    create_role: bool = False
    create_database: bool = False
    inherit: bool = True
    connection_limit: int = -1


@dataclass(frozen=True)
class Membership:
    """`member` is in `role`: may let others in (admin), has its rights (inherits), may become it (sets)."""

    role: str
    member: str
    admin: bool = False
    inherits: bool = True
    sets: bool = True


@dataclass(frozen=True)
class Database:
    """The database as the server's catalog shows it from outside."""

    name: str
    owner: str
    encoding: str = "UTF8"
    collate: str = "C"
    ctype: str = "C"
    grants: Grants = frozenset()


@dataclass(frozen=True)
class Schema:
    """A schema (namespace) of the database."""

    name: str
    owner: str
    grants: Grants = frozenset()


@dataclass(frozen=True)
class Objects:
    """All objects of one kind in one schema: how many, whose, and on how many of them who holds what."""

    total: int = 0
    owners: frozenset[str] = frozenset()
    granted: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True)
class DefaultGrant:
    """`grantee` gets `privilege` on each object of this kind that `owner` makes in `schema`."""

    owner: str
    schema: str
    kind: Kind
    grantee: str
    privilege: str


@dataclass(frozen=True)
class Extension:
    """An extension the server's host has, as its default version describes it.

    `trusted`: who has CREATE on the database may create it although it needs a superuser's rights.
    """

    name: str
    default_version: str
    superuser: bool = True
    trusted: bool = False
    requires: tuple[str, ...] = ()
    owner: str | None = None


@dataclass(frozen=True)
class Inside:
    """What only a session in the database itself can see."""

    schemas: Mapping[str, Schema] = field(default_factory=dict)
    objects: Mapping[tuple[str, Kind], Objects] = field(default_factory=dict)
    defaults: frozenset[DefaultGrant] = frozenset()
    installed: Mapping[str, str] = field(default_factory=dict)  # extension -> version
    statements_work: bool = True  # pg_stat_statements answers, or is not there


@dataclass(frozen=True)
class Facts:
    """Everything a plan is made from.

    Attributes:
        version_number: the server's `server_version_num`.
        user: the role of the session that reads and will act.
        verifiers: role -> its stored password or None for no password; None where we may not read them.
        database: None where it does not exist.
        inside: None where the database does not exist or lets `user` not in.
        closed: why `user` cannot enter the database, in the server's words.
        extensions: what the server's host has, by name, of the wanted ones and those they require.
        preloaded: shared_preload_libraries; None where we may not read it.
    """

    version_number: int
    user: str
    roles: Mapping[str, Role] = field(default_factory=dict)
    memberships: frozenset[Membership] = frozenset()
    verifiers: Mapping[str, Secret | None] | None = None
    database: Database | None = None
    inside: Inside | None = None
    closed: str | None = None
    extensions: Mapping[str, Extension] = field(default_factory=dict)
    preloaded: tuple[str, ...] | None = ()

    @property
    def major(self) -> int:
        return version_of_number(self.version_number).major
