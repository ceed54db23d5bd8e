"""URLs and conninfo texts to a DatabaseConfig and back. No message ever shows a piece of a password."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, unquote_to_bytes

from howdah.config.authority import Reading, possible_readings
from howdah.config.conninfo import looks_like_conninfo, split_conninfo
from howdah.config.database import DatabaseConfig, Secret
from howdah.config.dialects import known_parameters, translate
from howdah.config.keywords import FIELD_OF_KEYWORD, FIELD_VARIABLES, SECRET_OPTIONS, near_name
from howdah.errors import ConfigError

# postgis is Django's and Rails' word for PostgreSQL with PostGIS; pgx... are golang-migrate's drivers
_SCHEMES = ("postgresql", "postgres", "pgx", "pgx4", "pgx5", "pgsql", "postgis")
_SCHEME = re.compile(r"(jdbc:(?=\w+:))?([A-Za-z][\w.-]*)(?:\+[\w.-]+)?:((?(1)(?://)?|//))")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_MASK = "***"


def parse_url(text: str, *, origin: str = "--url") -> DatabaseConfig:
    """The address that a URL or a `key=value` text names.

    Understands libpq's own URLs and those of SQLAlchemy, pgx, golang-migrate, JDBC, Prisma, Rails and Django,
    several hosts, and passwords that were not percent-encoded wherever the text can be read in one way only.
    `x-...` and other parameters that only another tool knows are in `tool_options` of the result.

    Raises:
        ConfigError: it is no address of a PostgreSQL, or can be read in several ways.
    """
    text = _unquoted(text.strip())
    if not text:
        raise ConfigError(
            f"{origin} is empty", code="bad-address", fix="Leave it out, or set the variable it comes from."
        )
    if f":{_MASK}@" in text:  # it would become a role's password in `setup apply`
        raise ConfigError(
            f"{origin} has {_MASK} in place of its password",
            code="bad-address",
            why="howdah prints no passwords.",
            fix=f"Put the password in its place; one that really is {_MASK} is written %2A%2A%2A.",
        )
    if looks_like_conninfo(text):
        pairs = split_conninfo(text, origin=origin)
        # Where the first key is none, the text may be anything, such as a password that ends in '='.
        may_show = bool(pairs) and _is_parameter(pairs[0][0])
        return _collect(_translate_pairs(pairs, origin, may_show=may_show), origin)
    scheme = _SCHEME.match(text)
    if not scheme:
        raise ConfigError(
            f"{origin} is not a URL",
            code="bad-address",
            why="It starts with neither 'postgresql://' nor 'key='.",
            fix="Write postgresql://USER@HOST:5432/DATABASE, or postgresql:///DATABASE for a local socket.",
        )
    _check_scheme(scheme[2], origin)
    rest = text[scheme.end() :] if scheme[3] else "/" + text[scheme.end() :]  # jdbc:postgresql:DATABASE
    reading = _only_reading(rest, origin)
    query = _translate_pairs(_query_pairs(reading, origin), origin, may_show=rest.count("@") <= 1)
    return _collect([*_authority_pairs(reading, origin), *query], origin)


def format_url(config: DatabaseConfig, *, show_password: bool = False) -> str:
    """The address as a URL that libpq and parse_url read back; secrets are `***` unless asked for."""

    def shown(secret: str) -> str:
        return _encode(secret) if show_password else _MASK

    user = _encode(config.user)
    if config.password is not None:
        user += ":" + shown(config.password.reveal())
    parameters = []
    authority = _format_hosts(config.host, config.port)
    if authority is None:
        authority = ""
        parameters = [("host", _encode(config.host)), ("port", _encode(config.port))]
    parameters += [
        (key, shown(value) if key in SECRET_OPTIONS else _encode(value))
        for key, value in config.options.items()
    ]
    parameters += [(_encode(key), _encode(value)) for key, value in config.tool_options.items()]
    query = "&".join(f"{key}={value}" for key, value in parameters if value)
    return (
        "postgresql://"
        + (f"{user}@" if user else "")
        + authority
        + (f"/{_encode(config.database)}" if config.database or query else "")
        + (f"?{query}" if query else "")
    )


def _unquoted(text: str) -> str:
    """Without the quotes that `docker run --env-file` and YAML leave around a value."""
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _check_scheme(scheme: str, origin: str) -> None:
    name = scheme.lower()
    if name in _SCHEMES:
        return
    if name.startswith("prisma"):
        why = "This address is one of Prisma's proxy, which speaks HTTP."
        fix: str | None = "Use the direct address of the database, often in DIRECT_URL."
    elif name.startswith(("cockroach", "crdb", "yugabyte", "ysql", "redshift")):
        why, fix = (
            "It speaks PostgreSQL's protocol but is another server; howdah works on PostgreSQL only.",
            None,
        )
    else:
        why, near = "howdah works on PostgreSQL only.", near_name(name, _SCHEMES, cutoff=0.75)
        fix = f"Did you mean '{near}://'?" if near else "Use a URL that starts with postgresql://."
    raise ConfigError(
        f"{origin}: '{scheme}' is not a scheme of PostgreSQL", code="bad-address", why=why, fix=fix
    )


def _only_reading(rest: str, origin: str) -> Reading:
    readings = possible_readings(rest, is_parameter=_is_parameter)
    if len(readings) == 1:
        return readings[0]
    if readings:
        message, why = (
            "can be read in more than one way",
            "Its password has characters that also end a password.",
        )
    else:
        message = "cannot be split into user, password, host and database"
        why = "A host or port is malformed, or the password has characters that must be encoded."
    raise ConfigError(
        f"{origin} {message}",
        code="bad-address",
        why=why,
        fix="In the password, write %40 for @, %3A for :, %2F for /, %3F for ?, %23 for #, %25 for %; or use"
        " a variable for each part (DB_HOST, DB_USER, DB_PASSWORD, ...), where nothing is encoded.",
    )


def _is_parameter(name: str) -> bool:
    try:
        translate(_decode(name, "", part=""), "", origin="")
    except (KeyError, ConfigError):
        return False
    return True


def _authority_pairs(reading: Reading, origin: str) -> list[tuple[str, str]]:
    hosts, ports = [], []
    for place in reading.hosts.split(","):
        if place.startswith("["):
            host, _, port = place[1:].partition("]")
            port = port.removeprefix(":")
        else:
            host, _, port = place.partition(":")
        hosts.append(_decode(host, origin, part="host"))
        ports.append(port)
    user, _, password = (reading.userinfo or "").partition(":")
    return [
        ("host", ",".join(hosts).strip(",")),
        ("port", "" if not any(ports) else ",".join(ports)),
        ("dbname", _decode(reading.database, origin, part="database")),
        ("user", _decode(user, origin, part="user")),
        ("password", _decode_lenient(password, origin)),
    ]


def _query_pairs(reading: Reading, origin: str) -> list[tuple[str, str]]:
    pairs = []
    for pair in filter(None, reading.query.split("&")):
        name, _, value = pair.partition("=")
        if name.startswith("x-"):
            # golang-migrate's: Go reads a plus sign in a query as a space, libpq does not.
            value = value.replace("+", " ")
        decoded = (
            _decode_lenient(value, origin) if name == "password" else _decode(value, origin, part="parameter")
        )
        pairs.append((_decode(name, origin, part="parameter"), decoded))
    hosts = [value for name, value in pairs if name == "host"]
    if len(hosts) < 2:
        return pairs
    # SQLAlchemy's several hosts: host=a:5432&host=b:5432
    places = [host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "") for host in hosts]
    ports = ",".join(port for _, _, port in places)
    others = [pair for pair in pairs if pair[0] != "host"]
    return [*others, ("host", ",".join(host for host, _, _ in places)), ("port", ports.strip(",") and ports)]


def _translate_pairs(
    pairs: Iterable[tuple[str, str]], origin: str, *, may_show: bool
) -> Iterator[tuple[str, str]]:
    """Keywords of libpq, and other tools' parameters marked; an unknown name is shown where that is safe."""
    for name, value in pairs:
        try:
            translated = translate(name, value, origin=origin)
        except KeyError:
            raise _unknown_parameter(name, origin, may_show=may_show) from None
        may_show = may_show and name != "password"  # what follows may be its rest
        yield translated or (f"{_TOOL}{name}", value)


