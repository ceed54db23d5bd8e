"""The address of one database: complete, frozen, masked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from howdah.config.keywords import SECRET_OPTIONS


class Secret:
    """A text that never shows: repr and str are masked; `reveal()` gives it to the driver."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Pass it to a driver or an environment, never to a message or a command line."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True)
class DatabaseConfig:
    """Where a database is and how to get in. Empty fields mean libpq's default.

    Attributes:
        host: libpq's `host`: a name, an address, a socket directory, or several with commas.
        port: libpq's `port`, as text; several with commas.
        database: name of the database.
        user: name of the role.
        password: masked everywhere.
        options: every other libpq keyword (`sslmode`, `sslrootcert`, `target_session_attrs`, ...).
        tool_options: parameters of a URL that are another tool's: golang-migrate's `x-migrations-table`,
            `x-multi-statement`, ..., Prisma's `pgbouncer`, ...; never sent to the server.
        origin: field or keyword -> where it came from, for people: "--url", "DBHOST in .env", "default".
    """

    host: str = ""
    port: str = ""
    database: str = ""
    user: str = ""
    password: Secret | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    tool_options: Mapping[str, str] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))
        object.__setattr__(self, "tool_options", MappingProxyType(dict(self.tool_options)))
        object.__setattr__(self, "origin", MappingProxyType(dict(self.origin)))

    def __repr__(self) -> str:
        options = {key: "***" if key in SECRET_OPTIONS else value for key, value in self.options.items()}
        return (
            f"DatabaseConfig(host={self.host!r}, port={self.port!r}, database={self.database!r},"
            f" user={self.user!r}, password={self.password!r}, options={options!r},"
            f" tool_options={dict(self.tool_options)!r})"
        )

    def conninfo(self) -> dict[str, str]:
        """Keywords of libpq and values, the password among them, for a driver; unset ones are left out."""
        named = {
            "host": self.host,
            "port": self.port,
            "dbname": self.database,
            "user": self.user,
            "password": self.password.reveal() if self.password else "",
        }
        return {key: value for key, value in {**self.options, **named}.items() if value}

    @property
    def target(self) -> str:
        """The database as a person names it, without a password: `kaimu on db.example.test:5432 as app`."""
        place = ",".join(
            f"{host}:{port}" if port else host
            for host, port in zip(self.host.split(","), self._ports(), strict=True)
        )
        if not self.host and "service" in self.options:
            place = f"service {self.options['service']}"
        text = f"{self.database or '(default database)'} on {place or '(default host)'}"
        return f"{text} as {self.user}" if self.user else text

    def _ports(self) -> list[str]:
        hosts, ports = self.host.split(","), self.port.split(",")
        return ports * len(hosts) if len(ports) == 1 else (ports + [""] * len(hosts))[: len(hosts)]

    def with_database(self, database: str) -> DatabaseConfig:
        """The same server and role, another database."""
        return replace(self, database=database)
