"""What holds for every body: disjoint units that add up, and garbage that never escapes as another error."""

import json
from collections.abc import Iterator
from contextlib import suppress
from copy import copy
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.golden import CASES

from outlay.core.errors import ResponseError
from outlay.core.usage import Usage, check_quantity
from outlay.extract import APIS, collector, read

COUNTS = st.integers(0, 10**6)
HOSTED: dict[str, Any] = {
    "object": "response", "model": "gpt-4o", "reasoning": {"effort": "low"},
    "tools": [{"type": "web_search_preview"}, {"type": "image_generation", "model": "gpt-image-1"}],
    "output": [
        {"type": "web_search_call", "action": {"type": "search", "queries": ["a", "b"]}},
        {"type": "file_search_call", "status": "completed"},
        {"type": "code_interpreter_call", "container_id": "c1"},
        {"type": "shell_call", "environment": {"type": "container_reference", "container_id": "c2"}},
        {"type": "image_generation_call", "status": "completed", "size": "1024x1024", "quality": "low"},
    ],
    "tool_usage": {"web_search": {"num_requests": 1}},
    "usage": {"input_tokens": 30, "output_tokens": 20, "total_tokens": 50},
}  # fmt: skip
"""What OpenAI's hosted tools leave in an answer."""

# Keys that readers look for, so that garbage reaches deep into them.
KEYS = st.sampled_from([
    "usage", "usageMetadata", "usage_metadata", "response", "message", "delta", "metadata",
    "chunk", "choices", "candidates", "interaction", "type", "event_type", "id", "model", "error",
    "status", "tools", "tool_usage", "image_gen", "iterations", "x_groq", "usage_breakdown",
    "models", "prompt_tokens", "completion_tokens", "total_tokens", "input_tokens",
    "output_tokens", "prompt_tokens_details", "cached_tokens", "completion_tokens_details",
    "reasoning_tokens", "audio_tokens", "image_tokens", "cache_creation_input_tokens", "cost",
    "cache_read_input_tokens", "cache_creation", "ephemeral_5m_input_tokens",
    "ephemeral_1h_input_tokens", "server_tool_use", "web_search_requests", "promptTokenCount",
    "cachedContentTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount",
    "promptTokensDetails", "modality", "tokenCount", "groundingMetadata", "webSearchQueries",
    "serverContent", "inputTokens", "outputTokens", "totalTokens", "cacheReadInputTokens",
    "cacheWriteInputTokens", "cacheDetails", "trace", "guardrail", "inputAssessment",
    "invocationMetrics", "billed_units", "tokens", "meta", "search_units", "eval_count",
    "prompt_eval_count", "done", "usage_info", "pages_processed", "data", "seconds", "svg_usage",
    "predictions", "embeddings", "statistics", "token_count", "results", "inputTextTokenCount",
    "prompt_token_count", "amazon-bedrock-invocationMetrics", "ResponseMetadata", "HTTPHeaders",
    "bytes", "total_input_tokens", "total_output_tokens", "input_tokens_by_modality",
    "cost_in_usd_ticks", "is_byok", "session", "audio", "input", "server_side_tools_used",
    "cached_prompt_text_tokens", "outputs", "finish_reason", "custom_id", "result", "body",
    "provider", "service_tier", "output_tokens_details", "cache_write_tokens_details",
    "context_details", "cost_details", "total_cost",
])  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**13),
    st.integers(10**30, 10**40),
    st.floats(),
    st.sampled_from(
        ["", "12", "-3", "many", "NaN", "response.done", "message_start", "message_delta",
         "response.completed", "message-end", "compaction", "advisor_message", "fallback_message", "message",
         "AUDIO", "TEXT", "\ud800"]
    ),
)  # fmt: skip
GARBAGE = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)
BODIES = st.dictionaries(KEYS, GARBAGE, max_size=8)


