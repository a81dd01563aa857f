"""A websocket peer on loopback that plays a script: what it says at once, and what it answers."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve


@dataclass
class SocketPeer:
    """Greets, then answers the messages that come with one list of events after the other.

    ``binary`` messages are sent in frames of bytes, as Google's are. ``breaks`` drops the line at the end.
    """

    greeting: list[dict[str, Any]] = field(default_factory=list)
    answers: list[list[dict[str, Any]]] = field(default_factory=list)
    binary: bool = False
    breaks: bool = False
    paths: list[str] = field(default_factory=list)

    def __call__(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.paths.append(connection.request.path)
        self._send(connection, self.greeting)
        with suppress(ConnectionClosed):  # the client leaves when it likes
            for answer in self.answers:
                connection.recv()
                self._send(connection, answer)
            if self.breaks:
                # closed alone it would stay open for as long as our own thread reads from it
                connection.socket.shutdown(socket.SHUT_RDWR)
            for _ in connection:
                pass

    def _send(self, connection: ServerConnection, events: list[dict[str, Any]]) -> None:
        for event in events:
            text = json.dumps(event)
            connection.send(text.encode() if self.binary else text)


@contextmanager
def listening(peer: SocketPeer) -> Iterator[str]:
    """Listen on a free port of loopback; give host and port."""
    server = serve(peer, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.socket.getsockname()[1]}"
    finally:
        server.shutdown()
        thread.join(5)
