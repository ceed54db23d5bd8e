"""The environment variables in which applications keep the address of a database, as one table.

One rule holds for all: an address comes from one convention. Parts of two are never put together; what
another convention would add is reported by `resolve`, not used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from howdah.config.database import DatabaseConfig, Secret
from howdah.config.keywords import DEFAULT_PORT, FIELD_VARIABLES, OPTION_VARIABLES, is_port
from howdah.config.tls import read_sslmode
from howdah.config.url import format_url, parse_url
from howdah.errors import ConfigError

# part of an address -> field of DatabaseConfig; every other part is an option of libpq
_FIELDS = {"host": "host", "port": "port", "name": "database", "user": "user", "password": "password"}


@dataclass(frozen=True, repr=False)  # it may hold a password
class Found:
    """The value of a part, and where it came from, for people."""

    value: str
    origin: str


def _assume() -> Mapping[str, Found]:
    return {"host": Found("localhost", "default"), "port": Found(DEFAULT_PORT, "default")}


@dataclass(frozen=True)
class Convention:
    """Variables that belong together.

    Attributes:
        name: how people call it.
        parts: part of the address -> the variables that hold it, the first set one counts. Parts are `url`,
            `direct_url`, `host`, `port`, `name`, `user`, `password` and keywords of libpq.
        anchors: the parts of which one must be set for the convention to name a database.
        assumed: parts -> values that applications take where a variable is not set.
    """

    name: str
    parts: Mapping[str, tuple[str, ...]]
    anchors: tuple[str, ...] = ("url", "host", "name")
    assumed: Mapping[str, Found] = field(default_factory=_assume)


@dataclass(frozen=True, repr=False)  # it may hold a password
class Layer:
    """Variables of one place: the environment (`suffix` is empty) or a file (`suffix` is " in .env")."""

    values: Mapping[str, str]
    suffix: str = ""


def _libpq() -> Convention:
    named = {**FIELD_VARIABLES, **OPTION_VARIABLES}
    # howdah sets the first two itself; libpq before 18 knows the third as a variable only
    left_to_libpq = {"application_name", "client_encoding", "servicefile"}
    parts = {
        "name" if keyword == "dbname" else keyword: (variable,)
        for keyword, variable in named.items()
        if variable and keyword not in left_to_libpq
    }
    return Convention("PG*", parts, anchors=("host", "hostaddr", "name", "service"), assumed={})


CONVENTIONS: tuple[Convention, ...] = (
    Convention("HOWDAH_URL", {"url": ("HOWDAH_URL",), "direct_url": ("HOWDAH_DIRECT_URL",)}),
    Convention(
        "DATABASE_URL",
        {
            "url": ("DATABASE_URL",),
            # Prisma and Supabase; Neon; DigitalOcean and others
            "direct_url": ("DIRECT_URL", "DATABASE_URL_UNPOOLED", "DIRECT_DATABASE_URL"),
        },
    ),
    Convention(
        "DB_*",
        {
            "url": ("DB_URL",),
            "host": ("DB_HOST",),
            "port": ("DB_PORT",),
            "name": ("DB_NAME", "DB_DATABASE"),
            "user": ("DB_USER", "DB_USERNAME"),
            "password": ("DB_PASSWORD", "DB_PASS"),
            "sslmode": ("DB_SSLMODE", "DB_SSL_MODE", "DB_SSL"),
            "sslrootcert": ("DB_SSLROOTCERT", "DB_SSL_ROOT_CERT", "DB_SSL_CA"),
            "sslcert": ("DB_SSLCERT", "DB_SSL_CERT"),
            "sslkey": ("DB_SSLKEY", "DB_SSL_KEY"),
        },
    ),
    Convention(
        "POSTGRES_*",
        {
            "url": ("POSTGRES_URL",),
            "direct_url": ("POSTGRES_URL_NON_POOLING",),
            "host": ("POSTGRES_HOST", "POSTGRES_SERVER"),
            "port": ("POSTGRES_PORT",),
            "name": ("POSTGRES_DB", "POSTGRES_DATABASE"),
            "user": ("POSTGRES_USER", "POSTGRES_USERNAME"),
            "password": ("POSTGRES_PASSWORD", "POSTGRES_PASS"),
            "sslmode": ("POSTGRES_SSLMODE", "POSTGRES_SSL_MODE", "POSTGRES_SSL"),
            "sslrootcert": ("POSTGRES_SSLROOTCERT", "POSTGRES_SSL_ROOT_CERT", "POSTGRES_SSL_CA"),
            "sslcert": ("POSTGRES_SSLCERT", "POSTGRES_SSL_CERT"),
            "sslkey": ("POSTGRES_SSLKEY", "POSTGRES_SSL_KEY"),
        },
    ),
    Convention(
        "DBHOST, DBNAME, ...",
        {
            "host": ("DBHOST",),
            "port": ("DBPORT",),
            "name": ("DBNAME",),
            "user": ("DBUSERNAME", "DBUSER"),
            "password": ("DBPASSWORD", "DBPASS"),
            "sslmode": ("DBSSL", "DBSSLMODE"),
            "sslrootcert": ("DBSSLROOTCERT",),
            "sslcert": ("DBSSLCERT",),
            "sslkey": ("DBSSLKEY",),
        },
    ),
    _libpq(),
)


def mapped_convention(names: Mapping[str, str], defaults: Mapping[str, str]) -> Convention:
    """The project's own variables as a convention; any one that is set names the database.

    Unless they do not say where it is: a password alone belongs to the URL in the file.
    """
    parts = {part: (variable,) for part, variable in names.items()}
    assumed = {
        **_assume(),
        **{part: Found(value, "default of howdah.toml") for part, value in defaults.items()},
    }
    names_a_place = {"url", "host", "name"} & {*names, *defaults}
    anchors = tuple(part for part in parts if part != "direct_url") if names_a_place else ()
    return Convention("the project's variables", parts, anchors, assumed)


def find_part(convention: Convention, part: str, layers: Sequence[Layer]) -> Found | None:
    """The value of a part, from the first layer that sets one of its variables; empty ones are not set."""
    for layer in layers:
        for variable in convention.parts.get(part, ()):
            value = layer.values.get(variable, "")
            if value:
                origin = f"{variable}{layer.suffix}"
                return Found(_checked(value, origin), origin)
    return None


def find_anchor(convention: Convention, layers: Sequence[Layer]) -> Found | None:
    """The part by which the convention names a database, if it does."""
    return next(
        (found for part in convention.anchors if (found := find_part(convention, part, layers))), None
    )


def read_convention(convention: Convention, layers: Sequence[Layer]) -> DatabaseConfig:
    """The address that a convention's variables name, with what applications assume where one is not set.

    Raises:
        ConfigError: a variable holds what its part cannot be; names the variable, never its value.
    """
    url = find_part(convention, "url", layers)
    if url:
        return parse_url(url.value, origin=url.origin)
    found = {
        part: value
        for part in convention.parts
        if part not in ("url", "direct_url") and (value := find_part(convention, part, layers))
    }
    return _assemble({**convention.assumed, **found})


def as_variables(config: DatabaseConfig, names: Mapping[str, str]) -> dict[str, str]:
    """The application's variables for an address, with its password; `names` maps parts to variables.

    A part that the address does not have gives no variable. `left_out` says what no variable could take.
    """
    values = {
        "url": format_url(config, show_password=True),
        "host": config.host,
        "port": config.port or (DEFAULT_PORT if config.host else ""),
        "name": config.database,
        "user": config.user,
        "password": config.password.reveal() if config.password else "",
        **config.options,
    }
    return {variable: values[part] for part, variable in names.items() if values.get(part)}


def left_out(config: DatabaseConfig, names: Mapping[str, str]) -> tuple[str, ...]:
    """The options of an address for which the application has no variable."""
    if "url" in names:
        return ()
    return tuple(keyword for keyword in config.options if keyword not in names)


def libpq_variables() -> dict[str, str]:
    """The part -> variable mapping for a program that knows libpq's variables and no others."""
    return {part: variables[0] for part, variables in _libpq().parts.items()}


