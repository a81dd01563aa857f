"""Recognition: which API a body or an event comes from, where nobody says."""

from collections.abc import Mapping, Sequence
from typing import Any

from outlay.extract.plain import fields_of

# The first row of which every key is there decides.
_BODIES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("usageMetadata",), "generate_content"),
    (("usage_metadata",), "generate_content"),
    (("candidates",), "generate_content"),
    (("choices",), "chat"),
)


def api_of_body(body: Mapping[str, Any]) -> str | None:
    """Name the API of a body; None when nothing tells."""
    for keys, api in _BODIES:
        if all(key in body for key in keys):
            return api
    usage = fields_of(body.get("usage")) or {}
    if body.get("type") == "message":
        return "messages"
    if body.get("object") == "response":
        return "responses"
    if "input_tokens" in usage:
        return "responses" if "output" in body else "messages"
    return "chat" if "prompt_tokens" in usage else None


def api_of_event(events: Sequence[Any]) -> str | None:
    """Name the API of a stream by its events; None when nothing tells."""
    for event in events:
        fields = fields_of(event) or {}
        kind = fields.get("type")
        if isinstance(kind, str):
            if kind.startswith("response."):
                return "responses"
            if kind in {"message_start", "content_block_delta", "message_delta"}:
                return "messages"
        if api := api_of_body(fields):
            return api
    return None
