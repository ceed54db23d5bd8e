"""Open one session, at once or as soon as the server is ready; say exactly why not."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
from psycopg import pq

from howdah.config.database import DatabaseConfig
from howdah.connect.addresses import Address, resolve_address, session_passes, split_hosts
from howdah.connect.failures import Failure, Step
from howdah.connect.login import log_in
from howdah.connect.patience import Patience
from howdah.errors import ConnectError

if TYPE_CHECKING:
    from howdah.connect.diagnosis import Diagnosis

_log = logging.getLogger(__name__)

_PARAMETERS = {
    "client_encoding": "UTF8",
    # a peer that vanished is noticed within about a minute, not after the kernel's two hours
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}


def open_session(
    config: DatabaseConfig, *, application_name: str = "howdah", timeout_seconds: float = 10.0
) -> psycopg.Connection:
    """An autocommit session. The timeout is for one address; every host of the configuration is tried.

    What the configuration's options say (`connect_timeout`, keepalives, encoding) goes before our defaults.

    Raises:
        ConnectError: with the SQLSTATE where a server answered, the step, the reason and the fix.
    """
    result = try_session(config, application_name=application_name, timeout_seconds=timeout_seconds)
    if not isinstance(result, psycopg.Connection):
        raise result.as_error()
    return result


def try_session(
    config: DatabaseConfig, *, application_name: str = "howdah", timeout_seconds: float = 10.0
) -> psycopg.Connection | Diagnosis:
    """Like open_session(), with the diagnosis as a value instead of an error."""
    timeout_seconds = own_timeout(config) or timeout_seconds
    return _try_all(config, application_name=application_name, timeout_seconds=timeout_seconds)


def wait_for_session(
    config: DatabaseConfig,
    *,
    application_name: str = "howdah",
    limit_seconds: float,
    on_wait: Callable[[ConnectError, float], None] | None = None,
) -> psycopg.Connection:
    """An autocommit session, as soon as the server gives one and within the limit, to the second.

    Only what may pass by itself is waited for: a server that starts, has no free session, fails over.
    `on_wait` is called before every pause with the reason and the seconds left.

    Raises:
        ConnectError: at once for what waiting cannot mend; after the limit, the last reason.
    """
    patience = Patience(limit_seconds, first_seconds=0.05, longest_seconds=2.0, jitter=True)
    attempt_seconds = own_timeout(config) or 10.0
    while True:
        result = _try_all(
            config,
            application_name=application_name,
            timeout_seconds=min(attempt_seconds, max(patience.left_seconds, 0.01)),
            deadline=patience.deadline,
        )
        if isinstance(result, psycopg.Connection):
            return result
        left = patience.left_seconds
        error = result.as_error()
        if not result.cause.transient or left <= 0:
            raise error
        if on_wait is not None:
            on_wait(error, left)
        patience.pause()


def own_timeout(config: DatabaseConfig) -> float | None:
    """The configuration's `connect_timeout`; libpq's 0 means none, which nobody waits for here."""
    try:
        seconds = float(config.options.get("connect_timeout", 0))
    except ValueError:
        return None  # libpq itself refuses it, in its own words
    return min(seconds, 3600.0) if seconds > 0 else None


def _try_all(
    config: DatabaseConfig, *, application_name: str, timeout_seconds: float, deadline: float | None = None
) -> psycopg.Connection | Diagnosis:
    """A session from the first address that gives one, or the diagnosis of all that did not."""
    failures: list[Failure] = []
    try:
        hosts = split_hosts(config)
    except ValueError as error:
        return _diagnose(config, [Failure(Step.CONFIGURATION, str(error))])
    base = {**_PARAMETERS, **config.conninfo(), "application_name": application_name}
    for overrides in session_passes(config):
        for address in _addresses(hosts, failures, timeout_seconds=timeout_seconds, deadline=deadline):
            conninfo = {**base, **overrides}
            # one address at a time: libpq alone would spend the whole limit on the first that hangs
            for key in ("host", "hostaddr", "port"):
                conninfo.pop(key, None)
            conninfo.update(address.conninfo())
            limit = _limit(timeout_seconds, deadline)
            result = log_in(conninfo, place=address.place, timeout_seconds=limit)
            if not isinstance(result, list):
                return _as_connection(result)
            failures += [_look_with_tls(config, address, failure, limit) for failure in result]
            _log_failures(config, result)
    return _diagnose(config, failures)


def _log_failures(config: DatabaseConfig, failures: Sequence[Failure]) -> None:
    from howdah.connect.diagnosis import shown_target

    for failure in failures:
        _log.debug("%s: %s: %s", shown_target(config), failure.place, failure.message)


def _diagnose(config: DatabaseConfig, failures: Sequence[Failure]) -> Diagnosis:
    # The table of causes is large; most sessions open.
    from howdah.connect.diagnosis import diagnose

    return diagnose(config, failures)


def _look_with_tls(
    config: DatabaseConfig, address: Address, failure: Failure, timeout_seconds: float
) -> Failure:
    """The failure, and whether encryption would have helped.

    The server says the same of a line that is missing and of one that wants TLS, but for words it translates.
    """
    if failure.routine != "ClientAuthentication" or address.is_socket:
        return failure
    from howdah.connect.probe import probe_address  # with ssl, 10 ms to import, for failures only

    encrypted = replace(config, options={**config.options, "sslmode": "require", "sslrootcert": ""})
    found = probe_address(encrypted, address, timeout_seconds=timeout_seconds)
    refused_again = found.failure is not None and found.failure.routine == failure.routine
    return replace(failure, tls_would_help=found.tls is not None and not refused_again)


def _addresses(
    hosts: list[Address], failures: list[Failure], *, timeout_seconds: float, deadline: float | None
) -> Iterator[Address]:
    """Every number of every host, looked up when its turn comes; names that have none become failures."""
    for host in hosts:
        resolved = resolve_address(host, timeout_seconds=_limit(timeout_seconds, deadline))
        if isinstance(resolved, Failure):
            failures.append(resolved)
        else:
            yield from resolved


def _limit(timeout_seconds: float, deadline: float | None) -> float:
    return (
        timeout_seconds if deadline is None else max(min(timeout_seconds, deadline - time.monotonic()), 0.01)
    )


def _as_connection(pgconn: pq.abc.PGconn) -> psycopg.Connection:
    connection = psycopg.Connection(pgconn)
    connection.autocommit = True
    return connection
