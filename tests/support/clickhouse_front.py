"""ClickHouse's HTTP interface before the engine in this process, with faults when a test asks for them.

For tests alone: it knows users, databases, settings, parameters, formats and errors as a server does, as far
as clickhouse-connect asks for them, and runs each request on a connection of its own.
"""

import base64
import re
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb
from tests.support.chdb import engine

_TRANSPORT = frozenset(
    (
        *(
            "query",
            "database",
            "query_id",
            "user",
            "password",
            "wait_end_of_query",
            "client_protocol_version",
        ),
        *("enable_http_compression", "send_progress_in_http_headers", "http_headers_progress_interval_ms"),
        "cancel_http_readonly_queries_on_client_close",
    )
)
_INSERT = re.compile(r"\s*INSERT\s+INTO\s+(.+?)\s+FORMAT\s+(\w+)\s*$", re.DOTALL | re.IGNORECASE)
_CODE = re.compile(r"Code: (\d+)")
_REFUSED = (
    "Code: 516. DB::Exception: {user}: Authentication failed: password is incorrect, "
    "or there is no user with such name. (AUTHENTICATION_FAILED) (version 26.9.2.1)"
)


@dataclass
class Fault:
    """What goes wrong with the next requests whose statement begins so.

    ``unread``, ``unheard`` and ``unanswered`` are resets: in the middle of the request, before it is run, and
    after that. ``slow`` answers so many seconds later, and a number is the status of a refusal.
    """

    begin: str
    how: str
    seconds: float = 0.0
    times: int = 1


@dataclass
class Front:
    """A server that runs, and what it was asked."""

    port: int
    faults: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    profile: dict[str, str] = field(default_factory=dict)  # the user's settings, before those of a request

    def fault_of(self, statement: str) -> Fault | None:
        """Take the fault for a statement, if there is one."""
        found = next(
            (each for each in self.faults if statement.lstrip().upper().startswith(each.begin)), None
        )
        if found is not None:
            found.times -= 1
            if not found.times:
                self.faults.remove(found)
        return found


class _Server(ThreadingHTTPServer):
    front: Front
    folder: str
    user: str
    password: str
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that a fault broke off."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        body = self.rfile.read(length // 2)
        statement = dict(parse_qsl(urlsplit(self.path).query)).get("query") or body.decode(errors="replace")
        fault = self.server.front.fault_of(statement)
        if fault is not None and fault.how == "unread":
            self._reset()
        else:
            self._answer(body + self.rfile.read(length - len(body)), fault)

    def _answer(self, body: bytes, fault: Fault | None = None) -> None:
        asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        if self.headers.get_content_type() == "multipart/form-data":
            asked |= self._form(body)
            body = b""
        statement, _, data = (asked["query"].encode() + b"\n" + body if "query" in asked else body).partition(
            b"\n"
        )
        if not _INSERT.match(statement.decode()):
            statement, data = b"\n".join((statement, data)), b""
        text = statement.decode()
        front = self.server.front
        front.asked.append(text)
        front.headers.append(dict(self.headers.items()))
        fault = fault or front.fault_of(text)
        if fault is not None and fault.how == "unheard":
            self._reset()
        elif fault is not None and fault.how.isdecimal():
            self._send(int(fault.how), b"Code: 202. DB::Exception: Too many simultaneous queries. (TOO_MANY)")
        elif not self._is_let_in(asked):
            user = (
                base64.b64decode(self.headers.get("authorization", "Basic ")[6:]).decode().partition(":")[0]
            )
            self._send(403, _REFUSED.format(user=user).encode())
        else:
            result = _run(self.server.folder, {**front.profile, **asked}, text, data)
            if fault is not None and fault.how == "slow":
                time.sleep(fault.seconds)
            if fault is not None and fault.how == "unanswered":
                self._reset()
            else:
                self._send(*result)

    def _form(self, body: bytes) -> dict[str, str]:
        head = f"content-type: {self.headers['content-type']}\r\n\r\n".encode()
        parts: Any = BytesParser().parsebytes(head + body).get_payload()
        return {
            part.get_param("name", header="content-disposition"): part.get_payload(decode=True).decode()
            for part in parts
        }

    def _is_let_in(self, asked: Mapping[str, str]) -> bool:
        known = f"{self.server.user}:{self.server.password}".encode()
        given = self.headers.get("authorization", "")
        return given == "Basic " + base64.b64encode(known).decode() and "password" not in asked

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if status != 200 and (code := _CODE.search(body.decode())):
            self.send_header("X-ClickHouse-Exception-Code", code[1])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        """Hang up as a host does that went down: with a reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Say nothing."""


def _run(folder: str, asked: Mapping[str, str], statement: str, data: bytes) -> tuple[int, bytes]:
    """Run a statement on a connection of its own; give the status and the answer."""
    connection = chdb.connect(folder)
    try:
        if "database" in asked:
            connection.query(f"USE `{asked['database']}`", "TabSeparated")
        settings = ", ".join(
            f"{name} = '{value}'"
            for name, value in asked.items()
            if name not in _TRANSPORT and not name.startswith("param_")
        )
        if settings:
            connection.query(f"SET {settings}", "TabSeparated")
        parameters = {key.removeprefix("param_"): v for key, v in asked.items() if key.startswith("param_")}
        insert = _INSERT.match(statement)
        if insert:
            return 200, _insert(connection, insert, data)
        return 200, connection.query(statement, "TabSeparated", params=parameters).bytes() or b""
    except Exception as error:  # noqa: BLE001  # whatever the engine says is the answer
        text = str(error)
        return 404 if "UNKNOWN_DATABASE" in text else 500, text[max(text.find("Code:"), 0) :].encode()
    finally:
        connection.close()


def _insert(connection: Any, insert: re.Match[str], data: bytes) -> bytes:
    with tempfile.NamedTemporaryFile(suffix=".data") as file:
        Path(file.name).write_bytes(data)
        text = f"INSERT INTO {insert[1]} FROM INFILE '{file.name}' FORMAT {insert[2]}"
        return connection.query(text, "TabSeparated").bytes() or b""


@contextmanager
def front(
    user: str = "outlay",
    password: str = "secret",  # noqa: S107  # nobody's
    *,
    folder: Path | None = None,
    port: int = 0,
) -> Iterator[Front]:
    """Serve the engine to one user: this process's, or one in that folder; on that port, or any free one."""
    with ExitStack() as held, _Server(("127.0.0.1", port), _Handler) as server:
        if folder is not None:
            held.enter_context(closing(chdb.connect(str(folder))))  # the engine goes with its last connection
        server.folder = str(folder or engine().place.path)
        server.front = Front(server.server_address[1])
        server.user, server.password = user, password
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.front
        finally:
            server.shutdown()
            thread.join()
