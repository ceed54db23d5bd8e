"""Let runs that would stand in each other's way have their turns, one after the other."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager

import psycopg

from howdah.config.database import DatabaseConfig
from howdah.connect.session import open_session, wait_for_session
from howdah.migrate.formats import find_format
from howdah.migrate.migrator import Migrator

_LOOK_EVERY_SECONDS = 0.05


class Turns:
    """Of runs that mean one database, one at a time; of those that need the whole process, one and no other."""

    def __init__(self, addresses: Iterable[DatabaseConfig]) -> None:
        uses = Counter(map(_name, addresses))
        # Databases of different names are different ones; whether two of one name are one, the server knows.
        self._doubtful = {name for name, count in uses.items() if count > 1}
        self._guard = threading.Lock()
        self._running = 0
        self._is_lent = False
        self._databases: set[Hashable] = set()

    @contextmanager
    def hold(self, migrator: Migrator, *, wait_seconds: float) -> Iterator[bool]:
        """Wait for the turn of this run, and hold it; True where it is alone.

        Raises:
            ConnectError: the server had to be asked which database it is, and cannot be reached.
        """
        # A host (alembic) gives its migrations the environment and the current folder, which threads share.
        is_alone = find_format(migrator.format).host is not None
        with self._process(is_alone=is_alone):
            if _name(migrator.database) in self._doubtful:
                with self._database(_identify(migrator.database, wait_seconds=wait_seconds)):
                    yield is_alone
            else:
                yield is_alone

    @contextmanager
    def _process(self, *, is_alone: bool) -> Iterator[None]:
        def may_begin() -> bool:
            return not self._is_lent and not (is_alone and self._running)

        with self._when(may_begin):
            self._running += 1
            self._is_lent = is_alone
        try:
            yield
        finally:
            with self._guard:
                self._running -= 1
                self._is_lent = False

    @contextmanager
    def _database(self, identity: Hashable) -> Iterator[None]:
        with self._when(lambda: identity not in self._databases):
            self._databases.add(identity)
        try:
            yield
        finally:
            with self._guard:
                self._databases.discard(identity)

    @contextmanager
    def _when(self, condition: Callable[[], bool]) -> Iterator[None]:
        """Hold the guard once the condition is true. Asks again and again, so that it can be interrupted."""
        while True:
            with self._guard:
                if condition():
                    yield
                    return
            time.sleep(_LOOK_EVERY_SECONDS)


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
