"""A small TCP proxy that refuses, resets, goes slow or swallows, as it is told."""

import contextlib
import socket
import struct
import threading
import time
from pathlib import Path
from typing import Literal

Mood = Literal["good", "refuse", "reset", "slow", "swallow"]
_BLOCK = 1 << 14


class Proxy:
    """Stands between a client's port and a server's socket; its mood may change at any time."""

    def __init__(self, target: Path | tuple[str, int]) -> None:
        self.mood: Mood = "good"
        self.spared = 0  # bytes to the server before a reset
        self._target = target
        self._open = True
        self._pairs: list[socket.socket] = []
        self._listen()

    def _listen(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while self._open:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            if self.mood == "refuse":
                _reset(client)
                continue
            try:
                server = self._connect()
            except OSError:
                _reset(client)
                continue
            self._pairs += [client, server]
            threading.Thread(target=self._pump, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()

    def _connect(self) -> socket.socket:
        if isinstance(self._target, tuple):
            return socket.create_connection(self._target)
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(self._target))
        return server

    def _pump(self, source: socket.socket, sink: socket.socket, outward: bool) -> None:  # noqa: FBT001
        with contextlib.suppress(OSError):
            while block := source.recv(_BLOCK):
                if self.mood == "swallow":
                    continue
                if self.mood == "slow":
                    time.sleep(0.05)
                if self.mood == "reset":
                    if outward:
                        self.spared -= len(block)
                    if self.spared <= 0:
                        break
                sink.sendall(block)
        _reset(source)
        _reset(sink)

    def cut(self) -> None:
        """Reset every connection at once."""
        pairs, self._pairs = self._pairs, []
        for each in pairs:
            _reset(each)

    def close(self) -> None:
        """End it."""
        self._open = False
        self._listener.close()
        self.cut()


def _reset(connection: socket.socket) -> None:
    """Close with RST, as a machine does that has forgotten the connection."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
