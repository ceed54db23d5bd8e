"""Which database is meant: the first place that names one wins, and every part says where it came from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from howdah.config.database import DatabaseConfig, Secret
from howdah.config.dotenv import read_env_file
from howdah.config.env import (
    CONVENTIONS,
    Convention,
    Layer,
    find_part,
    mapped_convention,
    read_convention,
    speaks,
)
from howdah.config.keywords import FIELD_OF_KEYWORD, FIELD_VARIABLES, OPTION_VARIABLES, near_name
from howdah.config.project import DatabaseSettings, Project
from howdah.config.url import parse_url
from howdah.errors import ConfigError
from howdah.findings import Finding, Severity

_REFERENCE = re.compile(r"\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}")
# libpq reads these by itself; nothing about them is worth showing, or howdah sets them.
_LEFT_TO_LIBPQ = frozenset({"passfile", "servicefile", "application_name", "client_encoding"})


@dataclass(frozen=True)
class Resolved:
    """The database that is meant.

    Attributes:
        settings: what the project says about it.
        database: its address; `origin` says where each part came from.
        direct: the address around a pooler, where one is known.
        source: the place that won, for people: "--url", "DATABASE_URL", "DB_* in .env", "the dev server".
        notes: what a person should know: contradicting or unused variables.
    """

    settings: DatabaseSettings
    database: DatabaseConfig
    direct: DatabaseConfig | None = None
    source: str = ""
    notes: tuple[Finding, ...] = ()


def resolve(
    project: Project,
    *,
    db: str | None = None,
    url: str | None = None,
    environ: Mapping[str, str] = os.environ,
    fallback: DatabaseConfig | None = None,
) -> Resolved:
    """The database that is meant, from the first place that names one.

    The order: `url`; the variables that the project maps; `url` in the file; HOWDAH_URL; DATABASE_URL; DB_*;
    POSTGRES_*; DBHOST...; PG*; the same once more with the project's .env files; `fallback`, the dev server.
    What the address leaves open is taken from PG* variables, as libpq does.

    Raises:
        ConfigError: nothing names a database, the project has several and none was chosen, or a value is wrong.
    """
    settings = pick_database(project, db, has_url=url is not None)
    if url is not None:
        chosen = parse_url(url)
        return Resolved(settings, _complete(chosen, project, settings, environ), source="--url")
    layers = [Layer(environ), *_file_layers(project, environ)]
    conventions = (mapped_convention(settings.env, settings.defaults), *CONVENTIONS)
    for anchors in (layers[:1], layers):
        for convention in conventions:
            if speaks(convention, anchors):
                return _from_convention(convention, project, settings, layers)
            if convention is conventions[0] and settings.url and _can_expand(settings.url, anchors):
                return _from_file(project, settings, layers)
    if fallback is not None:
        return Resolved(settings, fallback, source="the dev server")
    raise _no_address(project, settings)


def pick_database(project: Project, db: str | None, *, has_url: bool = False) -> DatabaseSettings:
    """The settings of the database that was asked for, or of the only one.

    With a URL and no name, a project of several databases gives the one that the URL names, or bare settings.
    """
    names = [settings.name for settings in project.databases]
    if db is not None:
        if db in names:
            return project.databases[names.index(db)]
        near = near_name(db, names)
        raise ConfigError(
            f"the project has no database '{db}'",
            code="unknown-database",
            fix=f"Did you mean '{near}'?" if near else f"It has {', '.join(names)}.",
        )
    if len(names) == 1:
        return project.databases[0]
    if has_url:
        return DatabaseSettings(name=project.root.name or "database")
    raise ConfigError(
        f"the project has {len(names)} databases: {', '.join(names)}",
        code="which-database",
        fix="Name one of them.",
        next=tuple(f"--db {name}" for name in names[:3]),
    )


def _file_layers(project: Project, environ: Mapping[str, str]) -> Iterator[Layer]:
    for path in project.env_files:
        name = path.relative_to(project.root) if path.is_relative_to(project.root) else path
        yield Layer(read_env_file(path, environ=environ), f" in {name}")


def _from_convention(
    convention: Convention, project: Project, settings: DatabaseSettings, layers: Sequence[Layer]
) -> Resolved:
    own = convention not in CONVENTIONS
    database = read_convention(convention, layers)
    if len(project.databases) > 1 and not own:
        # One set of variables cannot name several databases: it names the server they share.
        name = settings.defaults.get("name", settings.name)
        database = _with_origin(database.with_database(name), "database", f"[database.{settings.name}]")
    direct = _direct(convention, project, settings, layers)
    anchor = next(found for part in convention.anchors if (found := find_part(convention, part, layers)))
    source = anchor.origin if len(convention.anchors) == 1 or own else _source(convention, anchor.origin)
    environ = layers[0].values
    return Resolved(
        settings,
        _complete(database, project, settings, environ),
        direct and _complete(direct, project, settings, environ),
        source,
        tuple(_notes(convention, database, layers[:1])),
    )


def _source(convention: Convention, origin: str) -> str:
    _, found, place = origin.partition(" in ")
    return f"{convention.name}{found}{place}"


def _from_file(project: Project, settings: DatabaseSettings, layers: Sequence[Layer]) -> Resolved:
    assert settings.url is not None
    source = f"url of [database.{settings.name}]"
    environ = layers[0].values
    database = parse_url(_expand(settings.url, layers), origin=source)
    direct = _direct(None, project, settings, layers)
    return Resolved(
        settings,
        _complete(database, project, settings, environ),
        direct and _complete(direct, project, settings, environ),
        source,
    )


def _direct(
    convention: Convention | None, project: Project, settings: DatabaseSettings, layers: Sequence[Layer]
) -> DatabaseConfig | None:
    """The address around the pooler: the project's word first, then the winning convention's."""
    mapped = mapped_convention(settings.env, {})
    found = find_part(mapped, "direct_url", layers)
    if not found and settings.direct_url and _can_expand(settings.direct_url, layers):
        origin = f"direct-url of [database.{settings.name}]"
        return parse_url(_expand(settings.direct_url, layers), origin=origin)
    if not found and convention and len(project.databases) == 1:
        found = find_part(convention, "direct_url", layers)
    return parse_url(found.value, origin=found.origin) if found else None


def _complete(
    config: DatabaseConfig, project: Project, settings: DatabaseSettings, environ: Mapping[str, str]
) -> DatabaseConfig:
    """The address with the file's database name and libpq's own variables where it says nothing."""
    if not config.database and project.file is not None and settings in project.databases:
        name = settings.defaults.get("name", settings.name)
        config = _with_origin(config.with_database(name), "database", f"[database.{settings.name}]")
    return _fill_from_libpq(config, environ)


def _fill_from_libpq(config: DatabaseConfig, environ: Mapping[str, str]) -> DatabaseConfig:
    """What libpq would take from PG* variables anyway, made visible in the address and its origin.

    With a service, nothing is filled in: for libpq its file comes before the variables.
    """
    if "service" in config.options:
        return config
    if environ.get("PGSERVICE"):
        options = {**config.options, "service": environ["PGSERVICE"]}
        return _with_origin(replace(config, options=options), "service", "PGSERVICE")
    for keyword, variable in FIELD_VARIABLES.items():
        field = FIELD_OF_KEYWORD.get(keyword, keyword)
        value = environ.get(variable, "")
        if value and not getattr(config, field):
            # mypy cannot see that the field names are DatabaseConfig's
            config = replace(config, **{field: Secret(value) if field == "password" else value})  # type: ignore[arg-type]
            config = _with_origin(config, field, variable)
    for keyword, variable in OPTION_VARIABLES.items():
        value = environ.get(variable, "") if variable else ""
        if value and keyword not in config.options and keyword not in _LEFT_TO_LIBPQ:
            config = _with_origin(
                replace(config, options={**config.options, keyword: value}), keyword, variable
            )
    return config


def _with_origin(config: DatabaseConfig, part: str, origin: str) -> DatabaseConfig:
    return replace(config, origin={**config.origin, part: origin})


def _notes(winner: Convention, database: DatabaseConfig, layers: Sequence[Layer]) -> Iterator[Finding]:
    """What other conventions say in the environment and what is not used of it; never a value."""
    for convention in CONVENTIONS:
        if convention is winner or not speaks(convention, layers):
            continue
        complete = find_part(convention, "url", layers) or (
            find_part(convention, "host", layers) and find_part(convention, "name", layers)
        )
        if complete and _differs(database, convention, layers):
            yield Finding(
                "contradicting-variables",
                f"{convention.name} names another database than {winner.name}, and is not used",
                Severity.WARNING,
                why="The first place that names a database wins.",
                fix="Unset the variables that are not meant, or name the database with --url.",
            )
    password = None if database.password else _foreign_password(winner, layers)
    if password:
        yield Finding(
            "unused-password",
            f"{winner.name} has no password, and {password} is not used for it",
            Severity.WARNING,
            why="Parts of an address are never put together from two sets of variables.",
            fix="Set the password's variable that belongs to the others.",
        )


def _foreign_password(winner: Convention, layers: Sequence[Layer]) -> str | None:
    others = (convention for convention in CONVENTIONS if convention is not winner)
    found = (find_part(convention, "password", layers) for convention in others if convention.name != "PG*")
    return next((password.origin for password in found if password), None)


def _differs(database: DatabaseConfig, convention: Convention, layers: Sequence[Layer]) -> bool:
    try:
        other = read_convention(convention, layers)
    except ConfigError:
        return True

    def place(config: DatabaseConfig) -> tuple[str, ...]:
        return config.host, config.port or "5432", config.database

    return place(database) != place(other)


def _can_expand(template: str, layers: Sequence[Layer]) -> bool:
    return all(
        match[2] is not None or any(layer.values.get(match[1]) for layer in layers)
        for match in _REFERENCE.finditer(template)
    )


def _expand(template: str, layers: Sequence[Layer]) -> str:
    """The file's URL with its variables' values, percent-encoded in the user and the password."""

    def value(match: re.Match[str]) -> str:
        found = next((layer.values[match[1]] for layer in layers if layer.values.get(match[1])), None)
        return found if found is not None else match[2] or ""

    whole = _REFERENCE.fullmatch(template)
    if whole:
        return value(whole)
    userinfo, separator, rest = template.rpartition("@")
    encoded = _REFERENCE.sub(lambda match: quote(value(match), safe=""), userinfo)
    return encoded + separator + _REFERENCE.sub(value, rest)


def _no_address(project: Project, settings: DatabaseSettings) -> ConfigError:
    looked_at = [
        *(f"{variable} (howdah.toml)" for variable in settings.env.values()),
        *([f"url of [database.{settings.name}] (its variables are not set)"] if settings.url else []),
        "HOWDAH_URL, DATABASE_URL, DB_HOST, POSTGRES_HOST, DBHOST, PGHOST and their kin",
        *(f"{path.name} ({'read' if path.exists() else 'not there'})" for path in project.env_files),
        "a running dev server",
    ]
    return ConfigError(
        "nothing says which database to use",
        code="no-address",
        why=f"Looked at: {'; '.join(looked_at)}.",
        fix="Start a local server, set DATABASE_URL, or name the database with --url.",
        next=("howdah dev up", "howdah doctor --url postgresql://USER@HOST:5432/DATABASE"),
    )
