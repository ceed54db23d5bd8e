"""Which TCP port a local server takes, and on which loopback addresses it can listen."""

from __future__ import annotations

import socket
import zlib
from collections.abc import Iterator

# below the ranges from which systems take ports for outgoing connections (Linux from 32768)
_FIRST, _COUNT = 20000, 10000
_LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


def loopback_addresses() -> list[str]:
    """127.0.0.1, and ::1 where this machine has it."""
    return [address for family, address in _LOOPBACK if _can_bind(family, address, 0)]


def is_free(port: int) -> bool:
    """Whether nobody listens on that port of any loopback address."""
    return all(
        _can_bind(family, address, port) for family, address in _LOOPBACK if _can_bind(family, address, 0)
    )


def ports_for(name: str) -> Iterator[int]:
    """Ports to try for a server: the same for one name always, so that a reset keeps the address."""
    start = zlib.crc32(name.encode("utf-8", "surrogateescape"))
    return (_FIRST + (start + attempt) % _COUNT for attempt in range(_COUNT))


def _can_bind(family: socket.AddressFamily, address: str, port: int) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # as PostgreSQL does: connections of an earlier server that linger do not count
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
            probe.listen(1)
    except OSError:
        return False
    return True
