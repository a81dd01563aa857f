"""Collectors of streams: what they look at, and when."""

from typing import Any

from outlay.extract import collector


def test_chunks_behind_the_first_are_looked_at_when_somebody_asks() -> None:
    stream: Any = collector("openai", "chat")
    stream.add({"id": "c-1", "choices": [{"delta": {"content": "a"}}]})
    stream.rest({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    stream.rest({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 4}})
    assert stream.complete
    assert stream.usage().units == {"input": 10, "output": 4}
