"""A server on loopback that answers as the providers do, and keeps the bill: what it said that was used.

A request's text may hold ``outlay:MODE:INPUT:OUTPUT:ID``. Modes: ``ok``; ``hold``, where nothing more comes
until the client goes (of a stream, its first event); ``error`` (500); ``flaky``, an error the first time;
``tool``, where a tool is called first. A request's first folder names whose bill it is on.
"""

import asyncio
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, Self

from tests.support import stub_bodies as bodies

_ASKED = re.compile(rb"outlay:(\w+):(\d+):(\d+):(\w+)")
_TOOL = re.compile(rb'"tools"\s*:\s*\[\s*\{')
_ANSWERED = re.compile(rb'"role"\s*:\s*"tool"|"tool_result"|"function_call_output"')


class Asked(NamedTuple):
    """What a request wants."""

    label: str
    path: str
    body: bytes
    mode: str = "ok"
    input: int = 1000
    output: int = 100
    id: str = ""

    @property
    def streamed(self) -> bool:
        """Whether the answer is to come in events."""
        by_path = "streamGenerate" in self.path or self.path.endswith("/converse-stream")
        return by_path or b'"stream":true' in self.body.replace(b" ", b"")


class Bill:
    """What the server has been asked and has said, by label."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.arrived: set[str] = set()
        self._seen: set[str] = set()

    def add(self, label: str, **counts: int) -> None:
        """Add to a label's counts."""
        for name, count in counts.items():
            self.counts[f"{label} {name}"] += count

    def of(self, label: str) -> dict[str, int]:
        """Give a label's counts; what never happened is not there."""
        names = (name.partition(" ") for name in self.counts)
        return {rest: self.counts[f"{label} {rest}"] for who, _, rest in names if who == label}

    def first_time(self, asked: Asked) -> bool:
        """Whether a request of this id is the first."""
        new = asked.id not in self._seen
        self._seen.add(asked.id)
        return new


async def serve(bill: Bill, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer a connection's requests until it ends; it may end at any moment."""
    with suppress(OSError, asyncio.IncompleteReadError):
        while (asked := await _request(reader)) is not None:
            if not await _answer(bill, asked, reader, writer):
                break
            await writer.drain()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def _request(reader: asyncio.StreamReader) -> Asked | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    path = first.split()[1]
    label, _, rest = path.lstrip("/").partition("/")
    found = _ASKED.search(body)
    if found is None:
        return Asked(label, f"/{rest}" if rest else path, body)
    mode, came, went, name = (each.decode() for each in found.groups())
    return Asked(label, f"/{rest}", body, mode, int(came), int(went), name)


async def _answer(
    bill: Bill, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Answer one request; whether the connection goes on."""
    bill.add(asked.label, requests=1)
    bill.arrived.add(asked.id)
    flaky = asked.mode == "flaky" and bill.first_time(asked)
    if flaky or asked.mode == "error":
        bill.add(asked.label, **{"flaky" if flaky else "errors": 1})
        _write(writer, 500, b'{"error": {"type": "api_error", "message": "it broke"}}')
        return True
    calls_tool = asked.mode == "tool" and _TOOL.search(asked.body) and not _ANSWERED.search(asked.body)
    answer = bodies.answer_to(asked.path, asked.body, (asked.input, asked.output), tool=bool(calls_tool))
    if asked.mode == "hold":
        bill.add(asked.label, held=1)
        if asked.streamed:
            bill.add(asked.label, held_streams=1, input=answer.told_first)
            _head(writer, answer.kind)
            _chunk(writer, answer.events[0])
            await writer.drain()
        await reader.read(1)  # nothing comes but the end
        return False
    bill.add(asked.label, billed=1, input=asked.input, output=asked.output)
    if not asked.streamed:
        _write(writer, 200, json.dumps(answer.whole).encode())
        return True
    _head(writer, answer.kind)
    for event in answer.events:
        _chunk(writer, event)
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    return True


def _write(writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
    writer.write(
        b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
        % (status, len(body), body)
    )


def _head(writer: asyncio.StreamWriter, kind: str) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ntransfer-encoding: chunked\r\n\r\n" % kind.encode())


def _chunk(writer: asyncio.StreamWriter, event: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(event), event))


class Stub:
    """A server in a thread of its own."""

    def __init__(self) -> None:
        self.bill = Bill()
        self.port = 0
        self.peers: dict[str, str] = {}
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._open: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stub")

    @property
    def connections(self) -> int:
        """How many callers are connected."""
        return len(self._open)

    def url(self, label: str) -> str:
        """Give the address whose requests are on this label's bill; another wire has a peer of its own."""
        return self.peers.get(label) or f"http://127.0.0.1:{self.port}/{label}"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._main())
        self._loop.close()

    async def _main(self) -> None:
        open_ = self._open

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            open_[task] = writer
            try:
                await serve(self.bill, reader, writer)
            finally:
                del open_[task]

        server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=1024, limit=2**22)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for writer in open_.values():
            writer.transport.abort()
        await asyncio.gather(*open_)
        await server.wait_closed()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()


@contextmanager
def stub() -> Iterator[Stub]:
    """Run a server for as long as the block."""
    with Stub() as running:
        yield running