def assert_sound(usage: Usage) -> None:
    """Every quantity is one that can be, and the usage can be written to a journal."""
    for unit, quantity in usage.items:
        check_quantity(unit, quantity)
    orjson.dumps([usage.raw, usage.model, usage.response_id, usage.reason, usage.terms, usage.flags])
    for part in usage.parts:
        assert_sound(part)
    if usage.parts:
        together: dict[str, Any] = {}
        for part in usage.parts:
            for unit, quantity in part.items:
                together[unit] = together.get(unit, 0) + quantity
        assert together == usage.units


@given(
    api=st.sampled_from(APIS),
    body=BODIES,
    provider=st.sampled_from(["openai", "xai", "mistral", "google", "somebody"]),
)
@settings(max_examples=200, deadline=None)
def test_garbage_gives_a_sound_usage(api: str, body: dict[str, Any], provider: str) -> None:
    assert_sound(read(body, provider=provider, api=api))


@given(api=st.sampled_from(APIS), events=st.lists(BODIES, min_size=1, max_size=5))
@settings(max_examples=200, deadline=None)
def test_garbage_events_give_a_sound_usage(api: str, events: list[Any]) -> None:
    assert_sound(read(events, provider="openai", api=api))


@given(body=GARBAGE)
@settings(max_examples=150, deadline=None)
def test_anything_is_a_usage_or_a_response_error(body: Any) -> None:
    with suppress(ResponseError):
        assert_sound(read(body, provider="openai"))


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give where something stands in a body, by keys and positions."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, within in pairs:
        yield (*before, key)
        yield from places(within, (*before, key))


def put(value: Any, place: tuple[Any, ...], other: Any) -> Any:
    """Give a body that has something else in one place."""
    key, *within = place
    changed = copy(value)
    changed[key] = put(value[key], tuple(within), other) if within else other
    return changed


def golden() -> Iterator[tuple[str, str, Any]]:
    """Give the provider, API and body or events of each golden case, and of an answer with hosted tools."""
    for case in CASES:
        if body := case.get("response") or case.get("events"):
            yield case["provider"], case["api"], body
    yield "openai", "responses", HOSTED


def test_whatever_stands_in_a_place_of_a_body_the_rest_is_read() -> None:
    """No value of a kind that nobody expects there ends in another error than the one for such bodies."""
    odd: tuple[Any, ...] = ([], {}, ["x"], [{}], {"a": []}, "x", "", -1, 1.5, True, 10**30, None)
    for provider, api, body in golden():
        for place in places(body):
            for other in odd:
                with suppress(ResponseError):
                    assert_sound(read(put(body, place, other), provider=provider, api=api))


@given(
    text=st.text(max_size=80)
    | st.sampled_from(["[" * 5000, '{"a":' * 5000, "data: {", "data:\n\n", "\ufeff"])
)
@settings(max_examples=150, deadline=None)
def test_any_text_is_a_usage_or_a_response_error(text: str) -> None:
    with suppress(ResponseError):
        assert_sound(read(text, provider="openai", api="chat"))


@given(st.lists(COUNTS, min_size=6, max_size=6))
def test_chat_units_add_up_to_prompt_and_completion(counts: list[int]) -> None:
    fresh, cached, written, audio, shown, thought = counts
    prompt, completion = fresh + cached + written + audio, shown + thought
    usage = read(
        {"usage": {
            "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
            "prompt_tokens_details": {
                "cached_tokens": cached, "cache_write_tokens": written, "audio_tokens": audio},
            "completion_tokens_details": {"reasoning_tokens": thought},
        }},
        provider="openai", api="chat",
    )  # fmt: skip

    wanted = {
        "input": fresh, "input_audio": audio, "cache_read": cached, "cache_write": written,
        "output": shown, "reasoning": thought,
    }  # fmt: skip
    assert usage.units == {unit: count for unit, count in wanted.items() if count}
    assert (usage.input_tokens, usage.output_tokens, usage.flags) == (prompt, completion, ())


