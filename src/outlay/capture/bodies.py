"""HTTP bodies that the caller reads raw: what bears on usage is kept as it passes, and read at the end."""

import weakref
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

from outlay.capture.guard import guarded
from outlay.capture.streams import Watch, watch, watch_async
from outlay.core.errors import OutlayError
from outlay.core.usage import Usage
from outlay.extract import read

MAX_BODY = 32 * 1024 * 1024  # of a body that is one JSON document; more than any model answers
MAX_LINES = 64  # of a stream's lines that bear on usage, beside the first


class Body:
    """A collector of a raw body's bytes; of a server-sent stream it keeps the lines that bear on usage."""

    __slots__ = ("_first", "_is_stream", "_lines", "_parts", "_rest", "_size", "api", "provider")

    def __init__(self, provider: str, api: str, *, is_stream: bool) -> None:
        self.provider = provider
        self.api = api
        self._is_stream = is_stream
        self._parts: list[bytes] = []
        self._size = 0
        self._rest = b""
        self._first: bytes | None = None
        self._lines: deque[bytes] = deque(maxlen=MAX_LINES)

    def add(self, event: Any) -> None:
        """Take the next bytes."""
        self._size += len(event)
        if not self._is_stream:
            if self._size <= MAX_BODY:
                self._parts.append(event)
            return
        *lines, self._rest = (self._rest + event).split(b"\n")
        for line in lines:
            if not line.startswith(b"data:"):
                continue
            if self._first is None:  # kept for good: replies that speak of messages fill the others' place
                self._first = line
            elif b"sage" in line:  # usage, usageMetadata, message_start, …
                self._lines.append(line)

    @property
    def complete(self) -> bool:
        """Whether what came so far says what was used."""
        return bool(self.usage().items)

    def hold(self) -> None:
        """Nothing to copy: bytes do not change."""

    def usage(self) -> Usage:
        """Read what was kept."""
        if not self._is_stream and self._size > MAX_BODY:
            return Usage(reason=f"the body is larger than {MAX_BODY} bytes")
        kept = (*((self._first,) if self._first else ()), *self._lines, self._rest)
        body = b"\n\n".join(kept) if self._is_stream else b"".join(self._parts)
        try:
            return read(body, provider=self.provider, api=self.api)
        except OutlayError as error:
            return Usage(reason=str(error))


class _Lines:
    """A stream's bytes line by line, without the events that only came because we asked for them."""

    def __init__(self, hidden: Callable[[bytes], bool]) -> None:
        self._hidden = guarded(hidden)
        self._rest = b""
        self._hid = False  # whether the line before was hidden: the empty one behind it ends its event

    def shown(self, part: bytes) -> bytes:
        """Take the next bytes, and give what the caller may have of them: whole lines."""
        *lines, self._rest = (self._rest + part).split(b"\n")
        return b"".join(line + b"\n" for line in lines if self._shows(line))

    def last(self) -> bytes:
        """Give what is left when no more comes."""
        return self._rest if self._shows(self._rest) else b""

    def _shows(self, line: bytes) -> bool:
        behind = self._hid and not line.strip()
        self._hid = line.startswith(b"data:") and bool(self._hidden(line))
        return not (behind or self._hid)


def _without(chunks: Iterator[bytes], lines: _Lines) -> Iterator[bytes]:
    for chunk in chunks:
        if shown := lines.shown(chunk):
            yield shown
    if last := lines.last():
        yield last


async def _without_async(chunks: AsyncIterator[bytes], lines: _Lines) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        if shown := lines.shown(chunk):
            yield shown
    if last := lines.last():
        yield last


def tee(response: Any, seen: Watch, hidden: Callable[[bytes], bool] | None = None) -> None:
    """Watch what the caller reads of an HTTP response of httpx or httpx2, sync or async.

    ``hidden`` tells a line that the caller must not see. The methods of this one response are replaced, not
    those of its class. They hold it weakly: in a cycle it would outlive the caller's last reference, and with
    it the connection.
    """
    kind, itself, connections = type(response), weakref.ref(response), [response.stream]
    readers: list[weakref.ref[Any]] = []

    def iter_bytes(chunk_size: int | None = None) -> Iterator[bytes]:
        chunks = watch(kind.iter_bytes(itself(), chunk_size), seen)
        readers.append(weakref.ref(chunks))
        return chunks if hidden is None else _without(chunks, _Lines(hidden))

    def aiter_bytes(chunk_size: int | None = None) -> AsyncIterator[bytes]:
        chunks = watch_async(kind.aiter_bytes(itself(), chunk_size), seen)
        readers.append(weakref.ref(chunks))
        return chunks if hidden is None else _without_async(chunks, _Lines(hidden))

    @guarded
    def leave() -> None:
        # A response that ends or breaks while it is read closes itself; its reader then says how it went.
        if not any(_is_running(reader()) for reader in readers):
            seen.leave()

    def close() -> None:
        leave()
        for each in _closing(itself(), "close", connections):
            each()

    async def aclose() -> None:
        leave()
        for each in _closing(itself(), "aclose", connections):
            await each()

    response.iter_bytes = iter_bytes
    response.aiter_bytes = aiter_bytes
    response.close = close
    response.aclose = aclose


def _closing(response: Any, name: str, connections: list[Any]) -> list[Callable[[], Any]]:
    """Give what closes a response; where it is gone, collected with its reader, its connection, once."""
    held = connections.copy()
    connections.clear()
    if response is None:
        return [getattr(connection, name) for connection in held]
    _let_go(response)
    return [partial(getattr(type(response), name), response)]


def _let_go(response: Any) -> None:
    """Leave no method of ours on a response that is closed: nobody could copy or pickle it."""
    for name in ("iter_bytes", "aiter_bytes", "close", "aclose"):
        response.__dict__.pop(name, None)


def _is_running(reader: Any) -> bool:
    return bool(getattr(reader, "gi_running", False) or getattr(reader, "ag_running", False))
