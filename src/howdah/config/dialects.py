"""Parameters in URLs that libpq does not know: translated to its words, kept for their tool, or unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from howdah.config.keywords import FIELD_VARIABLES, OPTION_VARIABLES, is_keyword, near_name
from howdah.config.tls import read_sslmode
from howdah.errors import ConfigError
from howdah.pg.identifiers import quote_identifier

# Other names of a keyword: JDBC, Rails, dbmate, Prisma, asyncpg.
_ALIASES = {
    "username": "user",
    "database": "dbname",
    "socket": "host",
    "ApplicationName": "application_name",
    "connectTimeout": "connect_timeout",
    "loginTimeout": "connect_timeout",
    "channelBinding": "channel_binding",
    "gssEncMode": "gssencmode",
    "sslMode": "sslmode",
    "ssl": "sslmode",
    "ssl_require": "sslmode",
    "targetServerType": "target_session_attrs",
    "loadBalanceHosts": "load_balance_hosts",
}

# Parameters that set a server setting for the session: lib/pq, pgx and asyncpg hand them over so.
_SETTINGS = {
    **{
        name: name
        for name in (
            "search_path",
            "statement_timeout",
            "lock_timeout",
            "idle_in_transaction_session_timeout",
            "timezone",
            "datestyle",
            "intervalstyle",
            "role",
            "client_min_messages",
            "default_transaction_isolation",
            "default_transaction_read_only",
            "extra_float_digits",
            "work_mem",
        )
    },
    "TimeZone": "timezone",
    "DateStyle": "datestyle",
    "schema_search_path": "search_path",
    "schema": "search_path",
    "currentSchema": "search_path",
}

# Parameters that concern a driver's or a pool's inside: of no meaning here, kept in `tool_options`.
_OF_TOOLS = frozenset(
    """
    pgbouncer connection_limit pool_timeout statement_cache_size socket_timeout single_use_connections
    sslaccept

    pool_max_conns pool_min_conns pool_min_idle_conns pool_max_conn_lifetime pool_max_conn_lifetime_jitter
    pool_max_conn_idle_time pool_health_check_period default_query_exec_mode statement_cache_capacity
    statement_cache_mode description_cache_capacity prefer_simple_protocol min_read_buffer_size

    binary_parameters disable_prepared_binary_result statement-cache-capacity uselibpqcompat max min

    prepared_statement_cache_size async_fallback conn_max_age conn_health_checks pool pool_size encoding
    prepared_statements reconnect timeout serverVersion charset

    socketTimeout tcpKeepAlive prepareThreshold reWriteBatchedInserts stringtype defaultRowFetchSize readOnly
    binaryTransfer preparedStatementCacheQueries preparedStatementCacheSizeMiB autosave cancelSignalTimeout
    logUnclosedConnections assumeMinServerVersion
    """.split()  # noqa: SIM905 - by tool: Prisma; pgx; lib/pq, sqlx, node; SQLAlchemy, Django, Rails, Ecto; JDBC
)

_TARGETS = {  # JDBC's targetServerType
    "master": "primary",
    "slave": "standby",
    "secondary": "standby",
    "preferSecondary": "prefer-standby",
    "preferSlave": "prefer-standby",
    "preferPrimary": "any",
}


def translate(name: str, value: str, *, origin: str) -> tuple[str, str] | None:
    """The keyword and value of libpq for a parameter of a URL, or None for one that is another tool's.

    The server settings of several parameters arrive as keyword `options`; the caller joins them.

    Raises:
        KeyError: nobody knows the parameter.
        ConfigError: the value is not one of those that libpq knows.
    """
    keyword = _ALIASES.get(name, name)
    if is_keyword(keyword):
        check = _VALUES.get(keyword)
        return keyword, check(value, origin) if check and value else value
    if name.startswith("options[") and name.endswith("]"):  # sqlx
        return "options", _setting(name[8:-1], value)
    if name in _SETTINGS:
        if name in ("schema", "currentSchema"):
            schemas = [schema for schema in value.split(",") if schema]
            # Prisma writes schema=public into every URL; poolers refuse `options`, and public is the default.
            if schemas == ["public"]:
                return "options", ""
            value = ",".join(map(quote_identifier, schemas))
        return "options", _setting(_SETTINGS[name], value)
    if name in _OF_TOOLS or name.startswith("x-"):
        return None
    raise KeyError(name)


def known_parameters() -> Iterable[str]:
    """Every parameter that `translate` knows by name, for suggestions."""
    return (*FIELD_VARIABLES, *OPTION_VARIABLES, *_ALIASES, *_SETTINGS, *_OF_TOOLS)


def _setting(name: str, value: str) -> str:
    """A server setting as libpq's `options` wants it: blanks and backslashes escaped."""
    escaped = value.replace("\\", "\\\\")
    for blank in " \t\n\r\f\v":
        escaped = escaped.replace(blank, "\\" + blank)
    return f"-c {name}={escaped}"


def _sslmode(value: str, origin: str) -> str:
    return read_sslmode(value, origin=f"sslmode in {origin}")


def _one_of(keyword: str, *words: str, other: dict[str, str] | None = None) -> Callable[[str, str], str]:
    def check(value: str, origin: str) -> str:
        word = (other or {}).get(value, value)
        if word in words:
            return word
        near = near_name(word, words)
        raise ConfigError(
            f"{origin}: {keyword} has a value that libpq does not know",
            code="bad-parameter",
            fix=f"Did you mean '{near}'?" if near else f"Use one of {', '.join(words)}.",
        )

    return check


_VALUES: dict[str, Callable[[str, str], str]] = {
    "sslmode": _sslmode,
    "target_session_attrs": _one_of(
        "target_session_attrs",
        "any",
        "read-write",
        "read-only",
        "primary",
        "standby",
        "prefer-standby",
        other=_TARGETS,
    ),
    "load_balance_hosts": _one_of(
        "load_balance_hosts", "disable", "random", other={"true": "random", "false": "disable"}
    ),
    "channel_binding": _one_of("channel_binding", "disable", "prefer", "require"),
    "gssencmode": _one_of("gssencmode", "disable", "prefer", "require"),
    "sslnegotiation": _one_of("sslnegotiation", "postgres", "direct"),
    "sslcertmode": _one_of("sslcertmode", "disable", "allow", "require"),
}
