"""What may be listening instead of a server: proxies that close, garble and deafen, programs of another kind."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

Conversation = Callable[[socket.socket], None]


@contextmanager
def listening(conversation: Conversation) -> Iterator[int]:
    """A program on a loopback port that does this with every connection; the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as connections:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                connections.callback(client.close)
                threading.Thread(target=_quietly, args=(conversation, client), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield int(listener.getsockname()[1])
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _quietly(conversation: Conversation, client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        conversation(client)


def say(answer: bytes) -> Conversation:
    """Read once, answer with these bytes, close."""

    def conversation(client: socket.socket) -> None:
        with client:
            client.recv(8192)
            client.sendall(answer)

    return conversation


def close_at_once(client: socket.socket) -> None:
    """Accept and hang up, as a load balancer without a server behind it."""
    client.close()


def reset(client: socket.socket) -> None:
    """Accept and cut the connection off without a farewell."""
    client.recv(8192)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def stay_silent(client: socket.socket) -> None:
    """Accept, listen, and never answer."""
    while client.recv(8192):
        pass


def dribble(client: socket.socket) -> None:
    """Answer one byte of a very long message every tenth of a second."""
    client.recv(8192)
    client.sendall(b"N")
    client.recv(8192)
    client.sendall(b"E\x00\x00\x40\x00")
    pause = threading.Event()
    while not pause.wait(0.1):
        client.sendall(b"x")


@contextmanager
def full_queue() -> Iterator[int]:
    """A port whose queue of connections is full: further ones get no answer at all, as behind a firewall."""
    with socket.socket() as listener, ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])


@pytest.fixture
def listen() -> Iterator[Callable[[Conversation], int]]:
    """`listen(stay_silent)`: a port on which a program does this until the test ends."""
    with ExitStack() as stack:
        yield lambda conversation: stack.enter_context(listening(conversation))
