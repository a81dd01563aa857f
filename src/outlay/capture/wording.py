"""Where the texts are in requests, answers and events of every API; what is no text is only named."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from outlay.extract.plain import fields_of

_SYSTEM = ("system", "instructions", "preamble", "system_instruction", "systemInstruction")
_ASKED = ("messages", "input", "contents", "prompt", "message", "inputs", "texts", "inputText", "text")
_DEPTH = 6


def prompt_of(body: Any) -> str | None:
    """Give the prompt of a request's body or parameters as lines of ``role: text``; None if it has none."""
    fields = _fields(body)
    if fields is None:
        return None
    if (inner := _fields(fields.get("body"))) is not None:  # Bedrock's invoke_model
        return prompt_of(inner)
    system = [
        f"system: {text.removeprefix('user: ')}" for name in _SYSTEM if (text := _text(fields.get(name)))
    ]
    asked = next((text for name in _ASKED if (text := _text(fields.get(name)))), None)
    if asked is None and not system:
        return None
    return "\n".join((*system, *((asked,) if asked else ())))


def reply_of(body: Any) -> str | None:
    """Give the text of a whole answer; None if it has none."""
    fields = _fields(body)
    if fields is None:
        return None
    output = fields.get("output")
    found = (
        _joined(_choice(each) for each in _rows(fields.get("choices"))),
        _text(_inner(output, "message")) if isinstance(output, Mapping) else _text(output),
        _joined(_text(_inner(each, "content")) for each in _rows(fields.get("candidates"))),
        *(_text(fields.get(name)) for name in ("content", "message", "outputs", "response", "text")),
    )
    return next((text for text in found if text), None)


def piece_of(event: Any) -> str | None:
    """Give what one event of a stream adds to the reply."""
    fields = _fields(event)
    if fields is None:
        return None
    if isinstance(body := fields.get("body"), str):  # google's wire chunks
        return reply_of(body)
    if fields.get("delta") is not None or "contentBlockDelta" in fields:
        return _delta(fields)
    if "choices" in fields or "candidates" in fields:
        return reply_of(fields)
    # Ollama's events; others without a delta, such as a last one with the whole answer, add nothing
    return reply_of(fields) if "done" in fields else None


def _delta(fields: Mapping[str, Any]) -> str | None:
    delta = fields.get("delta")
    if isinstance(delta, str):
        return delta if fields.get("type") == "response.output_text.delta" else None
    inner = _inner(fields["contentBlockDelta"], "delta") if delta is None else delta
    return _text(_inner(inner, "text")) or _text(_inner(_inner(inner, "message"), "content"))


def _choice(choice: Any) -> str | None:
    for name in ("message", "delta"):
        if (text := _text(_inner(_inner(choice, name), "content"))) is not None:
            return text
    return _text(_inner(choice, "text"))


def _fields(body: Any) -> Mapping[str, Any] | None:
    if isinstance(body, str | bytes | bytearray):
        try:
            body = json.loads(body)
        except ValueError:
            return None
    return fields_of(body) if body is not None and not isinstance(body, list | tuple) else None


def _inner(value: Any, name: str) -> Any:
    fields = None if value is None or isinstance(value, str) else fields_of(value)
    return None if fields is None else fields.get(name)


def _rows(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else ()


def _joined(texts: Iterable[str | None]) -> str | None:
    return "\n".join(text for text in texts if text) or None


def _text(value: Any, depth: int = _DEPTH) -> str | None:
    """Give the text in a value: itself, its parts one a line, or the name of what is no text."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bytes | bytearray | int | float) or not depth:
        return None
    if isinstance(value, list | tuple):
        return "\n".join(text for each in value if (text := _text(each, depth - 1))) or None
    fields = fields_of(value)
    if fields is None:
        return None
    inner = next(
        (t for name in ("content", "parts", "text") if (t := _text(fields.get(name), depth - 1))), None
    )
    role, kind = fields.get("role"), fields.get("type")
    if inner is None:
        return f"[{kind}]" if isinstance(kind, str) else None
    # a reply is all the model's own: only what was asked has several speakers
    spoken = isinstance(role, str) and role not in {"assistant", "model"}
    return f"{role}: {inner}" if spoken else inner
