"""The same provider on a mock transport, for the SDKs that still speak through httpx."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
from tests.support.wire import Server


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body of httpx2 handed to httpx; what breaks in it breaks here."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        yield from self._body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._body:
            yield part


class HttpxServer(Server):
    """Answers clients of httpx with what a Server answers."""

    def handle(self, request: httpx.Request) -> httpx.Response:
        answer: Any = self(request)  # type: ignore[arg-type]  # alike in all that a Server looks at
        headers = dict(answer.headers)
        return httpx.Response(answer.status_code, headers=headers, stream=Body(answer.stream))

    def sync_httpx(self, **options: Any) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self.handle), **options)

    def async_httpx(self, **options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self.handle), **options)
