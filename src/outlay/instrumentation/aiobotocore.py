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
    from aiobotocore import client, endpoint, eventstream, response  # noqa: PLC0415 - loaded only where it is hooked

    patches = Patches()
    around = partial(
        measured_async,
        begin=bedrock.beginner(recorder, patches),
        settle=bedrock.settler(watch_async),
    )
    patches.replace(client.AioBaseClient, "_make_api_call", around)
    patches.replace(endpoint.AioEndpoint, "_needs_retry", _asking_again)
    patches.replace(eventstream.AioEventStream, "_parse_event", _parsing)
    patches.override(eventstream.AioEventStream, "close", leaving)
    _body(patches, response.StreamingBody, "close", leaving)
    over_httpx = getattr(response, "HttpxStreamingBody", None)  # where httpx can carry the calls
    if over_httpx is not None:
        patches.replace(over_httpx, "close", leaving_async)
        _body(patches, over_httpx, "aclose", leaving_async)
    return patches


def _body(patches: Patches, owner: type, close: str, wrap: Callable[..., Any]) -> None:
    """Hook how a body is read and closed; one of aiobotocore 2 is a proxy without a ``close`` of its own."""
    patches.replace(owner, "read", _reading)
    patches.replace(owner, "readinto", _reading_into)
    patches.replace(owner, "__aexit__", leaving_async)  # newer ones close themselves
    if hasattr(owner, close):
        patches.replace(owner, close, wrap)
    else:
        patches.add(owner, close, wrap(lambda self: getattr(self.__wrapped__, close)()))


def _asking_again(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(original)
    async def _needs_retry(self: Any, attempts: int, operation_model: Any, *args: Any, **kwargs: Any) -> Any:
        again = await original(self, attempts, operation_model, *args, **kwargs)
        if again:
            bedrock.going_again(operation_model, attempts)
        return again

    return _needs_retry


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


def _reading_into(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(original)
    async def readinto(self: Any, b: Any) -> Any:
        try:
            amount = await original(self, b)
        except BaseException as error:
            bedrock.broke(self, error)
            raise
        bedrock.filled(self, b, amount)
        return amount

    return readinto
