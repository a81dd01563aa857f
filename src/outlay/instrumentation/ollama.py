"""ollama: chat, generate and embed, streamed or not, on hardware of one's own or in its cloud."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextvars import copy_context
from functools import partial, wraps
from typing import Any

from outlay.capture.call import Call
from outlay.capture.contexts import inside
from outlay.capture.guard import guarded
from outlay.capture.recorder import Recorder
from outlay.capture.streams import Watch, first_inside, first_inside_async, watch, watch_async
from outlay.extract import collector
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import (
    Begin,
    measured,
    measured_async,
    text_or_none,
    usage_in,
)

OLDEST = (0, 4)  # since then with one _request that every form passes
PATHS = {
    "/api/chat": "ollama_chat",
    "/api/generate": "ollama_generate",
    "/api/embed": "embeddings",
    "/api/embeddings": "embeddings",
    "/v1/systemone": "responses",  # whose counts have the names of OpenAI's responses
}


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - one form
    """Hook the SDK that is installed; its last object always brings the counts.

    Raises:
        ImportError: it is not installed.
    """
    from ollama import AsyncClient, Client  # noqa: PLC0415 - loaded only where it is hooked

    patches = Patches()
    begin = guarded(_beginner(recorder, patches))
    patches.replace(Client, "_request", partial(_sync, begin=begin))
    patches.replace(AsyncClient, "_request", partial(_async, begin=begin))
    return patches


def _api_of(args: tuple[Any, ...]) -> str | None:
    return PATHS.get(args[2]) if len(args) > 2 else None  # noqa: PLR2004 - (class, method, path)


def _beginner(recorder: Callable[[], Recorder], patches: Patches) -> Begin:
    def begin(_client: Any, args: tuple[Any, ...], asked: dict[str, Any]) -> Call | None:
        api = _api_of(args)
        if api is None or not patches.active or inside.get() is not None:
            return None
        model = text_or_none(asked["json"].get("model"))
        streamed = bool(asked.get("stream"))
        return Call(recorder(), provider="ollama", api=api, model=model, streamed=streamed)

    return begin


def _settle(call: Call, result: Any) -> None:
    call.finish(usage_in(result, call))


def _sync(original: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    whole = measured(original, begin, _settle)

    @wraps(original)
    def _request(self: Any, *args: Any, **asked: Any) -> Any:
        if not asked.get("stream") or _api_of(args) is None:
            return whole(self, *args, **asked)
        start = partial(copy_context().run, begin, self, args, asked)
        return _lazily(start, original(self, *args, **asked))

    return _request


def _lazily(start: Callable[[], Call | None], chunks: Iterator[Any]) -> Iterator[Any]:
    """Begin the call when the stream is first read, as the SDK does, for whom it was asked."""
    call = start()
    if call is None:
        yield from chunks
    else:
        yield from watch(first_inside(call, chunks), Watch(call, collector("ollama", call.api)))


def _async(original: Callable[..., Awaitable[Any]], begin: Begin) -> Callable[..., Awaitable[Any]]:
    whole = measured_async(original, begin, _settle)

    @wraps(original)
    async def _request(self: Any, *args: Any, **asked: Any) -> Any:
        if not asked.get("stream") or _api_of(args) is None:
            return await whole(self, *args, **asked)
        start = partial(copy_context().run, begin, self, args, asked)
        return _lazily_async(start, await original(self, *args, **asked))

    return _request


async def _lazily_async(start: Callable[[], Call | None], chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
    call, passed = start(), [chunks]
    if call is not None:
        first = first_inside_async(call, chunks)
        passed = [watch_async(first, Watch(call, collector("ollama", call.api))), first, chunks]
    try:
        async for chunk in passed[0]:
            yield chunk
    finally:
        # Each to the last, which holds the connection: left to the loop they would close some steps later.
        for each in passed:
            await _close(each)


async def _close(source: Any) -> None:
    if not getattr(source, "ag_running", True):  # else it was left within a step
        await source.aclose()
