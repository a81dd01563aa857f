"""Views of a small Django project, each making calls."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

from outlay import process


def ask() -> None:
    """Make one call."""
    process.current().recorder().record(model="m", input_tokens=1)


def attributes(request: Any) -> dict[str, Any]:
    """Say what a request is: the callable that the settings name."""
    return {"route": request.path}


def plain(request: HttpRequest) -> HttpResponse:
    ask()
    return HttpResponse("done")


async def asynchronous(request: HttpRequest) -> HttpResponse:
    ask()
    return HttpResponse("done")


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def pieces() -> Iterator[bytes]:
        ask()
        yield b"do"
        ask()
        yield b"ne"

    return StreamingHttpResponse(pieces())


async def async_stream(request: HttpRequest) -> StreamingHttpResponse:
    async def pieces() -> AsyncIterator[bytes]:
        ask()
        yield b"do"
        ask()
        yield b"ne"

    return StreamingHttpResponse(pieces())


urlpatterns = [
    path("plain", plain),
    path("async", asynchronous),
    path("stream", stream),
    path("async_stream", async_stream),
]
