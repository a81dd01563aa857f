"""cohere: chat, embeddings, reranking, parsing and transcripts of its API's versions; streams, raw forms."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    contextmanager,
)
from functools import partial, wraps
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from outlay.capture.call import Call
from outlay.capture.contexts import inside, restore
from outlay.capture.guard import guarded
from outlay.capture.recorder import Recorder
from outlay.capture.streams import Watch, watch, watch_async
from outlay.extract import collector
from outlay.instrumentation.hosts import provider_at
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import (
    UNREAD,
    Begin,
    attempting,
    attempting_async,
    measured,
    measured_async,
    text_or_none,
    usage_in,
)

OLDEST = (5, 16)  # since then with raw clients, which every form passes
METHODS = {
    "chat": "cohere_chat",
    "generate": "cohere_chat",
    "summarize": "cohere_chat",
    "classify": "cohere_chat",
    "embed": "cohere_embed",
    "rerank": "rerank",
    "parse": "ocr",
}
TRANSCRIPTS = {"create": "transcription"}
STREAMS = {"chat_stream": "cohere_chat", "generate_stream": "cohere_chat"}


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - one form
    """Hook the SDK that is installed; its streams always bring their usage.

    Raises:
        ImportError: it is not installed.
    """
    from cohere import raw_base_client  # noqa: PLC0415 - loaded only where it is hooked
    from cohere.core import http_client  # noqa: PLC0415 - likewise
    from cohere.v2 import raw_client  # noqa: PLC0415 - likewise

    patches = Patches()
    for owner in (raw_base_client.RawBaseCohere, raw_client.RawV2Client):
        _hook(patches, recorder, owner, measured, _stream)
    for async_owner in (raw_base_client.AsyncRawBaseCohere, raw_client.AsyncRawV2Client):
        _hook(patches, recorder, async_owner, measured_async, _async_stream)
    patches.replace(http_client.HttpClient, "request", attempting)  # asks itself again
    patches.replace(http_client.AsyncHttpClient, "request", attempting_async)
    _hook_transcripts(patches, recorder)
    return patches


def _hook_transcripts(patches: Patches, recorder: Callable[[], Recorder]) -> None:
    try:
        spoken = import_module("cohere.audio.transcriptions.raw_client")
    except ImportError:  # an older release has none
        return
    _replace(patches, recorder, spoken.RawTranscriptionsClient, measured, TRANSCRIPTS)
    _replace(patches, recorder, spoken.AsyncRawTranscriptionsClient, measured_async, TRANSCRIPTS)


def _hook(
    patches: Patches,
    recorder: Callable[[], Recorder],
    owner: type,
    wrap: Callable[..., Any],
    wrap_stream: Callable[..., Any],
) -> None:
    _replace(patches, recorder, owner, wrap, METHODS)
    for name, api in STREAMS.items():
        begin = _beginner(recorder, patches, api, streamed=True)
        patches.replace(owner, name, partial(wrap_stream, begin=guarded(begin)))


def _replace(
    patches: Patches,
    recorder: Callable[[], Recorder],
    owner: type,
    wrap: Callable[..., Any],
    methods: Mapping[str, str],
) -> None:
    for name, api in methods.items():
        begin = _beginner(recorder, patches, api, streamed=False)
        patches.replace(owner, name, partial(wrap, begin=begin, settle=_settle))


def _beginner(recorder: Callable[[], Recorder], patches: Patches, api: str, *, streamed: bool) -> Begin:
    def begin(client: Any, _args: tuple[Any, ...], asked: dict[str, Any]) -> Call | None:
        if not patches.active or inside.get() is not None:
            return None
        parts = urlsplit(client._client_wrapper.get_base_url())  # noqa: SLF001 - the only place that tells
        provider = provider_at(parts.hostname or "", parts.port, "cohere")
        model = text_or_none(asked.get("model"))
        return Call(recorder(), provider=provider, api=api, model=model, streamed=streamed)

    return begin


def _settle(call: Call, result: Any) -> None:
    _place(call, result)
    # What was parsed is billed in Cohere's own units; as an operation it is like the others' OCR.
    call.finish(usage_in(result.data, call, "cohere_chat" if call.api == "ocr" else call.api))


def _place(call: Call, result: Any) -> None:
    """Let the host that answered name the provider: the clients for AWS send elsewhere than they say."""
    url = result._response.request.url  # noqa: SLF001 - all versions have it, not all a property
    call.provider = provider_at(url.host, url.port, "cohere")


@guarded
def _watch(call: Call, result: Any, watching: Callable[..., Any]) -> Watch:
    _place(call, result)
    seen = Watch(call, collector(call.provider, call.api))
    result._data = watching(result._data, seen)  # noqa: SLF001 - the one place that all reading passes
    return seen


def _stream(
    original: Callable[..., AbstractContextManager[Any]], begin: Callable[..., Call | None]
) -> Callable[..., AbstractContextManager[Any]]:
    @wraps(original)
    @contextmanager
    def chat_stream(self: Any, *args: Any, **asked: Any) -> Iterator[Any]:
        call = begin(self, args, asked)
        if call is None:
            with original(self, *args, **asked) as result:
                yield result
            return
        with ExitStack() as stack:
            token = inside.set(call)
            try:
                result = stack.enter_context(original(self, *args, **asked))
            except BaseException as error:
                call.fail(error)
                raise
            finally:
                restore(inside, token)
            stack.callback(_leave, call, _watch(call, result, watch))
            yield result

    return chat_stream


def _async_stream(
    original: Callable[..., AbstractAsyncContextManager[Any]], begin: Callable[..., Call | None]
) -> Callable[..., AbstractAsyncContextManager[Any]]:
    @wraps(original)
    @asynccontextmanager
    async def chat_stream(self: Any, *args: Any, **asked: Any) -> AsyncIterator[Any]:
        call = begin(self, args, asked)
        if call is None:
            async with original(self, *args, **asked) as result:
                yield result
            return
        async with AsyncExitStack() as stack:
            token = inside.set(call)
            try:
                result = await stack.enter_async_context(original(self, *args, **asked))
            except BaseException as error:
                call.fail(error)
                raise
            finally:
                restore(inside, token)
            stack.callback(_leave, call, _watch(call, result, watch_async))
            yield result

    return chat_stream


@guarded
def _leave(call: Call, seen: Watch | None) -> None:
    if seen is None:  # a fault of ours: nothing was seen of it
        call.finish(UNREAD)
    else:
        seen.leave()
