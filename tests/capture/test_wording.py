"""Prompts and replies are found in the shape of every API, streams too; what is no text is only named."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from outlay.capture.wording import piece_of, prompt_of, reply_of

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"messages": [{"role": "user", "content": "hi"}]}, "user: hi"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "see"}, IMAGE]}]},
            "user: see\n[image_url]",
        ),
        ({"system": [{"type": "text", "text": "be kind"}], "messages": []}, "system: be kind"),
        ({"input": "hi", "instructions": "be kind"}, "system: be kind\nhi"),
        ({"input": ["one", "two"]}, "one\ntwo"),
        ({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}, "user: hi"),
        ({"system_instruction": {"parts": [{"text": "be kind"}]}, "contents": "hi"}, "system: be kind\nhi"),
        ({"modelId": "m", "body": json.dumps({"messages": [{"role": "user", "content": "hi"}]})}, "user: hi"),
        ({"messages": [SimpleNamespace(role="user", content="hi")]}, "user: hi"),
        ({"model": "gpt-4o"}, None),
        (None, None),
        (b"\x00", None),
    ],
)
def test_a_prompt(body: Any, text: str | None) -> None:
    assert prompt_of(body) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"choices": [{"message": {"role": "assistant", "content": "a"}}, {"text": "b"}]}, "a\nb"),
        ({"content": [{"type": "text", "text": "a"}, {"type": "tool_use", "input": {}}]}, "a\n[tool_use]"),
        ({"output": [{"type": "message", "content": [{"type": "output_text", "text": "a"}]}]}, "a"),
        ({"output": {"message": {"role": "assistant", "content": [{"text": "a"}]}}}, "a"),
        ({"candidates": [{"content": {"role": "model", "parts": [{"text": "a"}]}}]}, "a"),
        ({"message": {"role": "assistant", "content": "a"}, "done": True}, "a"),
        ({"response": "a", "done": True}, "a"),
        ({"data": [{"embedding": [0.1]}]}, None),
    ],
)
def test_a_reply(body: Any, text: str | None) -> None:
    assert reply_of(body) == text


@pytest.mark.parametrize(
    ("event", "text"),
    [
        ({"choices": [{"delta": {"content": "a"}}]}, "a"),
        ({"choices": [], "usage": {}}, None),
        ({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "a"}}, "a"),
        ({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, None),
        ({"type": "response.output_text.delta", "delta": "a"}, "a"),
        ({"type": "response.function_call_arguments.delta", "delta": "{"}, None),
        ({"type": "response.completed", "response": {"output": "all"}}, None),
        ({"contentBlockDelta": {"delta": {"text": "a"}}}, "a"),
        ({"type": "content-delta", "delta": {"message": {"content": {"text": "a"}}}}, "a"),
        ({"message": {"content": "a"}, "done": False}, "a"),
        (SimpleNamespace(body='{"candidates": [{"content": {"parts": [{"text": "a"}]}}]}'), "a"),
        (b"data: raw", None),
    ],
)
def test_a_piece_of_a_stream(event: Any, text: str | None) -> None:
    assert piece_of(event) == text
