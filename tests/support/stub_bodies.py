"""What each provider's API answers, whole and in events, for so many tokens in and out."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.support.aws import event
from tests.support.wire import sse

SAID = '{"city": "Oslo"}'


class Answer(NamedTuple):
    """An answer in both forms; what its first event says of the input."""

    whole: dict[str, Any]
    events: tuple[bytes, ...]
    told_first: int = 0
    kind: str = "text/event-stream"


def answer_to(path: str, body: bytes, used: tuple[int, int], *, tool: bool) -> Answer:
    """Make the answer of the API at a path."""
    asked = json.loads(body or b"{}")
    model = asked.get("model", "m")
    for ending, make in _BY_PATH.items():
        if path.endswith(ending):
            return make(model, used, asked if tool else None)
    if ":generateContent" in path or ":streamGenerateContent" in path:
        return _gemini(path.rpartition("/")[2].partition(":")[0], used)
    return _chat(model, used, asked if tool else None)


def _events(*events: dict[str, Any], done: bool = False, named: bool = False) -> tuple[bytes, ...]:
    parts = [sse(event, named=named) for event in events]
    return (*parts, b"data: [DONE]\n\n") if done else tuple(parts)


def _chat(model: str, used: tuple[int, int], asked: dict[str, Any] | None) -> Answer:
    usage = {"prompt_tokens": used[0], "completion_tokens": used[1], "total_tokens": sum(used)}
    message: dict[str, Any] = {"role": "assistant", "content": SAID}
    finish = "stop"
    if asked is not None:
        function = {"name": asked["tools"][0]["function"]["name"], "arguments": SAID}
        message = {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
        }
        finish = "tool_calls"
    base = {"id": "c1", "created": 1, "model": model}
    whole = {
        **base,
        "object": "chat.completion",
        "choices": [{"index": 0, "finish_reason": finish, "message": message}],
        "usage": usage,
    }
    part = {**base, "object": "chat.completion.chunk"}
    delta = {"role": "assistant", "content": SAID}
    first = {**part, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    last = {
        **part,
        "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}],
        "usage": usage,
    }
    return Answer(whole, _events(first, last, done=True))


def _responses(model: str, used: tuple[int, int], asked: dict[str, Any] | None) -> Answer:
    text = {"type": "output_text", "text": SAID, "annotations": []}
    output: dict[str, Any] = {
        "type": "message",
        "id": "msg_1",
        "status": "completed",
        "role": "assistant",
        "content": [text],
    }
    if asked is not None:
        name = asked["tools"][0]["name"]
        output = {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": name,
            "arguments": SAID,
            "status": "completed",
        }
    whole: dict[str, Any] = {
        "id": "r1",
        "object": "response",
        "created_at": 1,
        "model": model,
        "status": "completed",
        "output": [output],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": used[0],
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": used[1],
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": sum(used),
        },
    }
    begun = {**whole, "status": "in_progress", "usage": None, "output": []}
    events = _events(
        {"type": "response.created", "sequence_number": 0, "response": begun},
        {"type": "response.completed", "sequence_number": 1, "response": whole},
        named=True,
    )
    return Answer(whole, events)


def _messages(model: str, used: tuple[int, int], asked: dict[str, Any] | None) -> Answer:
    content: dict[str, Any] = {"type": "text", "text": SAID}
    if asked is not None:
        content = {
            "type": "tool_use",
            "id": "tu_1",
            "name": asked["tools"][0]["name"],
            "input": json.loads(SAID),
        }
    whole: dict[str, Any] = {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [content],
        "stop_reason": "end_turn" if asked is None else "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": used[0], "output_tokens": used[1]},
    }
    start = {
        **whole,
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": used[0], "output_tokens": 0},
    }
    events = _events(
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": SAID}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": used[1]},
        },
        {"type": "message_stop"},
        named=True,
    )
    return Answer(whole, events, told_first=used[0])


def _gemini(model: str, used: tuple[int, int]) -> Answer:
    content = {"role": "model", "parts": [{"text": SAID}]}
    whole = {
        "candidates": [{"content": content, "finishReason": "STOP"}],
        "usageMetadata": {
            "promptTokenCount": used[0],
            "candidatesTokenCount": used[1],
            "totalTokenCount": sum(used),
        },
        "modelVersion": model,
    }
    first = {"candidates": [{"content": content}], "modelVersion": model}
    end = {"content": {"role": "model", "parts": [{"text": ""}]}, "finishReason": "STOP"}
    return Answer(whole, _events(first, {**whole, "candidates": [end]}))


def _cohere(used: tuple[int, int]) -> Answer:
    billed = {"billed_units": {"input_tokens": used[0], "output_tokens": used[1]}}
    message = {"role": "assistant", "content": [{"type": "text", "text": SAID}]}
    whole = {"id": "c1", "finish_reason": "COMPLETE", "message": message, "usage": billed}
    begun = {"message": {"role": "assistant", "content": []}}
    events = _events(
        {"type": "message-start", "id": "c1", "delta": begun},
        {"type": "content-end", "index": 0},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": billed}},
        named=True,
    )
    return Answer(whole, events)


def _bedrock(used: tuple[int, int]) -> Answer:
    usage = {"inputTokens": used[0], "outputTokens": used[1], "totalTokens": sum(used)}
    message = {"role": "assistant", "content": [{"text": SAID}]}
    events = (
        event("messageStart", {"role": "assistant"}),
        event("contentBlockDelta", {"delta": {"text": SAID}, "contentBlockIndex": 0}),
        event("messageStop", {"stopReason": "end_turn"}),
        event("metadata", {"usage": usage, "metrics": {"latencyMs": 500}}),
    )
    whole = {
        "output": {"message": message},
        "stopReason": "end_turn",
        "usage": usage,
        "metrics": {"latencyMs": 500},
    }
    return Answer(whole, events, kind="application/vnd.amazon.eventstream")


def _ollama(model: str, used: tuple[int, int]) -> Answer:
    message = {"role": "assistant", "content": SAID}
    first = {"model": model, "created_at": "2026-11-01T00:00:00Z", "message": message, "done": False}
    counts = {"prompt_eval_count": used[0], "eval_count": used[1]}
    whole = {**first, "done": True, "done_reason": "stop", **counts}
    lines = tuple(json.dumps(each).encode() + b"\n" for each in (first, whole))
    return Answer(whole, lines, kind="application/x-ndjson")


_BY_PATH: dict[str, Callable[[str, tuple[int, int], dict[str, Any] | None], Answer]] = {
    "/messages": _messages,
    "/responses": _responses,
    "/converse": lambda _model, used, _asked: _bedrock(used),
    "/converse-stream": lambda _model, used, _asked: _bedrock(used),
    "/v2/chat": lambda _model, used, _asked: _cohere(used),
    "/api/chat": lambda model, used, _asked: _ollama(model, used),
}
