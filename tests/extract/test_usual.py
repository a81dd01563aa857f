"""The usual answer: read in one go, and never other than the whole way reads it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlay.extract import held, read, usual_of, usual_of_body

COUNTED = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}


def body_with(usage: Any = COUNTED, **more: Any) -> dict[str, Any]:
    return {"id": "c-1", "model": "gpt-4o", "usage": usage, **more}


def test_a_usual_answer_says_units_names_terms_and_what_was_counted() -> None:
    said = usual_of_body(body_with(service_tier="Flex"), "openai", "chat")
    items = (("input", 10), ("output", 4))
    assert said == (items, ("gpt-4o", "c-1"), (("service_tier", "flex"),), COUNTED)
    assert said == usual_of(read(body_with(service_tier="Flex"), provider="openai", api="chat"))


@pytest.mark.parametrize(
    ("body", "provider", "api"),
    [
        (body_with(), "openai", "messages"),  # another family's counts
        (body_with(), "openai", "embeddings"),  # a family without a usual answer
        (body_with(), "nobody", "chat"),  # flagged by_shape
        ([body_with()], "openai", "chat"),
        (body_with(None), "openai", "chat"),
        (body_with([1]), "openai", "chat"),
        (body_with({**COUNTED, "cost": "0.1"}), "openai", "chat"),
        (body_with(dict.fromkeys(COUNTED, 0)), "openai", "chat"),  # nothing was used
        (body_with(custom_id="line-1"), "openai", "chat"),  # the line of a batch, at half the price
        (body_with(object="batch"), "openai", "chat"),
    ],
)
def test_what_is_not_usual_has_to_be_read(body: Any, provider: str, api: str) -> None:
    assert usual_of_body(body, provider, api) is None


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 99},  # flagged
        {},  # with a reason
        {**COUNTED, "cost": 0.5},  # states money
    ],
)
def test_a_usage_that_says_more_is_no_usual_one(usage: dict[str, Any]) -> None:
    assert usual_of(read(body_with(usage), provider="openrouter", api="chat")) is None


def test_a_usage_with_parts_or_an_own_context_is_no_usual_one() -> None:
    usage = read(body_with(), provider="openai", api="chat")
    assert usual_of(usage) is not None
    assert usual_of(replace(usage, parts=(usage,))) is None
    assert usual_of(replace(usage, context_tokens=7)) is None


SMALL = st.one_of(st.integers(-1, 9), st.none(), st.just("3"), st.just(2.0))
DETAILS = st.none() | st.dictionaries(
    st.sampled_from(("cached_tokens", "reasoning_tokens", "audio_tokens", "text_tokens")), SMALL
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "prompt_tokens": SMALL,
            "completion_tokens": SMALL,
            "total_tokens": st.integers(0, 18),
            "prompt_tokens_details": DETAILS,
            "completion_tokens_details": DETAILS,
            "cost": SMALL,
        },
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "model": st.sampled_from(("gpt-4o", "", None, 3)),
            "service_tier": st.sampled_from(("Default", "", None, 3)),
            "custom_id": st.just("a"),
            "object": st.sampled_from(("batch", "chat.completion")),
        },
    ),
    st.sampled_from(("openai", "groq", "openrouter", "nobody")),
)
def test_both_ways_say_the_same(usage: dict[str, Any], more: dict[str, Any], provider: str) -> None:
    body = {"usage": usage, **more}
    said = usual_of_body(held(body, "chat"), provider, "chat")
    if said is not None:
        assert said == usual_of(read(body, provider=provider, api="chat"))


COUNT = st.one_of(*[st.integers(0, 9)] * 4, st.sampled_from((None, True, False, 2.0, 0.0, "", -1, 10**30)))
NAME = st.sampled_from(("standard", None, "us", "not_available", "", "batch", "é", "x" * 101, 3))
MESSAGE = {
    "input_tokens": st.integers(0, 9) | COUNT,
    "output_tokens": st.integers(0, 9) | COUNT,
    "cache_read_input_tokens": COUNT,
    "cache_creation_input_tokens": COUNT,
    "cache_creation": st.none()
    | st.dictionaries(
        st.sampled_from(("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens") * 4 + ("ephemeral_7d",)),
        COUNT,
    ),
    "service_tier": NAME,
    "inference_geo": NAME,
    "speed": st.sampled_from((None,) * 8 + ("", "fast")),
    "server_tool_use": st.sampled_from((None,) * 8 + ({}, {"web_search_requests": 1})),
    "output_tokens_details": st.sampled_from((None,) * 8 + ({"thinking_tokens": 1},)),
    "iterations": st.sampled_from((None,) * 8 + ([], [{"type": "compaction", "input_tokens": 3}])),
    "cost": st.sampled_from((None,) * 8 + (0, 2, "1")),
}


@given(
    st.fixed_dictionaries({}, optional=MESSAGE),
    st.fixed_dictionaries(
        {},
        optional={
            "model": st.sampled_from(("claude-sonnet-4-5", "", None, 3)),
            "content": st.just([{"type": "text", "text": "hello"}]),
            "custom_id": st.just("a"),
        },
    ),
    st.sampled_from(("anthropic", "bedrock", "vertex", "nobody")),
)
def test_both_ways_say_the_same_of_a_message(
    usage: dict[str, Any], more: dict[str, Any], provider: str
) -> None:
    body = {"usage": usage, **more}
    said = usual_of_body(held(body, "messages"), provider, "messages")
    if said is not None:
        assert said == usual_of(read(body, provider=provider, api="messages"))


@pytest.mark.parametrize(
    ("usage", "items", "terms"),
    [
        (
            {"input_tokens": 7, "output_tokens": 3, "service_tier": "standard", "server_tool_use": None},
            (("input", 7), ("output", 3)),
            (("service_tier", "standard"),),
        ),
        (
            {
                "input_tokens": 7,
                "output_tokens": 3,
                "cache_read_input_tokens": 2,
                "cache_creation_input_tokens": 9,
                "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 5},
                "inference_geo": "us",
                "service_tier": "priority",
            },
            (("input", 7), ("cache_read", 2), ("cache_write", 4), ("cache_write_1h", 5), ("output", 3)),
            (("geo", "us"), ("service_tier", "priority")),
        ),
        (
            {"input_tokens": 7, "output_tokens": 3, "cache_creation_input_tokens": 9, "cache_creation": None},
            (("input", 7), ("cache_write", 9), ("output", 3)),
            (),
        ),
    ],
)
def test_a_usual_message_says_units_and_terms(
    usage: dict[str, Any], items: tuple[Any, ...], terms: tuple[Any, ...]
) -> None:
    body = {"id": "m-1", "model": "claude-sonnet-4-5", "usage": usage}
    said = usual_of_body(body, "anthropic", "messages")
    assert said == (items, ("claude-sonnet-4-5", "m-1"), terms, usage)
    assert said == usual_of(read(body, provider="anthropic", api="messages"))
