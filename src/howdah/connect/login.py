"""One login at one address, with an exact time limit and libpq's verbose words.

psycopg's own connect() rounds its limit up to 2 s an address and gives no SQLSTATE for a refused login. libpq
has the facts: asked for PQERRORS_VERBOSE, it adds `28P01:` and the server's C routine to the text.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import select
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from psycopg import Error, pq
from psycopg.conninfo import make_conninfo

from howdah.connect.failures import Failure, Step, parse_failures

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn

_DEFAULT, _VERBOSE = 1, 2  # PGVerbosity of libpq-fe.h
_STEPS = {
    pq.ConnStatus.STARTED: Step.CONNECT,
    pq.ConnStatus.NEEDED: Step.CONNECT,
    pq.ConnStatus.SSL_STARTUP: Step.TLS,
    pq.ConnStatus.GSS_STARTUP: Step.TLS,
}


def log_in(conninfo: Mapping[str, str], *, place: str, timeout_seconds: float) -> PGconn | list[Failure]:
    """A connection ready for psycopg, or why there is none. Takes no longer than the timeout.

    `conninfo` names one address, resolved: libpq would look up a name without a limit.
    """
    try:
        text = make_conninfo("", **conninfo)
    except Error as error:
        return [Failure(Step.CONFIGURATION, str(error).strip(), place)]
    pgconn = pq.PGconn.connect_start(text.encode())
    set_verbosity = _verbosity_setter()
    set_verbosity(pgconn, _VERBOSE)
    step = _poll(pgconn, time.monotonic() + timeout_seconds)
    if step is None:
        set_verbosity(pgconn, _DEFAULT)
        pgconn.nonblocking = 1
        return pgconn
    failures = _failures(pgconn, step, place=place, timeout_seconds=timeout_seconds)
    pgconn.finish()
    return failures


def _poll(pgconn: PGconn, deadline: float) -> Step | None:
    """Drive libpq until the session is ready (None) or it fails or the time is over: the step it was at."""
    step = Step.CONFIGURATION
    while pgconn.status != pq.ConnStatus.BAD:
        step = _STEPS.get(pq.ConnStatus(pgconn.status), Step.LOGIN)
        status = pgconn.connect_poll()
        if status == pq.PollingStatus.OK:
            return None
        if status == pq.PollingStatus.FAILED:
            return step
        poller = select.poll()  # not select(): a program with many files has descriptors above its limit
        poller.register(
            pgconn.socket, select.POLLIN if status == pq.PollingStatus.READING else select.POLLOUT
        )
        if not poller.poll(max(deadline - time.monotonic(), 0) * 1000):
            return step
    return step


def _failures(pgconn: PGconn, step: Step, *, place: str, timeout_seconds: float) -> list[Failure]:
    text = pgconn.get_error_message()
    if pgconn.status != pq.ConnStatus.BAD:
        message = f"no answer within {timeout_seconds:.3g} s"
        return [Failure(step, message, place, errno=errno.ETIMEDOUT)]
    failures = parse_failures(text, step=step, place=place)
    # a socket is connected to at once, before the first poll; only the text tells it from a bad keyword
    if step is Step.CONFIGURATION and text.startswith("connection to server"):
        return parse_failures(text, step=Step.CONNECT, place=place)
    return failures


@functools.cache
def _verbosity_setter() -> Callable[[PGconn, int], None]:
    """PQsetErrorVerbosity of the libpq that psycopg itself uses, which its interface leaves out."""
    module = sys.modules[pq.PGconn.__module__]
    try:
        # a compiled module's look-ups search the libraries it is linked to
        library = module.impl.pq if pq.__impl__ == "python" else ctypes.CDLL(str(module.__file__))
        function = library.PQsetErrorVerbosity
    except (OSError, AttributeError):
        # this build hides its libpq: only the SQLSTATE is lost
        return lambda _pgconn, _level: None
    function.argtypes = [ctypes.c_void_p, ctypes.c_int]
    function.restype = ctypes.c_int

    def set_verbosity(pgconn: PGconn, level: int) -> None:
        function(pgconn.pgconn_ptr, level)  # type: ignore[attr-defined]  # every build has it, the protocol not

    return set_verbosity
