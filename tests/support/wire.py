"""A provider on a mock transport, and a sink that keeps its records in a list."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2

from outlay.core.record import Entry, Record


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def append(self, entry: Entry) -> None:
        self.entries.append(entry)

    def flush(self, timeout: float | None = None) -> bool:
        return True

    @property
    def records(self) -> list[Record]:
        return [entry for entry in self.entries if isinstance(entry, Record)]

    @property
    def only(self) -> Record:
        (record,) = self.records
        return record


@dataclass
class Server:
    """Answers requests from a list, one after the other; the last answer is repeated."""

    answers: list[httpx2.Response | Exception | Callable[[httpx2.Request], httpx2.Response]]
    requests: list[httpx2.Request] = field(default_factory=list)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    @property
    def sent(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]

    def client(self) -> httpx2.Client:
        return httpx2.Client(transport=httpx2.MockTransport(self))

    def async_client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self))


def sse(*events: dict[str, Any], done: bool = False, named: bool = False) -> bytes:
    """Write events as a server-sent stream."""
    parts = [
        (f"event: {event['type']}\n" if named else "") + f"data: {json.dumps(event)}\n\n" for event in events
    ]
    return ("".join(parts) + ("data: [DONE]\n\n" if done else "")).encode()


class Stream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body that comes event by event, and may break."""

    def __init__(self, body: bytes, error: Exception | None = None) -> None:
        self._parts = [part + b"\n\n" for part in body.split(b"\n\n") if part]
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts
        if self._error is not None:
            raise self._error

    async def __aiter__(self) -> Any:
        for part in self._parts:
            yield part
        if self._error is not None:
            raise self._error


def streamed(body: bytes, error: Exception | None = None) -> Callable[[httpx2.Request], httpx2.Response]:
    """Answer each request with a stream of its own."""
    return lambda _request: httpx2.Response(
        200, headers={"content-type": "text/event-stream"}, stream=Stream(body, error)
    )


def answer(body: Any, status: int = 200) -> Callable[[httpx2.Request], httpx2.Response]:
    """Answer each request with a JSON document."""
    return lambda _request: httpx2.Response(status, json=body)


class Left:
    """A stream that its caller closed: held, so that only its close makes its record, at that moment."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self.held: list[object] = []
        self.records: int | None = None

    def closed(self) -> None:
        """Count the records now."""
        self.records = len(self._kept.records)

    async def closed_in_loop(self) -> None:
        """Count them while the loop goes on: when it ends, it closes whatever was left to it.

        A generator inside of one that was closed is closed by the loop, a few steps later.
        """
        for _ in range(9):
            await asyncio.sleep(0)
        self.closed()
