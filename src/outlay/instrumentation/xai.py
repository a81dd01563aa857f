"""xai-sdk: chat and images over gRPC, at the stubs through which every form of a request is sent.

The SDK's own objects get stubs whose billed methods are measured; ``sample``, ``parse``, ``stream`` and their
batch forms all pass there once. A deferred request is sent, and then asked for: it is one call around both.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from functools import partial, wraps
from types import SimpleNamespace
from typing import Any

from outlay.capture.call import Call
from outlay.capture.contexts import inside
from outlay.capture.guard import guarded
from outlay.capture.recorder import Recorder
from outlay.capture.streams import Watch, watch, watch_async
from outlay.core.usage import Usage
from outlay.extract import Collector, collector
from outlay.instrumentation import xai_batches
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import Begin, measured, measured_async, text_or_none, usage_in

OLDEST = (1, 4)


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - one form
    """Hook the SDK that is installed; its streams always bring their usage.

    Raises:
        ImportError: it is not installed.
    """
    from xai_sdk import batch, chat, image  # noqa: PLC0415 - loaded only where it is hooked
    from xai_sdk.aio import chat as aio_chat  # noqa: PLC0415 - likewise
    from xai_sdk.sync import chat as sync_chat  # noqa: PLC0415 - likewise

    patches = Patches()
    begin = _beginner(recorder, patches)
    for owner in (chat.BaseClient, chat.BaseChat, image.BaseClient):
        patches.replace(owner, "__init__", partial(_with_stub, watched=partial(_watched, begin=begin)))
    bodies = {"completion_response": _line_body, "image_response": _made_body, "video_response": _made_body}
    looked = xai_batches.Watcher(recorder, patches, bodies)
    patches.replace(batch.BaseClient, "__init__", partial(_with_stub, watched=looked))

    def deferred(chat: Any, _args: tuple[Any, ...], asked: dict[str, Any]) -> Call | None:
        return begin("grpc_chat", (chat.proto,), asked)

    patches.replace(sync_chat.Chat, "_defer", lambda original: measured(original, deferred, _settle))
    patches.replace(aio_chat.Chat, "_defer", lambda original: measured_async(original, deferred, _settle))
    return patches


def _beginner(recorder: Callable[[], Recorder], patches: Patches) -> Begin:
    def begin(api: Any, args: tuple[Any, ...], _asked: dict[str, Any]) -> Call | None:
        if not patches.active or inside.get() is not None:
            return None
        return Call(recorder(), provider="xai", api=api, model=text_or_none(args[0].model))

    return begin


def _with_stub(original: Callable[..., None], watched: Callable[[Any], Any]) -> Callable[..., None]:
    """Wrap a constructor: what it made sends its requests through measured stubs."""
    watched = guarded(watched)

    @wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        stub = getattr(self, "_stub", None)
        if stub is not None:
            self._stub = watched(stub) or stub

    return init


class _Stub(SimpleNamespace):
    """A stub's methods, those that bill measured; whom it stands for, and who measures."""


def _watched(stub: Any, begin: Begin) -> _Stub:
    """Give a stub's methods once more; the stub itself is left as it is."""
    if isinstance(stub, _Stub):
        if stub.outlay_begin is begin:
            return stub
        stub = stub.outlay_plain  # measured by hooks that were taken out since
    methods = dict(vars(stub))
    for name, api in (
        ("GetCompletion", "grpc_chat"),
        ("CompactContext", "grpc_chat"),
        ("GenerateImage", "images"),
    ):
        if name in methods:
            methods[name] = _whole(methods[name], api, begin)
    if "GetCompletionChunk" in methods:
        methods["GetCompletionChunk"] = _streamed(methods["GetCompletionChunk"], begin)
    return _Stub(**methods, outlay_plain=stub, outlay_begin=begin)


def _whole(method: Any, api: str, begin: Begin) -> Callable[..., Any]:
    if not _is_async(method):

        def send(_api: str, *args: Any, **kwargs: Any) -> Any:
            return method(*args, **kwargs)

        return partial(measured(send, begin, _settle), api)

    async def ask(_api: str, *args: Any, **kwargs: Any) -> Any:
        return await method(*args, **kwargs)

    return partial(measured_async(ask, begin, _settle), api)


def _streamed(method: Any, begin: Begin) -> Callable[..., Any]:
    watching: Callable[..., Any] = watch_async if _is_async(method) else watch

    def settle(call: Call, chunks: Iterator[Any] | AsyncIterator[Any]) -> Any:
        call.streamed = True
        return watching(chunks, Watch(call, _Chunks()))

    def send(_api: str, *args: Any, **kwargs: Any) -> Any:
        return method(*args, **kwargs)  # the request is sent now; its answer comes as it is read

    return partial(measured(send, begin, settle), "grpc_chat")


def _is_async(method: Any) -> bool:
    return type(method).__module__.startswith("grpc.aio")


class _Chunks:
    """A collector of chunks, of which each says what was used so far: the first and the last are kept."""

    __slots__ = ("_first", "_last")

    def __init__(self) -> None:
        self._first: Any = None
        self._last: Any = None

    def add(self, event: Any) -> None:
        """Keep a reference."""
        if self._first is None:
            self._first = event
        self._last = event

    def _read(self) -> Collector:
        reader = collector("xai", "grpc_chat")
        for chunk in (self._first, self._last):
            if chunk is not None:
                reader.add(_chat_body(chunk))
        return reader

    @property
    def complete(self) -> bool:
        """Whether the last chunk ends an output."""
        return self._read().complete

    def usage(self) -> Usage:
        """Read the last chunk's usage."""
        return self._read().usage()


def _settle(call: Call, response: Any) -> None:
    if call.api == "images":
        call.finish(_drawn(call, response))
        return
    call.finish(usage_in(_chat_body(response), call))


def _drawn(call: Call, response: Any) -> Usage:
    """Read drawn images; where nothing is said of their usage, their number is what was bought."""
    images = len(response.images)
    usage = usage_in(_made_body(response), call)
    bought = Usage.of({"images": images}, model=response.model or None)
    return usage if usage.items or usage.reported_cost is not None else replace(bought, raw=usage.raw)


def _made_body(message: Any) -> dict[str, Any]:
    """Give an answer of images, or of a film, which is none."""
    images = len(getattr(message, "images", ()))
    return {"model": message.model, "usage": _said(message), "data": [None] * images}


def _tier(message: Any) -> str | None:
    """Name the tier that served; older releases and other answers have none."""
    field = message.DESCRIPTOR.fields_by_name.get("service_tier")
    return None if field is None else field.enum_type.values_by_number[message.service_tier].name


def _said(message: Any) -> dict[str, Any]:
    """Copy a message's usage by protobuf's own names: only so are its tools named, and 0 told from unsaid."""
    from google.protobuf.json_format import MessageToDict  # noqa: PLC0415 - comes with the SDK

    usage: dict[str, Any] = MessageToDict(message.usage, preserving_proto_field_name=True)
    return usage


def _line_body(message: Any) -> dict[str, Any]:
    """Give a batch's answer, with the time that it says of itself."""
    created = message.created.ToJsonString() if message.HasField("created") else None
    return {**_chat_body(message), "created": created}


def _chat_body(message: Any) -> dict[str, Any]:
    outputs = [{"finish_reason": each.finish_reason} for each in getattr(message, "outputs", ())]
    return {
        "id": message.id,
        "model": getattr(message, "model", None),  # compaction's answer names none
        "service_tier": _tier(message),
        "usage": _said(message),
        "outputs": outputs,
    }
