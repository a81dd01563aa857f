"""Whoever takes alerts: a web server that keeps what is posted, and a mail server that keeps letters."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

POLL = 0.02  # seconds until a server notices that it should stop


@dataclass
class Web:
    """A web server; ``status`` is what it answers, once ``hold`` is set."""

    url: str
    got: list[Any] = field(default_factory=list)
    status: int = 200
    asked: threading.Event = field(default_factory=threading.Event)
    hold: threading.Event = field(default_factory=threading.Event)


@contextmanager
def web() -> Iterator[Web]:
    """Start a web server that takes JSON."""
    server: Web

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.asked.set()
            server.hold.wait(4.0)
            if server.status == 200:
                server.got.append(body)
            self.send_response(server.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server = Web(f"http://127.0.0.1:{listening.server_port}/hook")
        server.hold.set()
        thread = threading.Thread(target=listening.serve_forever, args=(POLL,))
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()


@dataclass
class Mails:
    """The letters that a mail server took."""

    url: str = ""
    got: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        self.got.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 ok"


@contextmanager
def mails() -> Iterator[Mails]:
    """Start a mail server."""
    taken = Mails()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(taken, hostname="127.0.0.1", port=port)
    controller.start()
    taken.url = f"smtp://127.0.0.1:{port}"
    try:
        yield taken
    finally:
        controller.stop()
