"""An application beside a run."""

from __future__ import annotations

import threading
import time
from typing import Self

from fix_db import connect
from howdah.config.database import DatabaseConfig


class Reader:
    """An application that reads a table all the time; the longest it ever waited, and how often it was served."""

    def __init__(self, database: DatabaseConfig, table: str = "a") -> None:
        self.longest_seconds = 0.0
        self.reads = 0
        self._query = f"SELECT count(*) FROM {table}".encode()
        self._database = database
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        with connect(self._database) as connection:
            while not self._stop.is_set():
                started = time.monotonic()
                connection.execute(self._query)
                self.longest_seconds = max(self.longest_seconds, time.monotonic() - started)
                self.reads += 1
                time.sleep(0.005)
