"""Every trap of extraction by its number: golden cases named for it, and tests of what a case cannot say."""

from decimal import Decimal
from typing import Any

import pytest
from tests.support.golden import CASES as ALL_CASES
from tests.support.golden import check

from outlay.core.usage import Usage
from outlay.extract import anthropic, chat, google, read, responses
from outlay.extract.common import PAID, RESPONSES, common_items
from outlay.extract.messages import message_items
from outlay.extract.usual import usual_of_body

CASES = {case["name"]: case for case in ALL_CASES}
GOLDEN = {
    "usage 1": ["openai stream without usage is partial, never zero", "openai stream with its usage chunk"],
    "usage 2": ["cumulative usage in every chunk is never summed"],
    "usage 3": [
        (
            "anthropic stream: the delta's input wins, the start's split and tier stay, extra writes have"
            " the request's lifetime"
        ),
        "anthropic stream: a delta without input keeps the start's",
        "anthropic stream: several deltas are cumulative",
        "anthropic stream: a gateway that sends cache counts in the delta alone",
    ],
    "usage 4": ["responses: queued in the background has no usage yet"],
    "usage 5": ["invoke_model stream: the metrics are the same usage again"],
    "usage 6": [
        "a cumulative stream that is cut off",
        "anthropic stream: cut off after its start",
        "gemini stream: cut off, the running count",
        "responses stream: cut off before its terminal event",
        "interactions stream: cut off, the usage so far",
    ],
    "usage 7": [
        "an error body",
        "an error inside of a stream",
        "an error inside of a stream that still carries usage",
        "responses stream: failed",
    ],
    "usage 9": [
        "anthropic: a whole line of batch results",
        "openai: a whole line of batch output",
        "openai: a responses-shaped line of batch output",
    ],
    "usage 10": ["vertex: flex traffic is the flex tier; modalities by number"],
    "usage 12": ["anthropic: server tools; the sum over calls is said to be one"],
    "usage 15": [
        "azure stream: the content filter's first chunk names no model",
        "converse: the prompt router names the model",
    ],
    "usage 16": [
        "converse: cache counts beside the input, each key twice",
        "converse: a total that shows the cache inside",
        "converse: a cache count doubled on the way is said not to add up",
    ],
    "usage 17": ["anthropic: a request of cache alone is billed"],
    "usage 20": [
        "anthropic: the advisor is billed beside the top level, on its own model",
        "groq compound: one part for each model, their sum is the whole",
        "responses: the image tool's tokens are another model's (synthetic)",
        "images: svg authoring is another model's (synthetic)",
    ],
    "usage 21": [
        "a negative count is clamped at 0",
        "cached above prompt is clamped",
        "reasoning above completion is clamped",
    ],
    "peers 1": ["gemini: thoughts and tool-use prompts are additive, cached a subset"],
    "peers 2": [
        "xai chat: reasoning outside of completion, exact ticks",
        "xai responses: reasoning inside, hosted searches counted, size of the last context kept",
        "xai grpc: reasoning outside, ticks as text, absent is 0",
    ],
    "peers 3": ["chat: image and cached tokens that overlap are taken off once"],
    "peers 4": ["output is visible and reasoning, not reasoning alone"],
    "peers 5": ["chat: cached and reasoning are subsets", "anthropic: cache counts stand beside the input"],
    "peers 6": ["gemini: thoughts and tool-use prompts are additive, cached a subset"],
    "peers 8": ["elsewhere a gap in the total is never made output"],
    "peers 9": [
        "chat: cache writes are a subset beside cached ones",
        "gemini: cached audio is a unit of its own, taken off once",
    ],
    "peers 11": ["anthropic: a request of cache alone is billed"],
    "peers 12": ["converse: a cache count doubled on the way is said not to add up"],
    "peers 13": [
        "chat: prompt_tokens absent altogether is partial, not guessed",
        "deepseek: prompt_tokens absent, hit and miss make it",
    ],
    "peers 14": [
        "explicit zeros are a usage of nothing, not a missing one",
        "an explicit zero is not filled up from the total",
        "a prompt of explicit zero is not made of cache hits",
    ],
    "peers 15": ["unknown keys are kept and flagged"],
    "peers 17": ["counts as text and with a null", "a count that is no number is left out"],
    "peers 18": [
        "cumulative usage in every chunk is never summed",
        "anthropic stream: a gateway that sends cache counts in the delta alone",
    ],
    "peers 20": ["anthropic stream: cut off after its start", "a cumulative stream that is cut off"],
    "peers 21": ["openai stream without usage is partial, never zero"],
    "peers 24": ["responses: queued in the background has no usage yet"],
    "peers 27": ["anthropic: a declined hop before the fallback is a part of its own"],
}