_TOOL = "tool:"  # marks a pair that is for DatabaseConfig.tool_options; no keyword of libpq has a colon


def _collect(pairs: Iterable[tuple[str, str]], origin: str) -> DatabaseConfig:
    """The config of keywords and values; of one named twice, the later counts, as in libpq."""
    fields = dict.fromkeys(FIELD_VARIABLES, "")
    options: dict[str, str] = {}
    tool_options: dict[str, str] = {}
    for key, value in pairs:
        if "\0" in value:
            raise ConfigError(
                f"{origin}: '{key.removeprefix(_TOOL)}' has a zero byte in it", code="bad-address"
            )
        if key.startswith(_TOOL):
            tool_options[key.removeprefix(_TOOL)] = value
        elif key in fields:
            fields[key] = value or fields[key]
        elif key == "options" and options.get("options"):
            options["options"] = f"{options['options']} {value}".strip()
        elif value:
            options[key] = value
    named = {FIELD_OF_KEYWORD.get(key, key): origin for key, value in fields.items() if value}
    return DatabaseConfig(
        host=fields["host"],
        port=fields["port"],
        database=fields["dbname"],
        user=fields["user"],
        password=Secret(fields["password"]) if fields["password"] else None,
        options=options,
        tool_options=tool_options,
        origin={**named, **dict.fromkeys(options, origin)},
    )


