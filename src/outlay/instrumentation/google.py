"""google-genai: every HTTP hop of the Gemini API and of Vertex, those of automatic function calling too."""

import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import wraps
from typing import Any

from outlay.capture.call import Call
from outlay.capture.contexts import inside, restore
from outlay.capture.guard import guarded
from outlay.capture.recorder import Recorder
from outlay.capture.streams import Watch, first_inside, watch, watch_async
from outlay.core.usage import Usage
from outlay.extract import collector
from outlay.instrumentation import google_batches, google_turns
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import attempting, attempting_async

OLDEST = (1, 40)  # before, an answer was a dict
METHODS = {
    "generateContent": "generate_content",
    "streamGenerateContent": "generate_content",
    "embedContent": "embeddings",
    "batchEmbedContents": "embeddings",
}
_PREDICT = "predict"  # how Vertex embeds by its older models; what it draws so says nothing of its usage
_KEPT = 8  # chunks beside the first: more than enough for each field's last value


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - one form
    """Hook the SDK that is installed; its streams always bring their usage.

    Raises:
        ImportError: it is not installed.
    """
    from google.genai import _api_client  # noqa: PLC0415 - loaded only where it is hooked

    patches = Patches()
    begin = _beginner(recorder, patches)
    client = _api_client.BaseApiClient
    patches.replace(client, "request", lambda original: _sync(original, begin))
    patches.replace(client, "request_streamed", lambda original: _sync_stream(original, begin))
    patches.replace(client, "async_request", lambda original: _async(original, begin))
    patches.replace(client, "async_request_streamed", lambda original: _async_stream(original, begin))
    patches.replace(client, "_request_once", attempting)
    patches.replace(client, "_async_request_once", attempting_async)
    google_turns.hook(recorder, patches)
    google_batches.hook(recorder, patches, client)
    return patches


Begin = Callable[[Any, str, str, bool], Call | None]


def _beginner(recorder: Callable[[], Recorder], patches: Patches) -> Begin:
    @guarded
    def begin(client: Any, http_method: str, path: str, streamed: bool) -> Call | None:  # noqa: FBT001 - internal
        model, _, method = path.partition("?")[0].rpartition(":")
        api = "embeddings" if method == _PREDICT and "embed" in model else METHODS.get(method)
        if not patches.active or inside.get() is not None or http_method.lower() != "post" or api is None:
            return None
        provider = "vertex" if client.vertexai else "google"
        call = Call(
            recorder(), provider=provider, api=api, model=model.rpartition("/")[2] or None, streamed=streamed
        )
        if client.vertexai and client.location:
            call.terms["region"] = str(client.location)
        return call

    return begin


class _Chunks:
    """A collector of the wire's chunks: the first and the last ones are kept, and parsed only at the end."""

    __slots__ = ("_first", "_last", "provider", "rest")

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self._first: Any = None
        self._last: deque[Any] = deque(maxlen=_KEPT)
        self.rest = self._last.append  # takes what comes after the first chunk

    def add(self, event: Any) -> None:
        """Keep a chunk."""
        if self._first is None:
            self._first = event
        else:
            self.rest(event)

    def _texts(self) -> list[str]:
        return [chunk.body for chunk in (self._first, *self._last) if chunk is not None]

    @property
    def complete(self) -> bool:
        """Whether the last chunk with usage said why generation stopped."""
        last = next((text for text in reversed(self._texts()) if "sageMetadata" in text), "")
        return '"finishReason"' in last

    def hold(self) -> None:
        """Nothing to copy: texts do not change."""

    def usage(self) -> Usage:
        """Read what was kept."""
        reader = collector(self.provider, "generate_content")
        for text in self._texts():
            reader.add(json.loads(text))
        return reader.usage()


@guarded
def _finish(call: Call, response: Any) -> None:
    call.answer(response.body or "{}")


def _sync(original: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    @wraps(original)
    def request(self: Any, http_method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        call = begin(self, http_method, path, False)  # noqa: FBT003 - not streamed
        if call is None:
            return original(self, http_method, path, *args, **kwargs)
        if call.said is not None:
            call.said.asked(kwargs.get("request_dict"), *args)
        token = inside.set(call)
        try:
            response = original(self, http_method, path, *args, **kwargs)
        except BaseException as error:
            call.fail(error)
            raise
        finally:
            restore(inside, token)
        _finish(call, response)
        return response

    return request


def _async(original: Callable[..., Awaitable[Any]], begin: Begin) -> Callable[..., Awaitable[Any]]:
    @wraps(original)
    async def async_request(self: Any, http_method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        call = begin(self, http_method, path, False)  # noqa: FBT003 - not streamed
        if call is None:
            return await original(self, http_method, path, *args, **kwargs)
        if call.said is not None:
            call.said.asked(kwargs.get("request_dict"), *args)
        token = inside.set(call)
        try:
            response = await original(self, http_method, path, *args, **kwargs)
        except BaseException as error:
            call.fail(error)
            raise
        finally:
            restore(inside, token)
        _finish(call, response)
        return response

    return async_request


def _sync_stream(original: Callable[..., Iterator[Any]], begin: Begin) -> Callable[..., Iterator[Any]]:
    @wraps(original)
    def request_streamed(self: Any, http_method: str, path: str, *args: Any, **kwargs: Any) -> Iterator[Any]:
        # A generator, as the original is: nothing is sent, and nothing counted, until it is read.
        call = begin(self, http_method, path, True)  # noqa: FBT003 - streamed
        chunks = original(self, http_method, path, *args, **kwargs)
        if call is None:
            yield from chunks
        else:
            if call.said is not None:
                call.said.asked(kwargs.get("request_dict"), *args)
            yield from watch(first_inside(call, chunks), Watch(call, _Chunks(call.provider)))

    return request_streamed


def _async_stream(original: Callable[..., Awaitable[Any]], begin: Begin) -> Callable[..., Awaitable[Any]]:
    @wraps(original)
    async def async_request_streamed(
        self: Any, http_method: str, path: str, *args: Any, **kwargs: Any
    ) -> AsyncIterator[Any]:
        call = begin(self, http_method, path, True)  # noqa: FBT003 - streamed
        if call is None:
            return await original(self, http_method, path, *args, **kwargs)  # type: ignore[no-any-return]
        if call.said is not None:
            call.said.asked(kwargs.get("request_dict"), *args)
        token = inside.set(call)
        try:
            chunks = await original(self, http_method, path, *args, **kwargs)
        except BaseException as error:
            call.fail(error)
            raise
        finally:
            restore(inside, token)
        return watch_async(chunks, Watch(call, _Chunks(call.provider)))

    return async_request_streamed