@pytest.mark.parametrize(("trap", "name"), [(trap, name) for trap, names in GOLDEN.items() for name in names])
def test_trap(trap: str, name: str) -> None:
    check(CASES[name])


QUICK = (
    (anthropic, "message_items"),
    (chat, "common_usage"),
    (responses, "common_usage"),
    (google, "usual_items"),
)
"""Where most answers are read in one go; whoever closes these ways has every answer read key by key."""


@pytest.mark.parametrize(("trap", "name"), [(trap, name) for trap, names in GOLDEN.items() for name in names])
def test_trap_read_key_by_key(trap: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, quick in QUICK:
        monkeypatch.setattr(module, quick, lambda *_: None)
    test_trap(trap, name)


@pytest.mark.parametrize(
    ("usage", "items"),
    [
        ({"input_tokens": 0, "cache_read_input_tokens": 5000, "output_tokens": 0}, (("cache_read", 5000),)),
        ({"input_tokens": 0, "cache_creation_input_tokens": 7, "output_tokens": 0}, (("cache_write", 7),)),
    ],
)
def test_peers_11_a_request_of_cache_alone_is_billed_when_read_in_one_go(
    usage: dict[str, Any], items: tuple[Any, ...]
) -> None:
    body = {"id": "msg_1", "model": "claude-sonnet-4-5", "usage": usage}
    usual = usual_of_body(body, "anthropic", "messages")
    assert (message_items(usage), None if usual is None else usual[0]) == (items, items)
    counts = {"prompt_tokens": 9, "completion_tokens": 0, "total_tokens": 9}
    cached = {**counts, "prompt_tokens_details": {"cached_tokens": 9}}
    assert common_items(cached, PAID) == (("cache_read", 9),)


def test_peers_14_explicit_zeros_are_a_usage_of_nothing_when_read_in_one_go() -> None:
    counts = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    for usage in (counts, {**counts, **details}):
        assert common_items(usage, RESPONSES) == ()  # None would be a usage that has to be looked at
    assert message_items({"input_tokens": 0, "output_tokens": 0}) == ()
    absent = {"input_tokens": 0, "total_tokens": 0}
    assert (common_items(absent, RESPONSES), message_items({"input_tokens": 0})) == (None, None)


MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "model": "claude-sonnet-4-5",
    "usage": {"input_tokens": 12, "cache_read_input_tokens": 500, "output_tokens": 40},
}


def test_usage_4_a_response_that_is_asked_for_again_has_the_same_id() -> None:
    usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    done = {"id": "resp_1", "object": "response", "model": "gpt-5", "usage": usage}
    waiting = {"id": "resp_1", "object": "response", "model": "gpt-5", "status": "queued", "usage": None}
    ended = {"type": "response.completed", "response": done}
    ids = [read(each, provider="openai", api="responses").response_id for each in (waiting, done, [ended])]
    assert ids == ["resp_1"] * 3


def test_usage_9_a_batch_is_not_counted_beside_its_lines() -> None:
    batch = {"id": "batch_1", "object": "batch", "usage": {"input_tokens": 9, "output_tokens": 5}}
    usage = read(batch, provider="openai")
    assert (usage.items, usage.response_id) == ((), "batch_1")
    assert usage.reason == "a batch states the sum of its output lines: read those"
    assert read(batch, provider="openai", api="chat") == usage


def test_usage_9_a_line_of_results_says_that_it_was_a_batch() -> None:
    line = {"custom_id": "a", "result": {"type": "succeeded", "message": MESSAGE}}
    assert read(line, provider="anthropic").term("batch") == "true"


