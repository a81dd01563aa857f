"""What the SDKs' servers answer to every form of a call: whole, and as the events of a stream."""

import json
from typing import Any

from tests.support.wire import sse

COUNTS = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
SAID = '{"city": "Oslo"}'
CHAT = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": SAID}}],
    "usage": COUNTS,
}
PART = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
WORD = {
    **PART,
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": "a"}, "finish_reason": None}],
}
LAST = {**PART, "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}], "usage": COUNTS}
CHUNKS = sse(WORD, LAST, done=True)
RESPONSE: dict[str, Any] = {
    "id": "r1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "status": "completed",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 1000,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 100,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 1100,
    },
}
BEGUN = {**RESPONSE, "status": "in_progress", "usage": None}
RESPONDING = sse(
    {"type": "response.created", "sequence_number": 0, "response": BEGUN},
    {"type": "response.completed", "sequence_number": 1, "response": RESPONSE},
    named=True,
)
MESSAGE: dict[str, Any] = {
    "id": "m1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": SAID}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1000, "output_tokens": 100},
}
START = {**MESSAGE, "content": [], "stop_reason": None, "usage": {"input_tokens": 1000, "output_tokens": 1}}
SPEAKING = sse(
    {"type": "message_start", "message": START},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": SAID}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 100},
    },
    {"type": "message_stop"},
    named=True,
)
GEMINI = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "hi"}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 1000, "candidatesTokenCount": 100, "totalTokenCount": 1100},
    "modelVersion": "m",
}
THINKING = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "h"}]}}],
    "usageMetadata": {"promptTokenCount": 1000},
    "modelVersion": "m",
}
GENERATING = sse(THINKING, GEMINI)
BILLED = {"billed_units": {"input_tokens": 1000, "output_tokens": 100}}
COHERE = {
    "id": "c1",
    "finish_reason": "COMPLETE",
    "message": {"role": "assistant", "content": [{"type": "text", "text": "hi"}]},
    "usage": BILLED,
}
COHERING = sse(
    {"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant", "content": []}}},
    {"type": "content-end", "index": 0},
    {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": BILLED}},
    named=True,
)
OLLAMA: dict[str, Any] = {
    "model": "m",
    "created_at": "2026-11-01T00:00:00Z",
    "message": {"role": "assistant", "content": "hi"},
    "response": "hi",
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 1000,
    "eval_count": 100,
}
COUNTED = ("done_reason", "prompt_eval_count", "eval_count")
BEGINNING = {**{name: value for name, value in OLLAMA.items() if name not in COUNTED}, "done": False}
GOING = b"".join(json.dumps(each).encode() + b"\n" for each in (BEGINNING, OLLAMA))
HUB = {**CHAT, "system_fingerprint": "x"}
HUB_CHUNKS = sse({**WORD, "system_fingerprint": "x"}, {**LAST, "system_fingerprint": "x"}, done=True)
