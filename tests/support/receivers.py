"""Whoever takes alerts: a web server that keeps what is posted, and a mail server that keeps letters."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

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
    """The letters that a mail server took, and the passwords that it was given."""

    url: str = ""
    got: list[EmailMessage] = field(default_factory=list)
    passwords: list[bytes] = field(default_factory=list)
    certificate: Path | None = None
    refuses: str | None = None  # an address

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address == self.refuses:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        self.got.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 ok"

    def authenticate(self, *login: Any) -> AuthResult:
        """Take any password."""
        self.passwords.append(login[-1].password)
        return AuthResult(success=True)


@contextmanager
def mails(certificate: Path | None = None) -> Iterator[Mails]:
    """Start a mail server; it offers TLS where there is a file for its certificate, which it signs itself."""
    taken = Mails(certificate=certificate)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    tls = None if certificate is None else signed_itself(certificate)
    controller = Controller(
        taken,
        hostname="127.0.0.1",
        port=port,
        authenticator=taken.authenticate,
        auth_require_tls=True,
        tls_context=tls,
    )
    controller.start()
    taken.url = f"smtp://127.0.0.1:{port}"
    try:
        yield taken
    finally:
        controller.stop()


def signed_itself(file: Path) -> ssl.SSLContext:
    """Make a certificate for 127.0.0.1 that nobody else has signed, and what a server serves it with."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = file.with_suffix(".key")
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file, secret)
    return context
