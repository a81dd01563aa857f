"""Lines of batch results: the response inside, for the line itself holds no usage."""

from collections.abc import Mapping
from typing import Any

from outlay.core.usage import Usage
from outlay.extract.plain import fields_of, name_of

LINE_KEYS = frozenset({"custom_id", "key", "recordId", "processed_time"})
"""What lines of batch results alone have: those of OpenAI and others, of Gemini, Bedrock and Vertex."""


def response_inside(line: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Give the response inside of a line of batch results; None when this is no such line."""
    if LINE_KEYS.isdisjoint(line):
        return None
    if result := fields_of(line.get("result")):
        return fields_of(result.get("message")) or _failed(result)
    response = fields_of(line.get("modelOutput") or line.get("response"))
    if response is not None:
        return fields_of(response.get("body")) or response
    return {"error": line["error"]} if line.get("error") else None


def whole_batch(body: Mapping[str, Any]) -> Usage | None:
    """Say of OpenAI's Batch object that its usage is not read: it is that of its output lines once more."""
    if body.get("object") != "batch":
        return None
    return Usage(
        reason="a batch states the sum of its output lines: read those", response_id=name_of(body.get("id"))
    )


def _failed(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """Anthropic's lines without a message: errored, canceled or expired."""
    return {"error": result.get("error") or {"type": result.get("type")}}
