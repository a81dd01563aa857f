"""huggingface_hub: InferenceClient's chat, text generation and embeddings, whoever serves them."""

import json
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from outlay.capture.call import Call
from outlay.capture.contexts import inside
from outlay.capture.recorder import Recorder
from outlay.capture.streams import Watch, watch, watch_async
from outlay.core.usage import Usage
from outlay.extract import collector
from outlay.instrumentation.hosts import provider_at
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import (
    Begin,
    Settle,
    measured,
    measured_async,
    text_or_none,
    usage_in,
)

OLDEST = (1, 0)  # since then on httpx, with one _inner_post that every task passes
TASKS = {"conversational": "chat", "text-generation": "completions", "feature-extraction": "embeddings"}
ROUTER = "router.huggingface.co"
SILENT = "the server did not say all that was used"
_KEPT = 8  # lines with usage, beside the first: more than enough for each field's last value
_DONE = "data: [DONE]"


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:  # noqa: ARG001 - one form
    """Hook the SDK that is installed; its streams bring their usage.

    Raises:
        ImportError: it is not installed.
    """
    from huggingface_hub import AsyncInferenceClient, InferenceClient  # noqa: PLC0415 - loaded only where it is hooked

    patches = Patches()
    begin = _beginner(recorder, patches)
    around = partial(measured, begin=begin, settle=_settler(watch))
    around_async = partial(measured_async, begin=begin, settle=_settler(watch_async))
    patches.replace(InferenceClient, "_inner_post", around)
    patches.replace(AsyncInferenceClient, "_inner_post", around_async)
    return patches


def _beginner(recorder: Callable[[], Recorder], patches: Patches) -> Begin:
    def begin(_client: Any, args: tuple[Any, ...], asked: dict[str, Any]) -> Call | None:
        request = args[0] if args else asked["request_parameters"]
        api = TASKS.get(request.task)
        if api is None or not patches.active or inside.get() is not None:
            return None
        parts = urlsplit(request.url)
        provider = provider_at(parts.hostname or "", parts.port, "huggingface")
        sent = request.json if isinstance(request.json, dict) else {}
        model = text_or_none(sent.get("model")) or text_or_none(request.model)
        call = Call(recorder(), provider=provider, api=api, model=model, streamed=bool(asked.get("stream")))
        upstream = parts.path.split("/")[1] if parts.hostname == ROUTER else "v1"
        if upstream != "v1":  # the router's own choice
            call.terms["upstream"] = upstream
        return call

    return begin


def _settler(watching: Callable[..., Any]) -> Settle:
    def settle(call: Call, result: Any) -> Any:
        if call.streamed:
            return watching(result, Watch(call, _Lines(call)))
        call.finish(_answered(result, call))
        return None

    return settle


def _answered(result: bytes, call: Call) -> Usage:
    if call.api == "embeddings" and result[:1] == b"[":
        return Usage(reason=SILENT)
    body = json.loads(result)
    whole = body[0] if isinstance(body, list) and body else body
    if isinstance(whole, dict) and "generated_text" in whole:
        return _generated(whole)
    return usage_in(body, call)


def _generated(body: dict[str, Any]) -> Usage:
    """Read what a text generation server says, which is little: a whole answer is silent on its input."""
    details = body.get("details") or {}
    told = {
        key: details[key] for key in ("input_length", "generated_tokens") if type(details.get(key)) is int
    }
    counts = {"input": told.get("input_length", 0), "output": told.get("generated_tokens", 0)}
    if len(told) == len(counts):
        return Usage.of(counts, raw=told)
    return Usage.of(counts, raw=told or None, flags=("partial",), reason=SILENT)


class _Lines:
    """A collector of a stream's lines: those that bear on usage are kept, and parsed only at the end."""

    __slots__ = ("_call", "_first", "_kept", "complete")

    def __init__(self, call: Call) -> None:
        self._call = call
        self._first: str | None = None
        self._kept: deque[str] = deque(maxlen=_KEPT)
        self.complete = False

    def add(self, event: Any) -> None:
        """Keep a line that may bear on usage; at the last one the SDK stops reading, and the call ends."""
        if '"usage"' in event or '"details"' in event:
            self._kept.append(event)
        elif self._first is None and event.startswith("data:"):
            self._first = event
        if event.startswith(_DONE):
            self.complete = True
            self._call.finish(self.usage())

    def usage(self) -> Usage:
        """Read what was kept."""
        kept = (*((self._first,) if self._first else ()), *self._kept)
        chunks = [json.loads(line.removeprefix("data:")) for line in kept if not line.startswith(_DONE)]
        told = [chunk for chunk in chunks if isinstance(chunk.get("details"), dict)]
        if told:
            return _generated(told[-1])
        reader = collector(self._call.provider, self._call.api)
        for chunk in chunks:
            reader.add(chunk)
        return reader.usage()
