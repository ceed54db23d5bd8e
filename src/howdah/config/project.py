"""A project: what howdah.toml or [tool.howdah] says, or what is assumed where there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from howdah.config.durations import parse_duration
from howdah.config.references import has_password
from howdah.config.url import parse_url
from howdah.errors import ConfigError, Where


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
class ForeignSettings:
    """The commands that run what only a migration's own tool can run ([database.NAME.foreign]); empty: none is known.

    In `up` and `down` {version} and {name} stand for the migration. `directory` is where they are started.
    """

    up: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    directory: Path | None = None


@dataclass(frozen=True)
class DatabaseSettings:
    """What the project says about one of its databases ([database.NAME] in the file).

    Attributes:
        name: the key in the file; the database's own name too unless the address says another.
        url: an address without password, or one with ${VARIABLE}s; None where the environment tells.
        direct_url: the address that avoids a transaction-mode pooler; used for locks and DDL.
        env: part of the address -> the application's variable: keys `url`, `direct_url`, `host`, `port`,
            `name`, `user`, `password`, `sslmode`, `sslrootcert`, `sslcert`, `sslkey`.
        defaults: part of the address -> what the application takes where the variable of `env` is not set.
        migrations: directory of the migration files; None: found by itself.
        format: name of the format; None: detected.
        history_table: the history table where it is not the format's own, as `table` or `schema.table`.
        out_of_order: `refuse`, `apply` or `skip` a migration older than the newest applied one; None: as the tool.
        max_stall_seconds: how long the application may wait because of a migration; None: nobody says.
        variables: what migrations may put in, values perhaps with ${VARIABLE}s; None: nothing.
        foreign: what runs the migrations that are no SQL.
        schema_file: the structure as SQL, committed; kept up by `migrate`; None: there is none.
        protected: destructive commands are refused.
        depends_on: databases of the project that are migrated before this one, in a run over all of them.
        expect: `table.column` or `schema.table.column` -> type, checked by `doctor` after `migrate`.
    """

    name: str
    url: str | None = None
    direct_url: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    migrations: Path | None = None
    format: str | None = None
    history_table: str | None = None
    out_of_order: str | None = None
    max_stall_seconds: float | None = None
    variables: Mapping[str, str] | None = None
    foreign: ForeignSettings = field(default_factory=ForeignSettings)
    schema_file: Path | None = None
    protected: bool = False
    depends_on: tuple[str, ...] = ()
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
    """A project: its root, the file it came from (None: assumed), its databases in the file's order.

    Of `env_files`, a later one wins over an earlier one.
    """

    root: Path
    file: Path | None = None
    databases: tuple[DatabaseSettings, ...] = ()
    dev: DevSettings = field(default_factory=DevSettings)
    env_files: tuple[Path, ...] = ()


def load_project(start: Path | None = None, *, file: Path | None = None) -> Project:
    """The project around a folder, the current one by default, or the project of a given file.

    The nearest folder upward that holds howdah.toml, a pyproject.toml with [tool.howdah], or .git is the
    root. Without a file of howdah's, the project is assumed: one database named after the root folder.

    Raises:
        ConfigError: the file is wrong, names an unknown key, or there are two files; `where` has the line.
    """
    if file is not None:
        if not file.is_file():
            raise ConfigError("there is no such file", code="no-such-file", where=Where(str(file)))
        return _read_project(file.absolute())
    folder = (start or Path.cwd()).absolute()
    for root in (folder, *folder.parents):
        found = _file_of(root)
        if found:
            return _read_project(found)
        if (root / ".git").exists():
            return _assumed(root)
    return _assumed(folder)


def _assumed(root: Path) -> Project:
    settings = DatabaseSettings(name=root.name or "database")
    return Project(root=root, databases=(settings,), env_files=(root / ".env",))


def _file_of(root: Path) -> Path | None:
    own, shared = root / "howdah.toml", root / "pyproject.toml"
    if not shared.is_file() or "howdah" not in (text := shared.read_text(encoding="utf-8", errors="replace")):
        return own if own.is_file() else None
    if "howdah" not in _parse(text, shared).get("tool", {}):
        return own if own.is_file() else None
    if own.is_file():
        raise ConfigError(
            "the project is configured twice: here and in [tool.howdah] of pyproject.toml",
            code="two-configurations",
            where=Where(str(own)),
            fix="Keep one of them; they are never merged.",
        )
    return shared


def _read_project(file: Path) -> Project:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"cannot read it: {reason}", where=Where(str(file))) from None
    content = _parse(text, file)
    prefix: tuple[str, ...] = ()
    if file.name == "pyproject.toml":
        prefix = ("tool", "howdah")
        content = content.get("tool", {}).get("howdah", {})
    return read_project(content, file, text=text, prefix=prefix)


def _parse(text: str, file: Path) -> dict[str, Any]:
    import tomllib  # only where there is a file to read

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", str(error))
        message = str(error)[: place.start()] if place else str(error)
        line = int(place[1]) if place and place[1] else None
        raise ConfigError(
            f"this is not TOML: {message[:1].lower()}{message[1:]}", where=Where(str(file), line)
        ) from None


def read_project(
    content: Mapping[str, Any], file: Path, *, text: str, prefix: tuple[str, ...] = ()
) -> Project:
    """The project that a parsed file describes; `text` is its source and `prefix` the table it stands in."""
    from howdah.config.file_shape import FILE

    def place(path: tuple[str | int, ...]) -> Where:
        from howdah.config.locate import find_line

        return Where(str(file), find_line(text, (*prefix, *path)))

    problem = next(FILE.problems(content, ()), None)
    if problem:
        message = f"{_dotted(problem.path)}: {problem.message}" if problem.path else problem.message
        raise ConfigError(message, where=place(problem.path), fix=problem.fix)
    for path, error in (*_address_problems(content), *_dependency_problems(content)):
        error.where = place(path)
        raise error
    return _build(content, file)


def _build(content: Mapping[str, Any], file: Path) -> Project:
    root = file.parent
    databases = tuple(_database(name, table, root) for name, table in content.get("database", {}).items())
    files = content.get("env", {}).get("files", [".env"])
    return Project(
        root=root,
        file=file,
        databases=databases or (DatabaseSettings(name=root.name or "database"),),
        dev=_dev(content.get("dev", {}), root),
        env_files=tuple(_path(name, root) for name in files),
    )


def _database(name: str, table: Mapping[str, Any], root: Path) -> DatabaseSettings:
    defaults = {key: str(value) for key, value in table.get("defaults", {}).items()}
    for key in ("sslrootcert", "sslcert", "sslkey"):
        if key in defaults and defaults[key] != "system":
            defaults[key] = str(_path(defaults[key], root))
    return DatabaseSettings(
        name=name,
        url=table.get("url"),
        direct_url=table.get("direct-url"),
        env={part.replace("-", "_"): variable for part, variable in table.get("env", {}).items()},
        defaults=defaults,
        migrations=_path(table["migrations"], root) if "migrations" in table else None,
        format=table.get("format"),
        history_table=table.get("history-table"),
        out_of_order=table.get("out-of-order"),
        max_stall_seconds=parse_duration(table["max-stall"]) if "max-stall" in table else None,
        variables=table.get("variables"),
        foreign=_foreign(table["foreign"], root) if "foreign" in table else ForeignSettings(),
        schema_file=_path(table["schema-file"], root) if "schema-file" in table else None,
        protected=table.get("protected", False),
        depends_on=tuple(table.get("depends-on", ())),
        setup=_setup(table.get("setup", {})),
        expect=dict(table.get("expect", {})),
    )


def _foreign(table: Mapping[str, Any], root: Path) -> ForeignSettings:
    return ForeignSettings(
        up=tuple(table.get("up", ())),
        down=tuple(table.get("down", ())),
        directory=_path(table.get("directory", "."), root),
    )


def _setup(table: Mapping[str, Any]) -> SetupSettings:
    roles = tuple(
        RoleSettings(
            name=name,
            login=role.get("login", True),
            password_env=role.get("password-env"),
            member_of=tuple(role.get("member-of", ())),
            connection_limit=role.get("connection-limit"),
        )
        for name, role in table.get("role", {}).items()
    )
    grants = tuple(
        GrantSettings(
            to=grant["to"],
            privileges=tuple(grant["privileges"]),
            on=grant["on"],
            future=grant.get("future", False),
        )
        for grant in table.get("grant", ())
    )
    return SetupSettings(
        owner=table.get("owner"),
        encoding=table.get("encoding"),
        locale=table.get("locale"),
        schemas=tuple(table.get("schemas", ())),
        extensions=tuple(table.get("extensions", ())),
        roles=roles,
        grants=grants,
    )


def _dev(table: Mapping[str, Any], root: Path) -> DevSettings:
    return DevSettings(
        major=table.get("postgresql"),
        bindir=_path(table["bindir"], root) if "bindir" in table else None,
        port=table.get("port"),
        settings={name: _setting(value) for name, value in table.get("settings", {}).items()},
    )


def _setting(value: str | float) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _path(text: str, root: Path) -> Path:
    """Relative to the file that names it; `~` is the home of whoever runs howdah."""
    return root / Path(text).expanduser()


def _address_problems(content: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], ConfigError]]:
    for name, table in content.get("database", {}).items():
        for key in ("url", "direct-url"):
            if key in table:
                error = _url_problem(table[key], f"{key} of [database.{name}]")
                if error:
                    yield ("database", name, key), error


def _dependency_problems(content: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], ConfigError]]:
    wanted = {name: table.get("depends-on", ()) for name, table in content.get("database", {}).items()}
    if any(wanted.values()):
        from howdah.config.dependencies import dependency_problems

        yield from ((("database", *path), error) for path, error in dependency_problems(wanted))


def _url_problem(url: str, origin: str) -> ConfigError | None:
    """A password in the file, or a URL that makes no sense; one with variables is read when they are set."""
    if has_password(url):
        return ConfigError(
            f"{origin}: there is a password in it",
            code="password-in-file",
            why="The file goes into version control.",
            fix="Write ${DB_PASSWORD} in its place and set that variable, or leave it out and use ~/.pgpass.",
        )
    try:
        if "${" not in url:
            parse_url(url, origin=origin)
    except ConfigError as error:
        return error
    return None


def _dotted(path: tuple[str | int, ...]) -> str:
    """A place in the file as people write it: database.kaimu.setup.grant[0].on."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if re.fullmatch(r"[\w-]+", part) else f'"{part}"')
    return text
