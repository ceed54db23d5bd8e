"""The connection keywords of libpq and their PG* variables.

As of PostgreSQL 18, "Database Connection Control Functions" and "Environment Variables" in its documentation.
"""

from __future__ import annotations

from collections.abc import Iterable

# keyword -> the variable that libpq reads for it, or "" where there is none; first what are fields
FIELD_VARIABLES: dict[str, str] = {
    "host": "PGHOST",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
}
OPTION_VARIABLES: dict[str, str] = {
    "hostaddr": "PGHOSTADDR",
    "passfile": "PGPASSFILE",
    "require_auth": "PGREQUIREAUTH",
    "channel_binding": "PGCHANNELBINDING",
    "service": "PGSERVICE",
    "servicefile": "PGSERVICEFILE",
    "options": "PGOPTIONS",
    "application_name": "PGAPPNAME",
    "fallback_application_name": "",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "client_encoding": "PGCLIENTENCODING",
    "keepalives": "",
    "keepalives_idle": "",
    "keepalives_interval": "",
    "keepalives_count": "",
    "tcp_user_timeout": "",
    "replication": "",
    "sslmode": "PGSSLMODE",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "sslcompression": "PGSSLCOMPRESSION",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslkeylogfile": "",
    "sslpassword": "",
    "sslcertmode": "PGSSLCERTMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcrl": "PGSSLCRL",
    "sslcrldir": "PGSSLCRLDIR",
    "sslsni": "PGSSLSNI",
    "requirepeer": "PGREQUIREPEER",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "min_protocol_version": "PGMINPROTOCOLVERSION",
    "max_protocol_version": "PGMAXPROTOCOLVERSION",
    "gssencmode": "PGGSSENCMODE",
    "krbsrvname": "PGKRBSRVNAME",
    "gsslib": "PGGSSLIB",
    "gssdelegation": "PGGSSDELEGATION",
    "scram_client_key": "",
    "scram_server_key": "",
    "oauth_issuer": "",
    "oauth_client_id": "",
    "oauth_client_secret": "",
    "oauth_scope": "",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "load_balance_hosts": "PGLOADBALANCEHOSTS",
}

# Keywords among the options whose values must never show.
SECRET_OPTIONS = frozenset({"sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"})

DEFAULT_PORT = "5432"

# What DatabaseConfig calls the field that libpq calls otherwise.
FIELD_OF_KEYWORD = {"dbname": "database"}


def is_keyword(name: str) -> bool:
    """Whether libpq knows this connection keyword."""
    return name in FIELD_VARIABLES or name in OPTION_VARIABLES


def is_port(text: str) -> bool:
    """Whether this is the number of a TCP port."""
    return text.isascii() and text.isdigit() and 0 < int(text) < 65536


def near_name(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known name that looks most like this one, or None."""
    import difflib  # for mistakes only

    by_folded: dict[str, str] = {}
    for candidate in known:
        by_folded.setdefault(candidate.casefold().replace("-", "_"), candidate)
    close = difflib.get_close_matches(name.casefold().replace("-", "_"), by_folded, n=1, cutoff=cutoff)
    return by_folded[close[0]] if close else None
