"""Recognition: which API a body or a stream comes from, where nobody says."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from outlay.extract.plain import fields_of

Fields = Mapping[str, Any]


def api_of_body(body: Fields) -> str | None:
    """Name the API of a body; None when nothing tells."""
    kind = body.get("object")
    if isinstance(kind, str) and kind in _BY_OBJECT:
        return _BY_OBJECT[kind]
    usage = fields_of(body.get("usage")) or fields_of(body.get("meta")) or {}
    return next((api for api, looks_so in _BODIES if looks_so(body, usage)), None)


_BY_OBJECT = {
    "chat.completion": "chat",
    "chat.completion.chunk": "chat",
    "text_completion": "completions",
    "response": "responses",
    "realtime.response": "realtime",
    "interaction": "interactions",
    "rerank": "rerank",
}


def _has(*keys: str) -> Callable[[Fields, Fields], bool]:
    return lambda body, _: any(key in body for key in keys)


def _counts(*keys: str) -> Callable[[Fields, Fields], bool]:
    return lambda _, usage: any(key in usage for key in keys)


def _is_embedding(body: Fields, _: Fields) -> bool:
    rows = body.get("data")
    first = fields_of(rows[0]) if isinstance(rows, list) and rows else None
    alone = "embedding" in body  # a line of Gemini's batches
    return alone or "predictions" in body or (first is not None and "embedding" in first)


# The first row that fits decides: what one peculiar key tells comes before what many share.
_BODIES: tuple[tuple[str, Callable[[Fields, Fields], bool]], ...] = (
    ("live", _has("serverContent", "setupComplete", "server_content", "setup_complete")),
    (
        "embeddings",
        lambda body, _: "embeddings" in body and ("usageMetadata" in body or "usage_metadata" in body),
    ),
    ("generate_content", _has("usageMetadata", "usage_metadata", "candidates", "promptFeedback")),
    ("interactions", _counts("total_input_tokens")),
    ("grpc_chat", _counts("prompt_text_tokens", "cached_prompt_text_tokens")),
    ("chat", lambda body, _: isinstance(body.get("choices"), list)),
    ("rerank", lambda _, usage: "search_units" in (fields_of(usage.get("billed_units")) or {})),
    ("cohere_embed", lambda body, usage: "billed_units" in usage and "embeddings" in body),
    ("cohere_chat", _counts("billed_units")),
    ("messages", lambda body, _: body.get("type") == "message"),
    ("invoke_model", lambda body, _: any(str(key).startswith("amazon-bedrock-") for key in body)),
    ("converse", _counts("inputTokens")),
    ("ollama_chat", lambda body, _: "done" in body and "message" in body),
    ("ollama_generate", _has("done")),
    ("ocr", _has("usage_info")),
    ("transcription", lambda _, usage: usage.get("type") in ("tokens", "duration")),
    ("transcription", lambda body, _: body.get("task") in ("transcribe", "translate") and "duration" in body),
    ("embeddings", _is_embedding),
    ("responses", lambda body, usage: "input_tokens" in usage and isinstance(body.get("output"), list)),
    ("embeddings", lambda body, _: body.get("object") == "list"),
    ("images", lambda body, _: isinstance(body.get("data"), list)),
    ("messages", _counts("input_tokens")),
    ("chat", _counts("prompt_tokens", "completion_tokens")),
    ("invoke_model", _has("generation_token_count", "inputTextTokenCount", "ResponseMetadata")),
)

_EVENT_TYPES = (  # prefixes of an event's type, likewise in order
    ("session.usage", "live"),
    ("response.done", "realtime"),
    ("session.", "realtime"),
    ("conversation.", "realtime"),
    ("input_audio_buffer.", "realtime"),
    ("transcript.", "transcription"),
    ("image_", "images"),
    ("message-", "cohere_chat"),
    ("content-", "cohere_chat"),
    ("message_", "messages"),
    ("content_block", "messages"),
    ("stream-", "cohere_chat"),
    ("text-generation", "cohere_chat"),
    ("interaction.", "interactions"),
    ("step.", "interactions"),
    ("response.", "responses"),
)
_EVENT_KEYS = (
    ("amazon-bedrock-invocationMetrics", "invoke_model"),
    ("contentBlockDelta", "converse"),
    ("messageStart", "converse"),
    ("metadata", "converse"),
)


def api_of_event(events: Sequence[Any]) -> str | None:
    """Name the API of a stream by its events; None when nothing tells."""
    fields = [fields_of(event) or {} for event in events]
    kinds = [kind for each in fields if isinstance(kind := each.get("type") or each.get("event_type"), str)]
    for prefix, api in _EVENT_TYPES:
        if any(kind.startswith(prefix) for kind in kinds):
            return api
    for each in fields:
        if (inner := fields_of(each.get("chunk"))) is not None:
            return "invoke_model" if "bytes" in inner else "grpc_chat"
    for key, api in _EVENT_KEYS:
        if any(key in each for each in fields):
            return api
    return next((found for each in fields if (found := api_of_body(each))), None)
