"""Collectors of streams: what they look at, and when."""

from types import SimpleNamespace
from typing import Any

import pytest

from outlay.extract import collector
from outlay.extract.streams import Kept


@pytest.mark.parametrize(
    ("provider", "api", "before", "last", "units"),
    [
        (
            "bedrock",
            "converse",
            {"messageStart": {"role": "assistant"}},
            {"metadata": {"usage": {"inputTokens": 10, "outputTokens": 4, "totalTokens": 14}}},
            {"input": 10, "output": 4},
        ),
        (
            "cohere",
            "cohere_chat",
            {"type": "message-start", "id": "c-1"},
            {
                "type": "message-end",
                "delta": {"usage": {"billed_units": {"input_tokens": 10, "output_tokens": 4}}},
            },
            {"input": 10, "output": 4},
        ),
    ],
)
def test_a_stream_is_complete_from_the_event_with_its_usage_on(
    provider: str, api: str, before: dict[str, Any], last: dict[str, Any], units: dict[str, int]
) -> None:
    stream = collector(provider, api)
    told = []
    for event in (before, last):
        stream.add(event)
        read = stream.usage()
        told.append((stream.complete, read.units, read.flags))
    assert told == [(False, {}, ("partial",)), (True, units, ())]


def test_what_is_no_object_among_usages_says_nothing() -> None:
    kept = Kept()
    for each in ({"input": 3, "cached": None}, ["odd"], {"output": 4}, "odd"):
        kept.append(each)
    assert kept.merged() == {"input": 3, "cached": None, "output": 4}


@pytest.mark.parametrize(
    ("begun", "before", "after"),
    [
        (
            {"input_tokens": 9},
            {"input_tokens": 9, "output_tokens": 4},
            {"input_tokens": 9, "output_tokens": 4},
        ),
        (SimpleNamespace(input_tokens=9), None, {"input_tokens": 9, "output_tokens": 4}),  # not copied yet
        (None, {"output_tokens": 4}, {"output_tokens": 4}),
    ],
)
def test_the_events_of_a_message_are_a_body_when_it_ended(begun: Any, before: Any, after: Any) -> None:
    stream: Any = collector("anthropic", "messages")
    stream.add({"type": "message_start", "message": {"model": "m", "usage": begun}})
    assert stream.as_body() is None
    stream.add({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}})
    body = stream.as_body()
    assert (body and body["usage"]) == before
    stream.hold()
    assert stream.as_body()["usage"] == after


def test_of_two_chunks_of_gemini_the_later_word_counts_and_an_empty_one_is_none() -> None:
    stream: Any = collector("google", "generate_content")
    stream.add({"modelVersion": "first", "responseId": "r", "candidates": [{"content": {}}]})
    stream.add(
        {
            "modelVersion": "served",
            "responseId": "",
            "candidates": [{"finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 4, "totalTokenCount": 14},
        }
    )
    usage = stream.usage()
    assert (usage.model, usage.response_id) == ("served", "r")
    assert (usage.units, usage.flags) == ({"input": 10, "output": 4}, ())


@pytest.mark.parametrize(
    ("total", "units", "flags"),
    [
        (16, {"input": 12, "output": 1, "reasoning": 3}, ()),  # 10 + 4 + 2: the thoughts are three of the 4
        (19, {"input": 12, "output": 4, "reasoning": 3}, ("reasoning_additive",)),
        (15, {"input": 12, "output": 1, "reasoning": 3}, ("total_mismatch",)),
    ],
)
def test_the_total_of_a_live_turn_says_where_the_thoughts_are(
    total: int, units: dict[str, int], flags: tuple[str, ...]
) -> None:
    counts = {
        "promptTokenCount": 10,
        "responseTokenCount": 4,
        "thoughtsTokenCount": 3,
        "toolUsePromptTokenCount": 2,
    }
    stream = collector("google", "live")
    stream.add({"usageMetadata": {**counts, "totalTokenCount": total}})
    assert (stream.usage().units, stream.usage().flags) == (units, flags)


def test_what_a_live_turn_had_cached_is_taken_off_by_modality() -> None:
    stream = collector("google", "live")
    counts = {
        "promptTokenCount": 10,
        "cachedContentTokenCount": 6,
        "responseTokenCount": 0,
        "totalTokenCount": 10,
    }
    audio = [{"modality": "AUDIO", "tokenCount": 10}], [{"modality": "AUDIO", "tokenCount": 6}]
    stream.add({"usageMetadata": {**counts, "promptTokensDetails": audio[0], "cacheTokensDetails": audio[1]}})
    assert stream.usage().units == {"input_audio": 4, "cache_read_audio": 6}
