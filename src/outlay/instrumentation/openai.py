"""openai: chat, responses, embeddings and what else its clients send, whatever the host."""

import json
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

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


def _as_it_is(_provider: str, _api: str, options: Any) -> tuple[Any, None]:
    return options, None


def _ask_for_usage(provider: str, api: str, options: Any) -> tuple[Any, Callable[[Any], bool] | None]:
    """Ask a chat stream for its usage where the caller did not, and hide the chunk that brings it."""
    body = options.json_data
    if type(body) is not dict and not isinstance(body, Mapping):
        return options, None
    asked = body.get("stream_options") or {}
    if type(asked) is not dict and not isinstance(asked, Mapping):
        return options, None
    if "include_usage" in asked or api not in _ASKED or provider not in ASKABLE:
        return options, None
    if "stream_options" in (options.extra_json or {}):
        return options, None
    changed = {**body, "stream_options": {**asked, "include_usage": True}}
    return options.model_copy(update={"json_data": changed}), _only_usage


def _only_usage(chunk: Any) -> bool:
    """Whether a chunk, or its line of a raw stream, is the extra one: no choices, only usage."""
    if type(chunk) is bytes:
        said = json.loads(chunk.partition(b":")[2]) if _NO_CHOICES.search(chunk) else {}
        return "choices" in said and not said["choices"] and said.get("usage") is not None
    return not chunk.choices and chunk.usage is not None
