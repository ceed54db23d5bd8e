"""Let runs that would stand in each other's way have their turns, one after the other."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg

from howdah.config.database import DatabaseConfig
from howdah.connect.session import open_session, wait_for_session
from howdah.migrate.formats import find_format
from howdah.migrate.migrator import Migrator

# So that an interruption is noticed while waiting.
_LOOK_EVERY_SECONDS = 0.1


class Turns:
    """Of runs that mean one database, or use a library that is made for one at a time, one at a time."""

    def __init__(self, addresses: Iterable[DatabaseConfig]) -> None:
        uses = Counter(map(_name, addresses))
        # Databases of different names are different ones; whether two of one name are one, the server knows.
        self._doubtful = {name for name, count in uses.items() if count > 1}
        self._guard = threading.Lock()
        self._turns: dict[Hashable, threading.Lock] = {}

    @contextmanager
    def hold(self, migrator: Migrator, *, wait_seconds: float) -> Iterator[None]:
        """Wait for the turn of this run, and hold it.

        Raises:
            ConnectError: the server had to be asked which database it is, and cannot be reached.
        """
        with ExitStack() as held:
            # Always in this order, or two runs would wait for each other.
            for key in self._keys(migrator, wait_seconds):
                held.enter_context(self._turn(key))
            yield

    def _keys(self, migrator: Migrator, wait_seconds: float) -> Iterator[Hashable]:
        if _name(migrator.database) in self._doubtful:
            yield _identify(migrator.database, wait_seconds=wait_seconds)
        if find_format(migrator.format).host is not None:
            yield migrator.format

    @contextmanager
    def _turn(self, key: Hashable) -> Iterator[None]:
        with self._guard:
            turn = self._turns.setdefault(key, threading.Lock())
        while not turn.acquire(timeout=_LOOK_EVERY_SECONDS):
            pass
        try:
            yield
        finally:
            turn.release()


def _identify(address: DatabaseConfig, *, wait_seconds: float) -> Hashable:
    """What tells a database from every other, by whatever address it is reached."""
    if wait_seconds:
        session = wait_for_session(address, application_name="howdah migrate", limit_seconds=wait_seconds)
    else:
        session = open_session(address, application_name="howdah migrate")
    with session:
        try:
            row = session.execute(
                "SELECT s.system_identifier, d.oid FROM pg_control_system() s, pg_database d"
                " WHERE d.datname = current_database()"
            ).fetchone()
        except psycopg.Error:  # the role may not ask
            row = None
    return row or (address.host, address.port, _name(address))


def _name(address: DatabaseConfig) -> str:
    return address.database or address.user  # as libpq has it
