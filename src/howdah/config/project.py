"""A project: what howdah.toml or [tool.howdah] says, or what is assumed where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class RoleSettings:
    """A role that `setup` keeps: its attributes and the variable that holds its password.

    `password_env` names the environment variable; passwords are never in the file.
    """

    name: str
    login: bool = True
    password_env: str | None = None
    member_of: tuple[str, ...] = ()
    connection_limit: int | None = None


@dataclass(frozen=True)
class GrantSettings:
    """Privileges that `setup` gives: `privileges` ON `on` TO `to`.

    `on` is one of `database`, `schema NAME`, `all tables in schema NAME`, `all sequences in schema NAME`,
    `all functions in schema NAME`; `future` also sets default privileges for what the owner makes later.
    """

    to: str
    privileges: tuple[str, ...]
    on: str
    future: bool = False


@dataclass(frozen=True)
class SetupSettings:
    """What `setup` brings about for one database. None of it is needed for `migrate`."""

    owner: str | None = None
    encoding: str | None = None
    locale: str | None = None
    schemas: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    roles: tuple[RoleSettings, ...] = ()
    grants: tuple[GrantSettings, ...] = ()


@dataclass(frozen=True)
class DatabaseSettings:
    """What the project says about one of its databases ([database.NAME] in the file).

    Attributes:
        name: the key in the file; the database's own name too unless the address says another.
        url: an address without password, or one with ${VARIABLE}s; None where the environment tells.
        direct_url: the address that avoids a transaction-mode pooler; used for locks and DDL.
        env: part of the address -> the application's variable: keys `url`, `direct_url`, `host`, `port`, `name`,
            `user`, `password`, `sslmode`, `sslrootcert`, `sslcert`, `sslkey`.
        migrations: directory of the migration files; None: found by itself.
        format: name of the format; None: detected.
        history_table: name of the history table where it is not the format's own, as `table` or `schema.table`.
        protected: destructive commands are refused.
        expect: `table.column` or `schema.table.column` -> type, checked by `doctor` after `migrate`.
    """

    name: str
    url: str | None = None
    direct_url: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    migrations: Path | None = None
    format: str | None = None
    history_table: str | None = None
    protected: bool = False
    setup: SetupSettings = field(default_factory=SetupSettings)
    expect: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DevSettings:
    """The local server ([dev] in the file).

    Attributes:
        major: PostgreSQL's major version that production runs; None: any.
        bindir: directory of the programs, where they must be these.
        port: TCP port on loopback; None: a free one, kept from run to run.
        settings: postgresql.conf names -> values.
    """

    major: int | None = None
    bindir: Path | None = None
    port: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Project:
    """A project: its root, the file it came from (None: assumed), its databases in the file's order."""

    root: Path
    file: Path | None = None
    databases: tuple[DatabaseSettings, ...] = ()
    dev: DevSettings = field(default_factory=DevSettings)
    env_files: tuple[Path, ...] = ()
