"""Bedrock's runtime on a local server: JSON answers and the binary event streams of AWS."""

import json
import struct
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """One answer; a body in parts is a stream in chunks, which ``broken`` cuts off before its end."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    broken: bool = False
    hold: threading.Event | None = None  # what the answer waits for


def message(content: dict[str, Any], kind: str = "event", **headers: str) -> bytes:
    """Write one message of an event stream: prelude, headers, payload, each with its checksum."""
    payload = json.dumps(content).encode()
    named = {":message-type": kind, ":content-type": "application/json", **headers}
    packed = b"".join(
        struct.pack("!B", len(name))
        + name.encode()
        + b"\x07"
        + struct.pack("!H", len(value))
        + value.encode()
        for name, value in named.items()
    )
    prelude = struct.pack("!II", 16 + len(packed) + len(payload), len(packed))
    body = prelude + struct.pack("!I", zlib.crc32(prelude)) + packed + payload
    return body + struct.pack("!I", zlib.crc32(body))


def event(name: str, content: dict[str, Any]) -> bytes:
    """Write an event of that type."""
    return message(content, **{":event-type": name})


def exception(name: str, text: str) -> bytes:
    """Write an exception in the middle of a stream."""
    return message({"message": text}, "exception", **{":exception-type": name})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server: Any = self.server
        self.rfile.read(int(self.headers.get("content-length", 0)))
        server.paths.append(self.path)
        reply = server.replies.pop(0) if len(server.replies) > 1 else server.replies[0]
        if reply.hold is not None:
            reply.hold.wait(30)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if isinstance(reply.body, list):
            self._send_stream(reply)
        else:
            self._send_whole(json.dumps(reply.body).encode())

    def _send_whole(self, content: bytes) -> None:
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _send_stream(self, reply: Reply) -> None:
        self.send_header("content-type", "application/vnd.amazon.eventstream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.close_connection = reply.broken
        chunks = [f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in reply.body]
        self.wfile.write(b"".join(chunks) + (b"" if reply.broken else b"0\r\n\r\n"))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    replies: list[Reply]
    paths: list[str]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up in the middle, as some tests do."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def bedrock(*replies: Reply) -> Iterator[tuple[str, list[str]]]:
    """Serve these answers, the last one over and over; gives the URL and the paths that were asked for."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.replies, server.paths = list(replies), []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", server.paths
        finally:
            server.shutdown()
            thread.join()
