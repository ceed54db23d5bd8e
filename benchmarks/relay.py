"""A relay between a client and a server that counts round trips: how often the client spoke after the server had."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Relay:
    """`port` to connect to; `round_trips` over all connections so far."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.round_trips = 0


@contextmanager
def counting_relay(server_port: int) -> Iterator[Relay]:
    """A relay to a server on loopback, for as long as the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        relay = Relay(listener.getsockname()[1])

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=_carry, args=(relay, client, server_port), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield relay
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _carry(relay: Relay, client: socket.socket, server_port: int) -> None:
    with client, socket.create_connection(("127.0.0.1", server_port)) as server:
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector = selectors.DefaultSelector()
        selector.register(client, selectors.EVENT_READ, server)
        selector.register(server, selectors.EVENT_READ, client)
        server_spoke = True
        with contextlib.suppress(OSError):
            while True:
                for key, _ in selector.select():
                    source, target = key.fileobj, key.data
                    assert isinstance(source, socket.socket)
                    data = source.recv(1 << 16)
                    if not data:
                        return
                    if source is client and server_spoke:
                        relay.round_trips += 1
                    server_spoke = source is server
                    target.sendall(data)