def _unknown_parameter(name: str, origin: str, *, may_show: bool) -> ConfigError:
    near = near_name(name, known_parameters())
    return ConfigError(
        f"{origin}: there is no parameter '{name}'" if may_show else f"{origin}: it has an unknown parameter",
        code="unknown-parameter",
        why=None if may_show else "Its name is not shown, because it may be a piece of the password.",
        fix=f"Did you mean '{near}'?" if near else "Use a connection parameter of libpq, or leave it out.",
    )


def _encode(text: str) -> str:
    return quote(text, safe="", errors="surrogateescape")


def _decode(text: str, origin: str, *, part: str) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        # `from None`: the cause would carry the text
        raise ConfigError(
            f"{origin}: the {part} is not UTF-8 after percent-decoding",
            code="bad-address",
            fix="Encode the characters as UTF-8: %C3%A9 for é, not %E9.",
        ) from None


def _decode_lenient(password: str, origin: str) -> str:
    """A password as meant: decoded, unless it has only percent signs that encode nothing."""
    if "%" in _ESCAPE.sub("", password) and _ESCAPE.search(password):
        raise ConfigError(
            f"{origin}: the password has percent signs that encode a character, and others that do not",
            code="bad-address",
            why="It cannot be told whether the password was percent-encoded.",
            fix="Write %25 for every percent sign that belongs to the password.",
        )
    return _decode(password, origin, part="password")


def _format_hosts(host: str, port: str) -> str | None:
    """`host:port,...`, or None where hosts and ports do not go in pairs and must be parameters."""
    hosts, ports = host.split(","), port.split(",") if port else []
    plain_ports = all(not text or (text.isascii() and text.isdigit()) for text in ports) and (
        any(ports) or not ports
    )
    if not plain_ports or len(ports) not in (0, len(hosts)) or (len(hosts) > 1 and "" in hosts):
        return None
    ports = ports or [""] * len(hosts)
    return ",".join(
        (f"[{host}]" if re.fullmatch(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*", host) else _encode(host))
        + (f":{port}" if port else "")
        for host, port in zip(hosts, ports, strict=True)
    )
