"""Knock at every address of a database and report how far one gets, without libpq and without a password.

Name, connection, TLS, the first answer of the server: what it took, what was agreed on, and the failure with
its SQLSTATE and routine. A password is never sent: the probe leaves when it is asked for one.
"""

from __future__ import annotations

import errno
import getpass
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from howdah.config.database import DatabaseConfig
from howdah.config.keywords import DEFAULT_PORT
from howdah.config.tls import effective_sslmode
from howdah.connect.addresses import Address, resolve_address, split_hosts
from howdah.connect.failures import Failure, Step
from howdah.connect.tls import TlsFacts, encrypt, explain_distrust
from howdah.connect.wire import (
    NO_POSTGRES,
    SSL_REQUEST,
    TERMINATE,
    ClosedError,
    NotPostgresError,
    authentication_method,
    error_fields,
    printable,
    read_exactly,
    read_message,
    startup_message,
)

# sslmode -> whether to encrypt, in libpq's order of trying; every other mode encrypts
_TRIES = {"disable": [False], "allow": [False, True], "prefer": [True, False]}


@dataclass(frozen=True)
class AddressProbe:
    """How far one got at one address.

    Attributes:
        address: where, resolved as far as that went.
        seconds: step -> what it took, for every step that was reached.
        tls: what was agreed on; None where the connection is plain.
        tls_offered: whether the server takes TLS; None where it was not asked.
        method: how the server wants to be convinced, as in pg_hba.conf: "scram-sha-256", "trust", ...
        failure: why it went no further; None where the server let us in or asked for a password.
    """

    address: Address
    seconds: Mapping[Step, float] = field(default_factory=dict)
    tls: TlsFacts | None = None
    tls_offered: bool | None = None
    method: str | None = None
    failure: Failure | None = None


def probe(config: DatabaseConfig, *, timeout_seconds: float = 5.0) -> list[AddressProbe]:
    """The answer at every address of every host, in the order they are tried.

    No connection takes longer than the limit. Without a host, nothing is probed: only libpq knows where it
    would go.
    """
    try:
        hosts = [host for host in split_hosts(config) if host.host or host.hostaddr]
    except ValueError as error:
        return [AddressProbe(Address(), failure=Failure(Step.CONFIGURATION, str(error)))]
    probes = []
    for host in hosts:
        started = time.monotonic()
        resolved = resolve_address(host, timeout_seconds=timeout_seconds)
        took = time.monotonic() - started
        if isinstance(resolved, Failure):
            probes.append(AddressProbe(host, {Step.RESOLVE: took}, failure=resolved))
            continue
        for address in resolved:
            found = probe_address(config, address, timeout_seconds=timeout_seconds)
            probes.append(replace(found, seconds={Step.RESOLVE: took, **found.seconds}))
    return probes


def probe_address(config: DatabaseConfig, address: Address, *, timeout_seconds: float = 5.0) -> AddressProbe:
    """The answer at one resolved address; encrypted, plain, or one after the other as sslmode says."""
    tries = [False] if address.is_socket else _TRIES.get(effective_sslmode(config.options), [True])
    probes = []
    for encrypted in tries:
        probes.append(_knock(config, address, encrypted=encrypted, timeout_seconds=timeout_seconds))
        failure = probes[-1].failure
        if failure is None or failure.errno == errno.ETIMEDOUT:
            return probes[-1]
    return probes[0]


def _knock(
    config: DatabaseConfig, address: Address, *, encrypted: bool, timeout_seconds: float
) -> AddressProbe:
    knock = _Knock(config, address, timeout_seconds)
    failure = knock.run(encrypted=encrypted)
    tls = knock.tls
    if isinstance(knock.error, ssl.SSLCertVerificationError):
        # refused: look at the certificate once more, without judging it
        again = _Knock(config, address, timeout_seconds)
        again.run(encrypted=True, verify=False)
        certificate = again.tls.certificate if again.tls else None
        tls = again.tls and replace(again.tls, distrust=explain_distrust(knock.error, certificate))
    return AddressProbe(address, knock.seconds, tls, knock.tls_offered, knock.method, failure)


