"""The sessions a setup runs in: one in the database where it exists and lets us in, else one beside it."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from howdah.config.database import DatabaseConfig
from howdah.connect.session import open_session
from howdah.errors import ConnectError

if TYPE_CHECKING:
    import psycopg

_NO_DATABASE = "3D000"
_CLOSED = ("42501", "28000", "55000")  # CONNECT not granted; no line in pg_hba.conf; connections not allowed
_LOGIN_FAILED = ("28P01", "28000")


class Sessions:
    """Sessions of the role that sets up: the administrator's if there is one, else the application's own.

    `server` is any session on the server; `inside` is in the database, or None: then the database does not
    exist, or `closed` says why it lets us not in.
    """

    def __init__(self, target: DatabaseConfig, admin: DatabaseConfig | None = None) -> None:
        self._target = target
        self._admin = on_same_server(admin, target) if admin else None
        self._beside: psycopg.Connection | None = None
        self.inside: psycopg.Connection | None = None
        self.closed: str | None = None

    @property
    def is_own_login(self) -> bool:
        """The sessions are the application's own: its role and password let us in."""
        return self._admin is None

    @property
    def server(self) -> psycopg.Connection:
        session = self.inside or self._beside
        assert session is not None
        return session

    def __enter__(self) -> Self:
        try:
            if not self._is_missing():
                self.enter()
        except ConnectError as error:
            raise self._with_advice(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in (self.inside, self._beside):
            if session is not None:
                session.close()

    def enter(self) -> None:
        """Try once more to enter the database, for it may have been made since.

        Raises:
            ConnectError: no session at all could be opened.
        """
        config = self._admin or self._target
        try:
            self.inside = _open(config.with_database(self._target.database))
            self.closed = None
        except ConnectError as error:
            if error.sqlstate not in (_NO_DATABASE, *_CLOSED):
                raise
            self.closed = None if error.sqlstate == _NO_DATABASE else error.message
            self._beside = self._beside or self._open_beside(config, error)

    def _is_missing(self) -> bool:
        """Whether the administrator's own database says that there is no such database; then stay there.

        To try would leave a FATAL in the server's log.
        """
        if self._admin is None or self._admin.database in ("", self._target.database):
            return False
        try:
            self._beside = _open(self._admin)
        except ConnectError:
            return False  # there is another way in, or `enter` says why not
        query = "SELECT 1 FROM pg_database WHERE datname = %s"
        return self._beside.execute(query, [self._target.database]).fetchone() is None

    def _open_beside(self, config: DatabaseConfig, first: ConnectError) -> psycopg.Connection:
        """Any other database will do to create roles and databases: template1 last, for others copy it."""
        for name in dict.fromkeys((config.database, "postgres", "template1")):
            if name in ("", self._target.database):
                continue
            try:
                return _open(config.with_database(name))
            except ConnectError as error:
                if error.sqlstate not in (_NO_DATABASE, *_CLOSED):
                    raise
        raise first

    def _with_advice(self, error: ConnectError) -> ConnectError:
        if error.sqlstate not in _LOGIN_FAILED or self._admin is not None:
            return error
        return ConnectError(
            error.message,
            sqlstate=error.sqlstate,
            code=error.code,
            why=f"Perhaps role {self._target.user} is still to be created; its own login cannot do that.",
            fix="Give the address of an administrator, or hand the script to one.",
            next=("howdah setup plan --admin-url URL", "howdah setup plan --sql"),
        )


def on_same_server(admin: DatabaseConfig, target: DatabaseConfig) -> DatabaseConfig:
    """The administrator's address; where it names no host, on the server of the target."""
    if admin.host:
        return admin
    return replace(
        admin,
        host=target.host,
        port=admin.port or target.port,
        options={**target.options, **admin.options},
    )


def _open(config: DatabaseConfig) -> psycopg.Connection:
    session = open_session(config, application_name="howdah setup")
    session.prepare_threshold = None  # a pooler in between would not know them
    return session
