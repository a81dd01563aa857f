"""litellm: what it sends by its own HTTP clients; calls to OpenAI and Azure go by the SDK, and count there.

Every call of litellm's own handlers passes ``HTTPHandler.post`` or ``AsyncHTTPHandler.post`` once, and the
answer is read as the provider wrote it. An answer out of litellm's cache passes neither, and is no call.
"""

import base64
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from outlay.capture.bodies import Body, tee
from outlay.capture.call import Call
from outlay.capture.contexts import inside, lending
from outlay.capture.guard import guarded
from outlay.capture.recorder import Recorder
from outlay.capture.streams import Watch
from outlay.core.usage import Usage
from outlay.extract import Collector, collector
from outlay.instrumentation import aiohttp, bedrock, litellm_native
from outlay.instrumentation.hosts import known_at, place_at
from outlay.instrumentation.litellm_said import PROVIDERS, follow, latest, said_in
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.transports import api_at, is_stream
from outlay.instrumentation.wrapping import Begin, measured, measured_async, text_or_none, usage_in

OLDEST = (1, 90)
PATHS = (  # the end of a path -> api, beside those that any client may call
    ("/converse", "converse"),
    ("/converse-stream", "converse"),
    ("/invoke", "invoke_model"),
    ("/invoke-with-response-stream", "invoke_model"),
    (":rawPredict", "messages"),
    (":streamRawPredict", "messages"),
    ("/text/chat", "chat"),  # watsonx
    ("/text/chat_stream", "chat"),
    ("/invocations", "chat"),  # models that Databricks or SageMaker hosts
    ("/inference:embed", "embeddings"),
    ("/reranking", "rerank"),
    ("/reranks", "rerank"),
)
_AT_VERTEX = re.compile(r"/publishers/([^/]+)/models/([^/:]+):(?:rawP|streamRawP|p)redict$")
_IN_PATH = re.compile(r"/(?:model|models)/([^/:]+)[/:]")
_VERTEXS_REGION = re.compile(r"/locations/([^/]+)/")
_said = guarded(said_in)  # apart: what cannot be read of whom a call is for loses no call
_FRAMES = "application/vnd.amazon.eventstream"
_LINES = "application/x-ndjson"


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - as it asks itself
    """Hook litellm's own HTTP clients.

    Raises:
        ImportError: it is not installed.
    """
    from litellm.llms.custom_httpx import aiohttp_handler, http_handler  # noqa: PLC0415 - loaded only where it is hooked

    patches = Patches()
    follow(patches)
    litellm_native.follow(recorder, patches)
    begin = _beginner(recorder, patches)
    patches.replace(http_handler.HTTPHandler, "post", lambda original: measured(original, begin, _settle))
    patches.replace(
        http_handler.AsyncHTTPHandler, "post", lambda original: measured_async(original, begin, _settle)
    )
    patches.replace(
        aiohttp_handler.BaseLLMAIOHTTPHandler,
        "_make_common_async_call",
        lambda original: measured_async(original, _beginner(recorder, patches, "openai"), aiohttp.settle),
    )
    return patches


def _beginner(recorder: Callable[[], Recorder], patches: Patches, otherwise: str | None = None) -> Begin:
    def begin(_handler: Any, args: tuple[Any, ...], asked: dict[str, Any]) -> Call | None:
        if not patches.active or inside.get() is not None:
            return None
        address = str(asked.get("url") or asked.get("api_base") or args[0])
        url = urlsplit(address)
        api = _api_at(url.path)
        logging = asked.get("logging_obj") or latest(address)
        said = getattr(logging, "model_call_details", None) or {}
        provider = (
            known_at(url.hostname or "", url.port) or _named(said.get("custom_llm_provider")) or otherwise
        )
        if api is None or provider is None:
            return None
        in_path = _IN_PATH.search(url.path)
        model = unquote(in_path[1]) if in_path else text_or_none(said.get("model"))
        with lending(_said(logging) or {}):
            call = Call(recorder(), provider=provider, api=api, model=model)
        vertexs = _VERTEXS_REGION.search(url.path)
        if not bedrock.is_profile(model):
            call.terms.update(place_at(url.hostname or ""))
        if vertexs:
            call.terms["region"] = vertexs[1]
        return call

    return begin


def _api_at(path: str) -> str | None:
    """Name the API behind a path; at Vertex the publisher's own, and none where tokens are only counted."""
    at_vertex = _AT_VERTEX.search(path)
    if at_vertex is not None:
        publisher, model = at_vertex.groups()
        if publisher == "google":
            return "embeddings" if "embed" in model else None
        return None if model == "count-tokens" else "messages" if publisher == "anthropic" else "chat"
    return next((api for end, api in PATHS if path.endswith(end)), None) or api_at(path)


def _named(provider: object) -> str | None:
    name = text_or_none(provider)
    return None if name is None else PROVIDERS.get(name, name)


def _settle(call: Call, response: Any) -> None:
    if hasattr(response, "_content"):
        call.finish(bedrock.billed(usage_in(_whole(call, response), call), call))
        return
    kind = response.headers.get("content-type", "")
    call.streamed = is_stream(kind) or kind.startswith((_FRAMES, _LINES))
    body = Body(call.provider, call.api, is_stream=is_stream(kind))
    tee(response, Watch(call, Frames(call) if kind.startswith(_FRAMES) else body))


def _whole(call: Call, response: Any) -> Any:
    """Give a body; beside that of InvokeModel its headers, which may hold the counts."""
    if call.api != "invoke_model":
        return response.content
    found = json.loads(response.content)
    return {**found, "ResponseMetadata": {"HTTPHeaders": dict(response.headers)}}


class Frames(bedrock.Bytes):
    """A collector of Bedrock's binary frames, which are parsed at the end, each once."""

    __slots__ = ("_buffer", "_events")

    def __init__(self, call: Call) -> None:
        from botocore.eventstream import EventStreamBuffer  # noqa: PLC0415 - litellm's own way to read them

        super().__init__(call)
        self._buffer = EventStreamBuffer()
        self._events: Collector = collector(call.provider, call.api)

    @property
    def complete(self) -> bool:
        """Whether the final usage was seen."""
        return self._parsed().complete

    def usage(self) -> Usage:
        """Read what the frames said."""
        return bedrock.billed(self._parsed().usage(), self._call)

    def _parsed(self) -> Collector:
        """Hand on what came since this was asked the last time, as botocore gives it."""
        while self._parts:
            self._buffer.add_data(self._parts.pop(0))
        for frame in self._buffer:
            kind, said = frame.headers.get(":event-type"), json.loads(frame.payload or b"{}")
            if isinstance(said.get("bytes"), str):
                said["bytes"] = base64.b64decode(said["bytes"])
            self._events.add({str(kind): said})
        return self._events