@given(st.lists(COUNTS, min_size=7, max_size=7))
def test_anthropic_units_are_the_counts_themselves(counts: list[int]) -> None:
    fresh, read_, short, hour, shown, thought, searches = counts
    usage = read(
        {"usage": {
            "input_tokens": fresh, "cache_read_input_tokens": read_,
            "cache_creation_input_tokens": short + hour,
            "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": hour},
            "output_tokens": shown + thought, "output_tokens_details": {"thinking_tokens": thought},
            "server_tool_use": {"web_search_requests": searches},
        }},
        provider="anthropic", api="messages",
    )  # fmt: skip

    assert usage.input_tokens == fresh + read_ + short + hour
    assert usage.output_tokens == shown + thought
    assert (usage["cache_write"], usage["cache_write_1h"], usage["web_search"]) == (short, hour, searches)


@given(st.lists(COUNTS, min_size=7, max_size=7))
def test_gemini_units_add_up_to_the_total(counts: list[int]) -> None:
    text, image, cached_text, cached_image, shown, thought, tools = counts
    cached = cached_text + cached_image
    prompt = text + image + cached
    total = prompt + shown + thought + tools
    usage = read(
        {"usageMetadata": {
            "promptTokenCount": prompt, "cachedContentTokenCount": cached, "candidatesTokenCount": shown,
            "thoughtsTokenCount": thought, "toolUsePromptTokenCount": tools, "totalTokenCount": total,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": text + cached_text},
                {"modality": "IMAGE", "tokenCount": image + cached_image}],
            "cacheTokensDetails": [{"modality": "IMAGE", "tokenCount": cached_image}],
        }},
        provider="google", api="generate_content",
    )  # fmt: skip

    assert usage.total_tokens == total
    assert usage.flags == ()
    assert (usage["input_image"], usage["cache_read_image"]) == (image, cached_image)
    assert (usage["input"], usage["cache_read"]) == (text + tools, cached_text)


@given(
    prompt=COUNTS,
    cached=COUNTS,
    reasoning=COUNTS,
    completion=COUNTS,
    total=COUNTS,
    provider=st.sampled_from(["openai", "xai", "google"]),
)
def test_clamped_counts_never_exceed_what_was_stated(
    prompt: int, cached: int, reasoning: int, completion: int, total: int, provider: str
) -> None:
    usage = read(
        {"usage": {
            "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }},
        provider=provider, api="chat",
    )  # fmt: skip

    assert usage.input_tokens == prompt
    assert completion <= usage.output_tokens <= max(completion + reasoning, total)
    assert usage.total_tokens == total or "total_mismatch" in usage.flags


@given(
    output=st.lists(COUNTS, min_size=1, max_size=90),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
)
@settings(deadline=None)
def test_events_text_and_body_agree(output: list[int], ending: str) -> None:
    start = {"id": "m", "model": "claude", "usage": {"input_tokens": 7, "output_tokens": 1}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    events += [{"type": "message_delta", "delta": {}, "usage": {"output_tokens": count}} for count in output]
    events += [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}]
    text = "".join(
        f"event: {event['type']}{ending}data: {json.dumps(event)}{ending}{ending}" for event in events
    )
    body = {**start, "usage": {"input_tokens": 7, "output_tokens": 9}}

    whole = read(body, provider="anthropic", api="messages")
    assert read(events, provider="anthropic", api="messages") == whole
    assert read(text, provider="anthropic", api="messages") == whole
    assert read(text.encode(), provider="anthropic") == whole


@pytest.mark.parametrize("api", ["chat", "messages", "generate_content", "grpc_chat"])
def test_a_collector_holds_a_bounded_number_of_usages(api: str) -> None:
    live = collector("openai", api)
    for count in range(1000):
        usage = {"prompt_tokens": 3, "completion_tokens": count, "output_tokens": count}
        live.add({"type": "message_delta", "usage": usage, "usageMetadata": {"candidatesTokenCount": count}})
    kept = live._deltas if api == "messages" else live._kept  # type: ignore[attr-defined]  # not in the protocol

    assert len(kept._held) <= 65
    assert live.usage()["output"] == 999