class _Knock:
    """One connection, step by step; what was found on the way stays when it fails."""

    def __init__(self, config: DatabaseConfig, address: Address, timeout_seconds: float) -> None:
        self.seconds: dict[Step, float] = {}
        self.tls: TlsFacts | None = None
        self.tls_offered: bool | None = None
        self.method: str | None = None
        self.error: Exception | None = None
        self._config = config
        self._address = address
        self._timeout_seconds = timeout_seconds
        self._deadline = time.monotonic() + timeout_seconds
        self._step = Step.CONNECT

    def run(self, *, encrypted: bool, verify: bool = True) -> Failure | None:
        try:
            with self._timed(Step.CONNECT):
                stream = self._connect()
            try:
                if encrypted:
                    with self._timed(Step.TLS):
                        stream = self._encrypt(stream, verify=verify)
                with self._timed(Step.LOGIN):
                    return self._log_in(stream)
            finally:
                stream.close()
        except (OSError, NotPostgresError, ClosedError) as error:
            self.error = error
            return self._failure(error)

    @contextmanager
    def _timed(self, step: Step) -> Iterator[None]:
        self._step = step
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[step] = time.monotonic() - started

    def _left(self) -> float:
        return max(self._deadline - time.monotonic(), 0.001)

    def _connect(self) -> socket.socket:
        address = self._address
        if not address.is_socket:
            number = (address.hostaddr or address.host, int(address.port or DEFAULT_PORT))
            return socket.create_connection(number, timeout=self._left())
        stream = socket.socket(socket.AF_UNIX)
        try:
            stream.settimeout(self._left())
            name = address.place
            stream.connect("\0" + name[1:] if name.startswith("@") else name)
        except OSError:
            stream.close()
            raise
        return stream

    def _encrypt(self, stream: socket.socket, *, verify: bool) -> socket.socket:
        options = self._config.options
        if options.get("sslnegotiation") != "direct":
            stream.settimeout(self._left())
            stream.sendall(SSL_REQUEST)
            answer = read_exactly(self._receiver(stream), 1)
            if answer not in b"SNE":
                raise NotPostgresError(f"{NO_POSTGRES}, received {printable(answer)}")
            self.tls_offered = answer == b"S"
            if answer == b"N" and effective_sslmode(options) == "prefer":
                return stream
            if answer != b"S":
                raise ssl.SSLError(0, "server does not support SSL, but SSL was required")
        stream.settimeout(self._left())
        secure, self.tls = encrypt(stream, options, host=self._address.host, verify=verify)
        return secure

    def _log_in(self, stream: socket.socket) -> Failure | None:
        user = self._config.user or getpass.getuser()
        parameters = {"user": user, "database": self._config.database or user}
        stream.settimeout(self._left())
        stream.sendall(startup_message(parameters))
        receive = self._receiver(stream)
        while (message := read_message(receive)).kind != "Z":
            if message.kind == "E":
                return self._refusal(error_fields(message.body))
            if message.kind == "R":
                self.method = authentication_method(message.body)
                if self.method != "trust":
                    return None
        stream.sendall(TERMINATE)
        return None

    def _receiver(self, stream: socket.socket) -> Callable[[int], bytes]:
        """Read with what is left of the time, however slowly the bytes come."""

        def receive(count: int) -> bytes:
            stream.settimeout(self._left())
            return stream.recv(count)

        return receive

    def _refusal(self, fields: Mapping[str, str]) -> Failure:
        return Failure(
            self._step,
            fields.get("M", "the server refused without a word"),
            self._address.place,
            sqlstate=fields.get("C"),
            routine=fields.get("R"),
            detail=fields.get("D"),
            hint=fields.get("H"),
        )

    def _failure(self, error: Exception) -> Failure:
        number = error.errno if isinstance(error, OSError) else None
        if isinstance(error, TimeoutError):
            message, number = f"no answer within {self._timeout_seconds:.3g} s", errno.ETIMEDOUT
        elif isinstance(error, ssl.SSLCertVerificationError):
            message, number = f"certificate verify failed: {error.verify_message}", None
        elif isinstance(error, ClosedError | ssl.SSLEOFError):
            message, number = "server closed the connection unexpectedly", None
        elif isinstance(error, ssl.SSLError):
            message, number = f"SSL error: {error.strerror or error.reason}", None
        elif isinstance(error, OSError):
            message = ": ".join(filter(None, [error.filename, error.strerror])) or str(error)
        else:
            message = str(error)
        return Failure(self._step, message, self._address.place, errno=number)
