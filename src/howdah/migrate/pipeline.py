"""Send many statements in one round trip and hear of each as it ends.

libpq's pipeline mode: the server skips everything after a failure up to the synchronisation point, so a COMMIT that
follows a failed statement is never run. One statement a message (extended protocol): a splitter's mistake
is an error, never two statements run as one. See PostgreSQL's documentation, "Pipeline Mode".
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import pq
from psycopg.errors import error_from_result

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

# How much may be under way at once: keeps the memory of a 50 MB script bounded, and the server busy.
_WINDOW_COMMANDS = 512
_WINDOW_BYTES = 1 << 20
_CHUNK_ROWS = 1000
_LOOK_EVERY_MS = 100
_NOT_THE_END = (pq.ExecStatus.PIPELINE_ABORTED, pq.ExecStatus.SINGLE_TUPLE, pq.ExecStatus.TUPLES_CHUNK)
_BAD = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE)


@dataclass(frozen=True, slots=True)
class Command:
    """A statement to send, or the name of a prepared one.

    `live` asks the server to answer at once, for progress, not with the next ones. `starts` sends what there is so far:
    the server works while the caller makes the rest.
    """

    sql: bytes
    parameters: tuple[bytes | None, ...] = ()
    live: bool = False
    is_prepared: bool = False
    starts: bool = False


class CommandFailed(Exception):
    """A command of a batch failed; those after it were not run. `index` counts from 0; `interrupted`: by Ctrl-C."""

    def __init__(self, index: int, error: psycopg.Error, *, interrupted: bool) -> None:
        super().__init__(str(error))
        self.index = index
        self.error = error
        self.interrupted = interrupted


def run_pipeline(
    connection: psycopg.Connection,
    commands: Iterable[Command],
    *,
    on_done: Callable[[int], None] | None = None,
) -> None:
    """Run the commands in order, as far as the first failure; `on_done(index)` after each.

    Raises:
        CommandFailed: a command failed. The transaction, if one is open, is in the failed state.
        psycopg.OperationalError: the connection was lost; what the server did with the batch is unknown.
        KeyboardInterrupt: after the server has stopped, unless the commands were done already.
    """
    pgconn = connection.pgconn
    pgconn.nonblocking = 1
    pgconn.enter_pipeline_mode()
    batch = _Batch(pgconn, on_done or (lambda _: None))
    try:
        batch.run(commands)
    finally:
        if batch.is_synced:
            pgconn.exit_pipeline_mode()
            pgconn.nonblocking = 0
        else:  # nobody knows what the server is at: this session cannot be used again
            connection.close()


class _Batch:
    """The state of one run: what was sent, what was answered, what failed."""

    def __init__(self, pgconn: PGconn, on_done: Callable[[int], None]) -> None:
        self._pgconn = pgconn
        self._on_done = on_done
        self._sizes: list[int] = []  # of the commands sent
        self._answered = 0
        self._bytes = 0  # sent and not answered
        self._failure: CommandFailed | None = None
        self.is_synced = False
        self._interrupted = False
        self._poll = select.poll()
        self._poll.register(pgconn.socket, select.POLLIN)

    def run(self, commands: Iterable[Command]) -> None:
        is_cut = False
        try:
            self._send_all(commands)
        except KeyboardInterrupt:
            # Between two lines of the sending: the server may be at work already, and the rest is not sent.
            if self._interrupted:
                raise
            self._interrupted = is_cut = True
            self._pgconn.get_cancel().cancel()
        self._pgconn.pipeline_sync()
        while not self.is_synced:
            self._exchange()
        # Behind the COMMIT the work is done; before it nothing of it stays.
        is_undone = self._answered == 0 or self._pgconn.transaction_status != pq.TransactionStatus.IDLE
        if self._failure is None and is_cut and is_undone:
            self._fail(psycopg.errors.QueryCanceled("canceling statement due to user request"))
        if self._failure is not None:
            raise self._failure
        if self._interrupted:
            raise KeyboardInterrupt

    def _send_all(self, commands: Iterable[Command]) -> None:
        """Send them, as far as the first failure."""
        for command in commands:
            while self._failure is None and self._is_full():
                self._exchange()
            if self._failure is not None:
                return
            send = self._pgconn.send_query_prepared if command.is_prepared else self._pgconn.send_query_params
            # Counted before it is sent: an interrupt between the two must not leave an answer that nobody expects.
            self._sizes.append(len(command.sql))
            self._bytes += len(command.sql)
            send(command.sql, command.parameters or None)
            if len(self._sizes) == self._answered + 1:
                self._ask_for_chunks()
            if command.live:
                self._pgconn.send_flush_request()
            if command.starts:
                self._pgconn.flush()

    def _is_full(self) -> bool:
        outstanding = len(self._sizes) - self._answered
        return outstanding >= _WINDOW_COMMANDS or (outstanding > 0 and self._bytes >= _WINDOW_BYTES)

    def _exchange(self) -> None:
        """Write what can be written, wait for the server, take what it answered."""
        if self._is_full():
            # Nothing would come back otherwise: without a flush request the server keeps its answers.
            self._pgconn.send_flush_request()
        try:
            self._wait()
        except KeyboardInterrupt:
            # The server stops the statement, and tells so like any other failure. A second Ctrl-C does not wait.
            if self._interrupted:
                raise
            self._interrupted = True
            self._pgconn.get_cancel().cancel()
            return
        self._take_all()

    def _wait(self) -> None:
        """Until there is something to take, or to write; may be broken off anywhere and called again."""
        unsent = self._pgconn.flush()
        self._poll.modify(self._pgconn.socket, select.POLLIN | (select.POLLOUT if unsent else 0))
        # A thread other than the main one is interrupted between two lines of Python, not in the middle of a wait.
        if any(events & ~select.POLLOUT for _, events in self._poll.poll(_LOOK_EVERY_MS)):
            self._pgconn.consume_input()

    def _take_all(self) -> None:
        """Take what the server has answered so far."""
        had_ended = False
        while not self.is_synced and not self._pgconn.is_busy():
            result = self._pgconn.get_result()
            # One null ends a command. A second one says that no other is under way, and would come for ever.
            if result is None and had_ended:
                return
            had_ended = result is None
            self._take(result)

    def _take(self, result: PGresult | None) -> None:
        # A null result ends the results of one command.
        if result is None:
            self._ask_for_chunks()
            return
        status = result.status
        if status == pq.ExecStatus.PIPELINE_SYNC:
            self.is_synced = True
        elif status in _BAD:
            self._fail(error_from_result(result))
        elif status not in _NOT_THE_END:
            index = self._answered
            self._bytes -= self._sizes[index]
            self._answered += 1
            self._on_done(index)

    def _ask_for_chunks(self) -> None:
        """Have the rows of the command whose answer comes next in portions: nobody wants them, and they may be many."""
        with suppress(psycopg.OperationalError):  # no command's answer comes next
            if psycopg.capabilities.has_stream_chunked():
                self._pgconn.set_chunked_rows_mode(_CHUNK_ROWS)
            else:
                self._pgconn.set_single_row_mode()

    def _fail(self, error: psycopg.Error) -> None:
        if self._failure is None:
            self._failure = CommandFailed(self._answered, error, interrupted=self._interrupted)
