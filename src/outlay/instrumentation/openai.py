"""openai: chat, responses, embeddings and what else its clients send, whatever the host."""

import json
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from outlay.capture.call import Call
from outlay.capture.recorder import Recorder
from outlay.instrumentation import openai_sockets, stainless
from outlay.instrumentation.patches import Patches
from outlay.instrumentation.wrapping import leaving, leaving_async

OLDEST = (1, 40)  # the oldest that was tried; the hook points are the same since
PATHS = {
    "/chat/completions": "chat",
    "/completions": "completions",
    "/responses": "responses",
    "/responses/compact": "responses",
    "/decisions": "responses",
    "/embeddings": "embeddings",
    "/images/generations": "images",
    "/images/edits": "images",
    "/images/variations": "images",
    "/audio/transcriptions": "transcription",
    "/audio/translations": "transcription",
}
TIERS = {"decisions": "decisions"}
"""Answers to questions about an input are asked at a path of their own, and cost less."""
HELPERS = (
    ("openai.lib.streaming.chat", "ChatCompletionStream"),
    ("openai.lib.streaming.responses", "ResponseStream"),
)
"""Streams around a stream, which close the connection and pass the close of the one inside by."""
_NO_CHOICES = re.compile(rb'"choices"\s*:\s*(?:\[\s*\]|null)')
_ASKED = frozenset({"chat", "completions"})
# Hosts known to send usage in a last chunk when asked to; asking a stranger could fail the caller's call.
ASKABLE = frozenset(
    {"openai", "azure", "groq", "fireworks", "together", "vllm", "ollama", "cerebras", "alibaba"}
)
_AZURE_SINCE = "2024-06-01"  # the first of its API's versions that is known to take the question


def instrument(recorder: Callable[[], Recorder], *, include_usage: bool) -> Patches:
    """Hook the SDK that is installed.

    Raises:
        ImportError: it is not installed.
    """
    from openai import _base_client, _streaming  # noqa: PLC0415 - loaded only where it is hooked

    prepare = _ask_for_usage if include_usage else _as_it_is
    patches = stainless.instrument(
        stainless.Sdk(_base_client, _streaming, PATHS, "openai", prepare, TIERS), recorder
    )
    for module, name in HELPERS:
        _hook_helper(module, name, patches)
    openai_sockets.hook(recorder, patches)
    return patches


def _hook_helper(module: str, name: str, patches: Patches) -> None:
    try:
        home = import_module(module)
    except ImportError:  # an older release has none, or has it elsewhere
        return
    for owner, wrap in (
        (getattr(home, name, None), leaving),
        (getattr(home, f"Async{name}", None), leaving_async),
    ):
        if owner is not None:
            patches.replace(owner, "close", wrap)


def _as_it_is(_client: Any, _call: Call, options: Any) -> tuple[Any, None]:
    return options, None


def _ask_for_usage(client: Any, call: Call, options: Any) -> tuple[Any, Callable[[Any], bool] | None]:
    """Ask a chat stream for its usage where the caller did not, and hide the chunk that brings it."""
    body = options.json_data
    if type(body) is not dict and not isinstance(body, Mapping):
        return options, None
    asked = body.get("stream_options") or {}
    if type(asked) is not dict and not isinstance(asked, Mapping):
        return options, None
    if "include_usage" in asked or call.api not in _ASKED or call.provider not in ASKABLE:
        return options, None
    if not stainless.is_asked(client):
        return options, None
    more = options.extra_json or {}
    if "stream_options" in more or (call.provider == "azure" and _azure_refuses(client, {**body, **more})):
        return options, None
    changed = {**body, "stream_options": {**asked, "include_usage": True}}
    return options.model_copy(update={"json_data": changed}), _only_usage


def _azure_refuses(client: Any, asked: Mapping[str, Any]) -> bool:
    """Whether Azure answers the question by an error: on one's own data, and by older versions of its API."""
    version = str(client.default_query.get("api-version", ""))
    return "data_sources" in asked or (version[:1].isdigit() and version < _AZURE_SINCE)


def _only_usage(chunk: Any) -> bool:
    """Whether a chunk, or its line of a raw stream, is the extra one: no choices, only usage."""
    if type(chunk) is bytes:
        said = json.loads(chunk.partition(b":")[2]) if _NO_CHOICES.search(chunk) else {}
        return "choices" in said and not said["choices"] and said.get("usage") is not None
    return not chunk.choices and chunk.usage is not None
