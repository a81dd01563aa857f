"""Live streams of which only the first and the last events are looked at, beside all of them looked at."""

from typing import Any

import pytest

from outlay.extract import collector

MIDDLE = ({"type": "content", "choices": [{"delta": {"content": "word"}}]},) * 40
STREAMS: dict[tuple[str, str], tuple[list[Any], list[Any]]] = {
    ("cohere", "cohere_chat"): (
        [{"type": "message-start", "id": "c-1"}],
        [
            {
                "type": "message-end",
                "delta": {"usage": {"billed_units": {"input_tokens": 10, "output_tokens": 4}}},
            }
        ],
    ),
    ("bedrock", "converse"): (
        [{"messageStart": {"role": "assistant"}}],
        [
            {"messageStop": {}},
            {"metadata": {"usage": {"inputTokens": 10, "outputTokens": 4, "totalTokens": 14}}},
        ],
    ),
    ("openai", "responses"): (
        [{"type": "response.created", "response": {"id": "r-1", "model": "gpt-4o"}}],
        [
            {
                "type": "response.completed",
                "response": {
                    "id": "r-1",
                    "model": "gpt-4o",
                    "usage": {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14},
                },
            }
        ],
    ),
    ("openai", "transcription"): (
        [],
        [
            {
                "type": "transcript.text.done",
                "usage": {"type": "tokens", "input_tokens": 10, "output_tokens": 4},
            }
        ],
    ),
}


@pytest.mark.parametrize(("provider", "api"), STREAMS)
@pytest.mark.parametrize("cut", [0, 1, 2, 20])
def test_of_a_live_stream_its_ends_say_what_all_of_it_says(provider: str, api: str, cut: int) -> None:
    """Also of one that was left: what is unseen bears on nothing."""
    start, end = STREAMS[provider, api]
    events = [*start, *MIDDLE, *end][: -cut or None]
    live: Any = collector(provider, api)
    whole: Any = collector(provider, api)
    live.add(events[0])
    for event in events[1:]:
        live.rest(event)
    for event in events:
        whole.add(event)
    assert live.complete == whole.complete == (not cut)
    live.hold()
    whole.hold()
    assert live.usage() == whole.usage()
    assert live.as_body() == whole.as_body()
    if not cut:
        assert live.usage().units == {"input": 10, "output": 4}