def print_env(variables: Mapping[str, str], *, exported: bool = False) -> str:
    """Lines `NAME='value'` for a `.env` file, with the real password: that is their purpose.

    `exported` puts `export` before them, for a shell whose programs shall have them.
    """
    before = "export " if exported else ""
    return "".join(f"{before}{name}={_quote(value)}\n" for name, value in variables.items())


def _quote(value: str) -> str:
    """In single quotes, but for what a shell or a reader of `.env` would take for the end of them."""

    def in_double_quotes(found: re.Match[str]) -> str:
        escaped = found[0].replace("\\", "\\\\")
        return f"'\"{escaped}\"'"

    return "'" + re.sub(r"\\*'|\\+\Z", in_double_quotes, value) + "'"


def _checked(value: str, origin: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{origin} is not UTF-8", code="bad-variable") from None
    return value


def _assemble(found: Mapping[str, Found]) -> DatabaseConfig:
    values = {part: _read_part(part, value) for part, value in found.items()}
    origin = {_FIELDS.get(part, part): value.origin for part, value in found.items()}
    password = values.pop("password", "")
    return DatabaseConfig(
        host=values.pop("host", ""),
        port=values.pop("port", ""),
        database=values.pop("name", ""),
        user=values.pop("user", ""),
        password=Secret(password) if password else None,
        options=values,
        origin=origin,
    )


def _read_part(part: str, found: Found) -> str:
    if part == "sslmode":
        return read_sslmode(found.value, origin=found.origin)
    if part == "port" and not all(not port or is_port(port) for port in found.value.split(",")):
        raise ConfigError(f"{found.origin} is not a port number", code="bad-variable")
    return found.value
