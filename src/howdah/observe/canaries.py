"""Canaries: sessions that ask for a table as an application's statements do, and measure how long they wait.

A reader asks for ACCESS SHARE, a writer for ROW EXCLUSIVE, again and again, each in a transaction of its own; no row is
touched. For copies only: in production they would stand in the application's way.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from howdah.config.database import DatabaseConfig
from howdah.connect.session import open_session
from howdah.errors import ConnectError

_log = logging.getLogger(__name__)

# Between two requests: so precise is the beginning of a stall.
_PAUSE_SECONDS = 0.005
# What a request takes when nobody stands in its way, on a busy machine.
_NOISE_SECONDS = 0.01
_JOIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Target:
    """A table, partitioned table or materialized view to watch; `is_view`: the latter, which is not written to."""

    relation: str
    schema: str
    name: str
    is_view: bool = False


@dataclass(frozen=True, slots=True)
class Stall:
    """One wait: from `began` to `ended` on the monotonic clock."""

    relation: str
    is_writer: bool
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        """How long."""
        return self.ended - self.began


class _Canary(threading.Thread):
    """One of them, in its own session."""

    def __init__(self, database: DatabaseConfig, target: Target, *, is_writer: bool) -> None:
        super().__init__(name=f"canary {target.relation}", daemon=True)
        self.database, self.target, self.is_writer = database, target, is_writer
        self.is_ready, self.is_over = threading.Event(), threading.Event()
        self.stalls: list[Stall] = []

    def run(self) -> None:
        """Ask until it is over, or until the table is gone."""
        request = _request(self.target, is_writer=self.is_writer)
        try:
            with open_session(self.database, application_name="howdah canary") as session:
                is_there = True
                while is_there and not self.is_over.is_set():
                    began = time.monotonic()
                    is_there = _ask(session, request)
                    ended = time.monotonic()
                    self.is_ready.set()
                    if ended - began > _NOISE_SECONDS:
                        self.stalls.append(Stall(self.target.relation, self.is_writer, began, ended))
                    time.sleep(_PAUSE_SECONDS)
        except (ConnectError, psycopg.Error) as error:
            _log.debug("%s ended: %s", self.name, error)
        finally:
            self.is_ready.set()


class Flock:
    """Canaries at work; their stalls are all there when the block that they fly in has ended."""

    def __init__(self, flying: Sequence[_Canary]) -> None:
        self._flying = flying

    @property
    def stalls(self) -> list[Stall]:
        """Every wait of more than 10 ms, in the order they began."""
        found = (stall for canary in self._flying for stall in canary.stalls)
        return sorted(found, key=lambda each: each.began)


def _request(target: Target, *, is_writer: bool) -> sql.Composed:
    table = sql.Identifier(target.schema, target.name)
    if target.is_view:
        # LOCK TABLE takes tables only; a query takes the same lock when it is planned.
        return sql.SQL("SELECT FROM {} LIMIT 0").format(table)
    mode = sql.SQL("ROW EXCLUSIVE" if is_writer else "ACCESS SHARE")
    # ONLY: a partition that is locked has canaries of its own.
    return sql.SQL("LOCK TABLE ONLY {} IN {} MODE").format(table, mode)


def _ask(session: psycopg.Connection, request: sql.Composed) -> bool:
    """Wait for the lock and let it go at once; False: the table is gone, or its name is."""
    try:
        with session.transaction(force_rollback=True):
            session.execute(request)
    except (
        psycopg.errors.UndefinedTable,
        psycopg.errors.InvalidSchemaName,
        psycopg.errors.WrongObjectType,
    ):
        return False
    except psycopg.errors.DeadlockDetected:
        return True
    return True


@contextmanager
def canaries(database: DatabaseConfig, targets: Sequence[Target]) -> Iterator[Flock]:
    """Watch these tables until the end of the block; all are watched when it begins."""
    flying = [
        _Canary(database, target, is_writer=is_writer)
        for target in targets
        for is_writer in ((False,) if target.is_view else (False, True))
    ]
    try:
        for each in flying:
            each.start()
        for each in flying:
            each.is_ready.wait(_JOIN_SECONDS)
        yield Flock(flying)
    finally:
        for each in flying:
            each.is_over.set()
        for each in flying:
            if each.ident is not None:
                each.join(_JOIN_SECONDS)
