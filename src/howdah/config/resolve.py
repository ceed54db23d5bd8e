"""Which database is meant: the first place that names one wins, and every part says where it came from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from howdah.config.contradictions import find_contradictions
from howdah.config.database import DatabaseConfig, Secret
from howdah.config.env import (
    CONVENTIONS,
    Convention,
    Layer,
    find_anchor,
    find_part,
    mapped_convention,
    read_convention,
)
from howdah.config.keywords import FIELD_OF_KEYWORD, FIELD_VARIABLES, OPTION_VARIABLES, near_name
from howdah.config.project import DatabaseSettings, Project
from howdah.config.references import can_expand, expand_url
from howdah.config.url import parse_url
from howdah.errors import ConfigError
from howdah.findings import Finding

# libpq reads these by itself; nothing about them is worth showing, or howdah sets them.
_LEFT_TO_LIBPQ = frozenset({"passfile", "servicefile", "application_name", "client_encoding"})


@dataclass(frozen=True)
class Resolved:
    """The database that is meant.

    Attributes:
        project: the project it belongs to.
        settings: what the project says about it.
        database: its address; `origin` says where each part came from.
        direct: the address around a pooler, where one is known.
        source: the place that won, for people: "--url", "DATABASE_URL", "DB_* in .env", "the dev server".
        notes: what a person should know: contradicting or unused variables.
    """

    project: Project
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
        ConfigError: nothing names a database, none of several was chosen, or a value is wrong.
    """
    if url is not None:
        chosen = parse_url(url)
        settings = _settings_for(chosen, project, db)
        return Resolved(project, settings, _complete(chosen, project, settings, environ), source="--url")
    settings = pick_database(project, db)
    layers = [Layer(environ), *_file_layers(project, environ)]
    for anchors in (layers[:1], layers):
        found = _of_project(settings, anchors, layers) or _of_conventions(anchors, layers)
        if found:
            return _finish(found, project, settings, layers)
    if fallback is not None:
        return Resolved(project, settings, fallback, source="the dev server")
    raise _no_address(project, settings)


def pick_database(project: Project, db: str | None) -> DatabaseSettings:
    """The settings of the database that was asked for, or of the only one.

    Raises:
        ConfigError: there is no such database, or there are several and none was asked for.
    """
    names = [settings.name for settings in project.databases]
    if db in names:
        return project.databases[names.index(db)]
    if db is not None:
        near = near_name(db, names)
        raise ConfigError(
            f"the project has no database '{db}'",
            code="unknown-database",
            fix=f"Did you mean '{near}'?" if near else f"It has {', '.join(names)}.",
        )
    if len(names) == 1:
        return project.databases[0]
    raise ConfigError(
        f"the project has {len(names)} databases: {', '.join(names)}",
        code="which-database",
        fix=f"Name one of them, as in --db {names[0]}.",
    )


