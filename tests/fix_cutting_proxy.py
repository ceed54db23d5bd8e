"""A proxy that knows PostgreSQL's messages and cuts a connection between two of them, having told who is to die."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from howdah.config.database import DatabaseConfig

_STARTUP_WITHOUT_TYPE = "startup"


@dataclass
class CuttingProxy:
    """Forwards messages both ways, counts them, and after `cut_after` calls `on_cut` and cuts all connections.

    Attributes:
        names: the messages forwarded, such as `>P` (to the server, Parse) and `<C` (to the client, CommandComplete).
        backend_pid: the server process of the newest connection, from its BackendKeyData.
    """

    behind: DatabaseConfig
    cut_after: int | None = None
    on_cut: Callable[[CuttingProxy], None] = lambda _: None
    names: list[str] = field(default_factory=list)
    backend_pid: int | None = None
    is_cut: bool = False
    cut_is_done: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> str:
        return str(self._listener.getsockname()[1])

    def close(self) -> None:
        """End it, and every connection through it."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._sockets:
            _reset(each)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection((self.behind.host, int(self.behind.port)))
            except OSError:
                _reset(client)
                continue
            for each in (client, server):  # no message waits for the next one
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets += [client, server]
            counted = not self.is_cut  # who comes back after the cut is let through
            for source, sink, arrow in ((client, server, ">"), (server, client, "<")):
                threading.Thread(target=self._pump, args=(source, sink, arrow, counted), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, arrow: str, counted: bool) -> None:
        waiting = b""
        is_startup = arrow == ">"
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                waiting += data
                while (size := _message_size(waiting, is_startup=is_startup)) is not None:
                    message, waiting = waiting[:size], waiting[size:]
                    name = _STARTUP_WITHOUT_TYPE if is_startup else chr(message[0])
                    is_startup = False
                    if counted and not self._count(message, arrow + name):
                        return
                    sink.sendall(message)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def _count(self, message: bytes, name: str) -> bool:
        """Whether this message may pass."""
        with self._lock:
            if self.is_cut:
                return False
            if name == "<K":
                self.backend_pid = int(struct.unpack("!i", message[5:9])[0])
            if self.cut_after is not None and len(self.names) >= self.cut_after:
                self.is_cut = True
                present, self._sockets = self._sockets, []
                self.on_cut(self)
                for each in present:
                    _reset(each)
                self.cut_is_done.set()
                return False
            self.names.append(name)
        return True


def _message_size(data: bytes, *, is_startup: bool) -> int | None:
    """The length of the first message, or None where it is not complete."""
    head = 0 if is_startup else 1
    if len(data) < head + 4:
        return None
    size = head + int(struct.unpack("!i", data[head : head + 4])[0])
    return size if len(data) >= size else None


def _reset(connection: socket.socket) -> None:
    """Close without a farewell, in every thread that uses it."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
