"""aiobotocore, and aioboto3 on top of it: Bedrock's converse and invoke_model with their streams."""

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any

from outlay.capture.recorder import Recorder
from outlay.capture.streams import watch_async
from outlay.instrumentation import bedrock
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import leaving, leaving_async, measured_async

OLDEST = (2, 25)


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - one form
    """Hook the SDK that is installed; other services of AWS pass by.

    Raises:
        ImportError: it is not installed.
    """
    from aiobotocore import client, eventstream, response  # noqa: PLC0415 - loaded only where it is hooked

    patches = Patches()
    around = partial(
        measured_async,
        begin=bedrock.beginner(recorder, patches),
        settle=bedrock.settler(watch_async),
    )
    patches.replace(client.AioBaseClient, "_make_api_call", around)
    patches.replace(eventstream.AioEventStream, "_parse_event", _parsing)
    patches.override(eventstream.AioEventStream, "close", leaving)
    patches.replace(response.StreamingBody, "read", _reading)
    patches.replace(response.StreamingBody, "close", leaving)
    over_httpx = getattr(response, "HttpxStreamingBody", None)  # since 2.26, where httpx carries the calls
    for name, wrap in (("read", _reading), ("close", leaving_async), ("aclose", leaving_async)):
        if over_httpx is not None:
            patches.replace(over_httpx, name, wrap)
    return patches


def _parsing(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(original)
    async def _parse_event(self: Any, event: Any) -> Any:
        try:
            parsed = await original(self, event)
        except BaseException as error:
            bedrock.broke(self, error)
            raise
        bedrock.heard(self, parsed)
        return parsed

    return _parse_event


def _reading(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(original)
    async def read(self: Any, amt: int | None = None) -> Any:
        try:
            chunk = await original(self, amt)
        except BaseException as error:
            bedrock.broke(self, error)
            raise
        bedrock.came(self, amt, chunk)
        return chunk

    return read