def all_variables(project: Project, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment over the project's .env files, of which a later one wins."""
    layers = [Layer(environ), *_file_layers(project, environ)]
    return {name: value for layer in reversed(layers) for name, value in layer.values.items()}


def _settings_for(config: DatabaseConfig, project: Project, db: str | None) -> DatabaseSettings:
    """With a URL and no name: the database of the project that the URL names, else bare settings."""
    if db is not None or len(project.databases) == 1:
        return pick_database(project, db)
    bare = DatabaseSettings(name=config.database or project.root.name)
    named = (
        settings
        for settings in project.databases
        if settings.defaults.get("name", settings.name) == config.database
    )
    return next(named, bare)


def _file_layers(project: Project, environ: Mapping[str, str]) -> Iterator[Layer]:
    for path in reversed(project.env_files):  # the later file wins, as in Compose
        if path.exists():
            from howdah.config.dotenv import read_env_file

            name = path.relative_to(project.root) if path.is_relative_to(project.root) else path
            yield Layer(read_env_file(path, environ=environ), f" in {name}")


@dataclass(frozen=True)
class _Found:
    """An address as one place gives it, before anything is completed."""

    convention: Convention
    database: DatabaseConfig
    source: str
    is_own: bool


def _of_project(
    settings: DatabaseSettings, anchors: Sequence[Layer], layers: Sequence[Layer]
) -> _Found | None:
    """The project's own word: its variables, over the URL in its file."""
    mapped = mapped_convention(settings.env, settings.defaults)
    values = [layer.values for layer in layers]
    url_is_set = settings.url and can_expand(settings.url, [layer.values for layer in anchors])
    if settings.url and url_is_set and not find_part(mapped, "url", layers):
        source = f"url of [database.{settings.name}]"
        base = parse_url(expand_url(settings.url, values), origin=source)
        parts = read_convention(replace(mapped, assumed={}), layers)
        return _Found(mapped, _overlay(base, parts), source, is_own=True)
    anchor = find_anchor(mapped, anchors)
    if not anchor:
        return None
    return _Found(mapped, read_convention(mapped, layers), anchor.origin, is_own=True)


def _of_conventions(anchors: Sequence[Layer], layers: Sequence[Layer]) -> _Found | None:
    for convention in CONVENTIONS:
        anchor = find_anchor(convention, anchors)
        if anchor:
            _, in_file, place = anchor.origin.partition(" in ")
            source = f"{convention.name}{in_file}{place}"
            return _Found(convention, read_convention(convention, layers), source, is_own=False)
    return None


def _finish(found: _Found, project: Project, settings: DatabaseSettings, layers: Sequence[Layer]) -> Resolved:
    database, environ = found.database, layers[0].values
    is_one_of_many = len(project.databases) > 1
    if is_one_of_many and not found.is_own:
        # One set of variables cannot name several databases: it names the server they share.
        database = _named_by_file(database, settings)
    direct = _direct(found, project, settings, layers)
    return Resolved(
        project,
        settings,
        _complete(database, project, settings, environ),
        direct and _complete(direct, project, settings, environ),
        found.source,
        tuple(
            find_contradictions(
                found.convention, database, direct, layers[:1], is_apart=is_one_of_many and found.is_own
            )
        ),
    )


def _direct(
    found: _Found, project: Project, settings: DatabaseSettings, layers: Sequence[Layer]
) -> DatabaseConfig | None:
    """The address around the pooler: the project's word first, then the winning convention's."""
    values = [layer.values for layer in layers]
    mapped = find_part(mapped_convention(settings.env, {}), "direct_url", layers)
    if not mapped and settings.direct_url and can_expand(settings.direct_url, values):
        origin = f"direct-url of [database.{settings.name}]"
        return parse_url(expand_url(settings.direct_url, values), origin=origin)
    if not mapped and len(project.databases) == 1:
        mapped = find_part(found.convention, "direct_url", layers)
    return parse_url(mapped.value, origin=mapped.origin) if mapped else None


def _overlay(base: DatabaseConfig, parts: DatabaseConfig) -> DatabaseConfig:
    """The base with every part that the other has."""
    return replace(
        base,
        host=parts.host or base.host,
        port=parts.port or base.port,
        database=parts.database or base.database,
        user=parts.user or base.user,
        password=parts.password or base.password,
        options={**base.options, **parts.options},
        origin={**base.origin, **parts.origin},
    )


def _named_by_file(config: DatabaseConfig, settings: DatabaseSettings) -> DatabaseConfig:
    name = settings.defaults.get("name", settings.name)
    return _with_origin(config.with_database(name), "database", f"[database.{settings.name}]")


def _complete(
    config: DatabaseConfig, project: Project, settings: DatabaseSettings, environ: Mapping[str, str]
) -> DatabaseConfig:
    """The address with the file's database name and libpq's own variables where it says nothing."""
    if not config.database and project.file is not None and settings in project.databases:
        config = _named_by_file(config, settings)
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