@pytest.mark.parametrize("tier", ["default", "flex", "priority", "scale", "ultrafast"])
def test_usage_10_the_tier_that_served_is_read(tier: str) -> None:
    body = {"model": "gpt-5", "service_tier": tier, "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
    assert read(body, provider="openai", api="chat").term("service_tier") == tier


def test_usage_15_the_snapshot_is_read_whatever_was_asked_for() -> None:
    body = {"model": "gpt-4o-2024-08-06", "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
    assert read(body, provider="openai", api="chat").model == "gpt-4o-2024-08-06"


@pytest.mark.parametrize("body", [{"usage": {"tokens_in": 5, "tokens_out": 7}}, {"usage": {"in": 5}}, {}])
def test_peers_15_a_shape_that_nobody_knows_is_no_zero(body: dict[str, Any]) -> None:
    usage = read({"id": "x", **body}, provider="openai", api="chat")
    assert usage.items == ()
    assert usage.reason
    assert ("unknown_keys" in usage.flags) is ("usage" in body)


def test_peers_19_a_stream_counts_as_the_whole_answer_does() -> None:
    start = {**MESSAGE, "usage": {**MESSAGE["usage"], "output_tokens": 1}}
    events = [
        {"type": "message_start", "message": start},
        {"type": "content_block_delta", "delta": {"text": "x"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 40}},
        {"type": "message_stop"},
    ]
    whole = read(MESSAGE, provider="vertex", api="messages")
    assert units(read(events, provider="vertex", api="messages")) == units(whole)
    assert units(whole) == {"input": 12, "cache_read": 500, "output": 40}


def units(usage: Usage) -> dict[str, int | Decimal]:
    return usage.units


def test_peers_22_the_same_response_twice_has_one_id() -> None:
    first = read(MESSAGE, provider="anthropic", api="messages")
    again = read([{"type": "message_start", "message": MESSAGE}], provider="anthropic", api="messages")
    assert first.response_id == again.response_id == "msg_1"


def test_peers_23_what_is_retrieved_later_can_be_told_by_its_id() -> None:
    stored = {"id": "resp_9", "object": "response", "model": "gpt-5", "usage": {"input_tokens": 1}}
    assert read(stored, provider="openai", api="responses").response_id == "resp_9"


@pytest.mark.parametrize("value", ["12", 5, True, 1.5])
@pytest.mark.parametrize(
    ("provider", "api", "usage", "key"),
    [
        ("openai", "chat", {"prompt_tokens": 10, "completion_tokens": 5}, "prompt_tokens_details"),
        ("openai", "chat", {"prompt_tokens": 10, "completion_tokens": 5}, "completion_tokens_details"),
        ("openai", "responses", {"input_tokens": 10, "output_tokens": 5}, "input_tokens_details"),
        ("anthropic", "messages", {"input_tokens": 10, "output_tokens": 5}, "cache_creation"),
        ("anthropic", "messages", {"input_tokens": 10, "output_tokens": 5}, "iterations"),
        ("bedrock", "converse", {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}, "cacheDetails"),
    ],
)
def test_peers_17_details_that_are_no_object_are_said(
    provider: str, api: str, usage: dict[str, Any], key: str, value: object
) -> None:
    """What they would have said of cached or written tokens nobody knows; the rest counts."""
    found = read({"model": "m", "usage": {**usage, key: value}}, provider=provider, api=api)
    assert (units(found), found.flags) == ({"input": 10, "output": 5}, ("bad_count",))
    assert found.reason == f"{key} is no object of counts"
    assert read({"model": "m", "usage": {**usage, key: None}}, provider=provider, api=api).flags == ()


@pytest.mark.parametrize("value", [True, False])
def test_peers_17_a_truth_is_no_count(value: bool) -> None:  # noqa: FBT001 - the value under test
    usage = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": value}
    found = read({"model": "m", "usage": usage}, provider="anthropic", api="messages")
    assert (found.flags, found.reason) == (("bad_count",), "cache_read_input_tokens is no number")
