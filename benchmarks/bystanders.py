"""How long readers and writers wait for a statement: two sessions that do nothing but plan reads and writes meanwhile.

EXPLAIN takes the locks that the statement itself would take, on the indexes too, and touches no row: neither does it
wait for a row, nor is it slow where the table is full of dead ones.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import psycopg
from psycopg import sql

from howdah.pg.statements import split_script

_PAUSE_SECONDS = 0.004
_RELATIONS = """
SELECT n.nspname, c.relname, c.relkind::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'v', 'S') AND n.nspname !~ '^(pg_|information_schema)' ORDER BY c.oid
"""


class Bystander(threading.Thread):
    """Runs the statements in turn, again and again, and remembers the longest that one took."""

    def __init__(self, conninfo: str, statements: Sequence[sql.Composed]) -> None:
        super().__init__(daemon=True)
        self._conninfo = conninfo
        self._statements = statements
        self._is_ready = threading.Event()
        self._is_over = threading.Event()
        self.longest_seconds = 0.0

    def __enter__(self) -> Self:
        self.start()
        self._is_ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()

    def run(self) -> None:
        with psycopg.connect(self._conninfo, autocommit=True) as session:
            while not self._is_over.is_set():
                for statement in self._statements:
                    self._try(session, statement)
                self._is_ready.set()
                time.sleep(_PAUSE_SECONDS)

    def _try(self, session: psycopg.Connection, statement: sql.Composed) -> None:
        begin = time.perf_counter()
        try:
            session.execute(statement)
        except psycopg.Error:
            if session.closed:
                raise
            # What it reads may have been dropped or renamed: it waited for that all the same.
        if self._is_ready.is_set():
            self.longest_seconds = max(self.longest_seconds, time.perf_counter() - begin)


@dataclass(frozen=True)
class Watched:
    """What a script took, and the longest that anybody waited meanwhile."""

    seconds: float
    stall_seconds: float


def watch(conninfo: str, script: str, *, transactional: bool, settings: Mapping[str, str]) -> Watched:
    """Run a script beside a reader and a writer of all relations; it is rolled back if it is transactional."""
    readers, writers = _statements(conninfo)
    with Bystander(conninfo, readers) as reader, Bystander(conninfo, writers) as writer:
        with psycopg.connect(conninfo, autocommit=True) as session:
            for name, value in settings.items():
                session.execute("SELECT set_config(%s, %s, false)", [name, value])
            session.autocommit = not transactional
            begin = time.perf_counter()
            for statement in split_script(script):
                session.execute(statement.text.encode())
            seconds = time.perf_counter() - begin
            if transactional:
                session.rollback()
        time.sleep(_PAUSE_SECONDS)
    return Watched(seconds, max(reader.longest_seconds, writer.longest_seconds))


def _statements(conninfo: str) -> tuple[list[sql.Composed], list[sql.Composed]]:
    """What reads and what writes every relation."""
    with psycopg.connect(conninfo) as session:
        relations = session.execute(_RELATIONS).fetchall()
    readers, writers = [], []
    for schema, name, kind in relations:
        relation = sql.Identifier(schema, name)
        if kind == "S":
            writers.append(sql.SQL("SELECT nextval({}::regclass)").format(sql.Literal(f"{schema}.{name}")))
        else:
            readers.append(sql.SQL("EXPLAIN SELECT FROM {}").format(relation))
        if kind in "rp":
            writers.append(sql.SQL("EXPLAIN DELETE FROM {}").format(relation))
    return readers, writers
