"""Calls by any other client: POSTs to a known provider's host and path, seen at the HTTP client itself.

A call that the hook of an SDK counts is not counted here again. A retry is a request of its own.
"""

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from outlay.capture.bodies import Body, tee
from outlay.capture.call import Call
from outlay.capture.contexts import inside
from outlay.capture.failing import AnsweredError
from outlay.capture.recorder import Recorder
from outlay.capture.streams import Watch
from outlay.instrumentation.hosts import known_at
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import Begin, measured, measured_async, usage_in

PATHS = (  # the end of a path -> api; the first that fits decides
    ("/chat/completions", "chat"),
    ("/fim/completions", "chat"),
    ("/agents/completions", "chat"),
    ("/completions", "completions"),
    ("/responses", "responses"),
    ("/responses/compact", "responses"),
    ("/messages", "messages"),
    ("/embeddings", "embeddings"),
    ("/multimodalembeddings", "embeddings"),  # Voyage's
    ("/contextualizedembeddings", "embeddings"),
    ("/images/generations", "images"),
    ("/images/edits", "images"),
    ("/audio/transcriptions", "transcription"),
    ("/audio/translations", "transcription"),
    ("/ocr", "ocr"),
    ("/rerank", "rerank"),
    ("/api/embed", "embeddings"),  # Ollama's
    ("/embed", "cohere_embed"),
    ("/v2/chat", "cohere_chat"),
    ("/v1/chat", "cohere_chat"),
    ("/api/chat", "ollama_chat"),
    ("/api/generate", "ollama_generate"),
    (":generateContent", "generate_content"),
    (":streamGenerateContent", "generate_content"),
    (":embedContent", "embeddings"),
    (":batchEmbedContents", "embeddings"),
)
_MODEL = re.compile(rb'"model"\s*:\s*"([^"\\]{1,200})"')
_MODEL_IN_PATH = re.compile(r"/(?:models|deployments)/([^/:]+)")
_LOOKED_AT = 4096  # bytes at either end of a request, where its model stands
_FAILED = 400
_EVENTS, _LINES = "text/event-stream", "application/x-ndjson"


class HTTPStatusError(AnsweredError):
    """What an answer with an error status is recorded as; it is never raised."""


def api_at(path: str) -> str | None:
    """Name the API behind a path; None where nothing is billed."""
    return next((api for end, api in PATHS if path.endswith(end)), None)


def begin_at(
    recorder: Callable[[], Recorder], url: Any, body: bytes, provider: str | None = None
) -> Call | None:
    """Start the call of a POST to this parsed URL, if it bills and its provider is known, or named."""
    provider = provider or known_at(url[0], url[1])
    api = api_at(url[2]) if provider else None
    if provider is None or api is None:
        return None
    named = _MODEL.search(body[:_LOOKED_AT]) or _MODEL.search(body[-_LOOKED_AT:])
    in_path = _MODEL_IN_PATH.search(url[2])
    model = named[1].decode("utf-8", "replace") if named else in_path[1] if in_path else None
    return Call(recorder(), provider=provider, api=api, model=model)


def failed(call: Call, status: int) -> bool:
    """End the call of an answer whose status is an error's."""
    if status < _FAILED:
        return False
    call.fail(HTTPStatusError(f"HTTP {status}"))
    return True


def is_stream(content_type: str) -> bool:
    """Whether a body comes as server-sent events."""
    return content_type.startswith(_EVENTS)


def comes_bit_by_bit(content_type: str, path: str) -> bool:
    """Whether a body comes as events, as lines of JSON (Ollama's), or as a list that grows (Gemini's)."""
    return content_type.startswith((_EVENTS, _LINES)) or path.endswith(":streamGenerateContent")


def hook_clients(module: Any, recorder: Callable[[], Recorder]) -> Patches:
    """Hook the clients of httpx or of httpx2, which are alike."""
    patches = Patches()
    begin = _beginner(recorder, patches)
    patches.replace(module.Client, "send", partial(_sync, begin=begin))
    patches.replace(module.AsyncClient, "send", partial(_async, begin=begin))
    return patches


def _sync(original: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    return measured(original, begin, _settle)


def _async(original: Callable[..., Awaitable[Any]], begin: Begin) -> Callable[..., Awaitable[Any]]:
    return measured_async(original, begin, _settle)


def _beginner(recorder: Callable[[], Recorder], patches: Patches) -> Begin:
    def begin(_client: Any, args: tuple[Any, ...], asked: dict[str, Any]) -> Call | None:
        request = args[0] if args else asked["request"]
        if request.method != "POST" or not patches.active or inside.get() is not None:
            return None
        url = (request.url.host, request.url.port, request.url.path)
        # A body that is itself a stream is not there to be looked at, and is not touched.
        call = begin_at(recorder, url, getattr(request, "_content", b""))
        if call is not None:
            call.streamed = bool(asked.get("stream"))
        return call

    return begin


def _settle(call: Call, response: Any) -> None:
    if failed(call, response.status_code):
        return
    kind = response.headers.get("content-type", "")
    if call.streamed:
        call.streamed = comes_bit_by_bit(kind, response.request.url.path)
        tee(response, Watch(call, Body(call.provider, call.api, is_stream=is_stream(kind))))
    else:
        call.finish(usage_in(response.content, call))
