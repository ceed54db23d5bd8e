"""Which addresses a configuration stands for: several hosts, several addresses a name, in libpq's order."""

from __future__ import annotations

import ipaddress
import queue
import random
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from howdah.config.database import DatabaseConfig
from howdah.config.keywords import DEFAULT_PORT, is_port
from howdah.connect.failures import Failure, Step


@dataclass(frozen=True)
class Address:
    """One place to try. An empty `host` means libpq's default; `hostaddr` is the resolved address, if any."""

    host: str = ""
    port: str = ""
    hostaddr: str = ""

    @property
    def is_socket(self) -> bool:
        """Whether this is a Unix socket's directory (or abstract name)."""
        return self.host.startswith(("/", "@"))

    @property
    def place(self) -> str:
        """The address for people, empty where only libpq knows.

        What stands before an @ may be the end of a password, and is masked.
        """
        host = self.host or self.hostaddr
        if self.is_socket:
            return f"{host}/.s.PGSQL.{self.port or DEFAULT_PORT}"
        if "@" in host:
            host = "***@" + host.rpartition("@")[2]
        return f"{host}:{self.port or DEFAULT_PORT}" if host else ""

    def conninfo(self) -> dict[str, str]:
        """Libpq's keywords for this address alone."""
        named = {"host": self.host, "port": self.port, "hostaddr": self.hostaddr}
        return {key: value for key, value in named.items() if value}


def is_local(host: str) -> bool:
    """Whether a host as configured is this very machine: a socket, or the loopback."""
    return host.startswith(("/", "@", "127.")) or host in ("localhost", "::1")


def split_hosts(config: DatabaseConfig) -> list[Address]:
    """One address a host of the configuration, unresolved, in the order to try them.

    Raises:
        ValueError: a port is not one, or the numbers of hosts, addresses and ports do not match.
    """
    hosts = config.host.split(",")
    hostaddrs = config.options.get("hostaddr", "").split(",")
    ports = config.port.split(",")
    count = max(len(hosts), len(hostaddrs))
    lists = []
    for name, values in (("hosts", hosts), ("host addresses", hostaddrs), ("ports", ports)):
        if len(values) not in (1, count):
            raise ValueError(f"{len(values)} {name} for {count} servers")
        # a single port serves every host; a single host of several addresses names their certificate
        lists.append(values * count if len(values) == 1 else values)
    for port in filter(None, ports):
        if not is_port(port):
            raise ValueError(f'invalid port number: "{port}"')
    addresses = [Address(host, port, hostaddr) for host, hostaddr, port in zip(*lists, strict=True)]
    if config.options.get("load_balance_hosts") == "random":
        random.shuffle(addresses)
    return addresses


def resolve_address(address: Address, *, timeout_seconds: float) -> list[Address] | Failure:
    """The address with each of the numbers its name stands for, or the resolver's failure.

    Never takes longer than the timeout, though the C library's resolver may.
    """
    if not address.host or address.is_socket or address.hostaddr:
        return [address]
    if _is_number(address.host):
        return [Address(address.host, address.port, address.host)]
    answers: queue.SimpleQueue[list[str] | OSError | UnicodeError] = queue.SimpleQueue()
    threading.Thread(target=_look_up, args=(address, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=max(timeout_seconds, 0.001))
    except queue.Empty:
        message = f"the resolver did not answer within {timeout_seconds:.1f} s"
        return Failure(Step.RESOLVE, message, address.place, errno=socket.EAI_AGAIN)
    if isinstance(answer, OSError):
        return Failure(Step.RESOLVE, answer.strerror or str(answer), address.place, errno=answer.errno)
    if isinstance(answer, UnicodeError):
        message = "this cannot be the name of a host"
        return Failure(Step.RESOLVE, message, address.place, errno=socket.EAI_NONAME)
    return [Address(address.host, address.port, number) for number in answer]


def _look_up(address: Address, answers: queue.SimpleQueue[list[str] | OSError | UnicodeError]) -> None:
    try:
        found = socket.getaddrinfo(
            address.host, address.port or DEFAULT_PORT, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )
        answers.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
    except (OSError, UnicodeError) as error:  # UnicodeError: a label too long or empty for IDNA
        answers.put(error)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def session_passes(config: DatabaseConfig) -> Iterator[dict[str, str]]:
    """The passes over all hosts: one, or two for `prefer-standby` (first standbys only, then anything)."""
    if config.options.get("target_session_attrs") == "prefer-standby":
        yield {"target_session_attrs": "standby"}
        yield {"target_session_attrs": "any"}
    else:
        yield {}
