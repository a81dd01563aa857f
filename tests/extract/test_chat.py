"""Chat: what counts as what, and what does not add up; each figure worked out by hand."""

from typing import Any

import pytest

from outlay.extract import read

COUNTED = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}


def usage_of(provider: str = "openai", /, **usage: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Give the units and flags of a chat's usage."""
    found = read({"usage": usage}, provider=provider, api="chat")
    return found.units, found.flags


@pytest.mark.parametrize("gap", [-2, -1, 1, 2])
def test_a_total_that_nothing_explains_is_said_however_little_it_is_off(gap: int) -> None:
    found = usage_of(prompt_tokens=10, completion_tokens=4, total_tokens=14 + gap)
    assert found == ({"input": 10, "output": 4}, ("total_mismatch",))


@pytest.mark.parametrize("provider", ["google", "vertex"])
def test_where_a_remainder_was_thought_one_token_is_enough(provider: str) -> None:
    found = usage_of(provider, prompt_tokens=10, completion_tokens=4, total_tokens=15)
    assert found == ({"input": 10, "output": 4, "reasoning": 1}, ("reasoning_additive",))


def test_a_total_that_agrees_leaves_reasoning_inside_wherever_it_stands_by_rule() -> None:
    found = usage_of("xai", **COUNTED, completion_tokens_details={"reasoning_tokens": 3})
    assert found == ({"input": 10, "output": 1, "reasoning": 3}, ())


def test_the_usage_of_a_choice_is_that_of_the_first() -> None:
    first, other = dict(COUNTED), {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    body = {"choices": [{"usage": first}, {"usage": other}]}
    assert read(body, provider="moonshotai", api="chat").units == {"input": 10, "output": 4}


def test_a_usual_usage_with_a_breakdown_is_split_by_it() -> None:
    rows = [
        {"model": "a", "usage": {"prompt_tokens": 6, "completion_tokens": 1, "total_tokens": 7}},
        {"model": "b", "usage": {"prompt_tokens": 4, "completion_tokens": 3, "total_tokens": 7}},
    ]
    body = {"usage": dict(COUNTED), "usage_breakdown": {"models": rows}}
    found = read(body, provider="groq", api="chat")
    assert [(part.model, part.units) for part in found.parts] == [
        ("a", {"input": 6, "output": 1}),
        ("b", {"input": 4, "output": 3}),
    ]
    assert found.units == {"input": 10, "output": 4}
    half = {"model": "c", "usage": {"prompt_tokens": 0}}
    found = read({**body, "usage_breakdown": {"models": [*rows, half]}}, provider="groq", api="chat")
    assert (found.flags, found.reason) == (("partial",), "the usage has no completion tokens")


@pytest.mark.parametrize(
    ("usage", "units", "flags"),
    [
        ({"prompt_cache_hit_tokens": 5}, {"cache_read": 5, "output": 4}, ("partial",)),
        ({"prompt_cache_miss_tokens": 7}, {"input": 7, "output": 4}, ("partial",)),
        ({"prompt_cache_miss_tokens": 7, "total_tokens": 11}, {"input": 7, "output": 4}, ()),
        (
            {"prompt_cache_hit_tokens": 5, "prompt_cache_miss_tokens": 7},
            {"input": 7, "cache_read": 5, "output": 4},
            (),
        ),
    ],
)
def test_a_prompt_is_what_its_cache_hit_and_missed(
    usage: dict[str, int], units: dict[str, int], flags: tuple[str, ...]
) -> None:
    assert usage_of("deepseek", completion_tokens=4, **usage) == (units, flags)


def test_writes_in_the_details_count_before_those_beside_them_and_may_be_all_that_is_left() -> None:
    details = {"cache_write_tokens": 3}
    found = usage_of(**COUNTED, prompt_tokens_details=details, cache_creation_input_tokens=5)
    assert found == ({"input": 7, "cache_write": 3, "output": 4}, ())
    found = usage_of(**COUNTED, prompt_tokens_details={"cache_write_tokens": 10})
    assert found == ({"cache_write": 10, "output": 4}, ())
    found = usage_of(**COUNTED, prompt_tokens_details={"cache_write_tokens": 11})
    assert found == ({"cache_write": 10, "output": 4}, ("clamped",))


@pytest.mark.parametrize(
    ("beside", "unit"), [("num_sources_used", "sources"), ("num_search_queries", "web_search")]
)
@pytest.mark.parametrize(
    "usage",
    [
        COUNTED,
        {"prompt_tokens": 10, "completion_tokens": 4},  # three keys, of which one is no count of tokens
        {"prompt_tokens": 10, "total_tokens": 10},
    ],
)
def test_what_stands_beside_the_tokens_is_counted_however_few_of_them_are_stated(
    usage: dict[str, int], beside: str, unit: str
) -> None:
    units, flags = usage_of("xai", **usage, **{beside: 2})
    assert (units["input"], units[unit], flags) == (10, 2, ())
    assert "unknown_keys" in usage_of("xai", **usage, dreams=2)[1]


@pytest.mark.parametrize("total", [{}, {"total_tokens": 14}])
def test_a_usage_that_leaves_out_what_was_answered_is_partial(total: dict[str, int]) -> None:
    found = read({"usage": {"prompt_tokens": 10, **total}}, provider="openai", api="chat")
    assert (found.units, found.flags) == ({"input": 10}, ("partial",))
    assert found.reason == "the usage has no completion tokens"


@pytest.mark.parametrize("details", ["prompt_tokens_details", "completion_tokens_details"])
def test_a_count_within_another_that_nobody_knows_is_told(details: str) -> None:
    found = usage_of(**COUNTED, **{details: {"audio_tokens": 1, "dream_tokens": 2}})
    assert found[1] == ("unknown_keys",)


LITELLM = {
    "prompt_tokens": 1000,
    "completion_tokens": 10,
    "total_tokens": 1010,
    "cache_creation_input_tokens": 300,
    "cache_read_input_tokens": 500,
    "prompt_tokens_details": {
        "cached_tokens": 500,
        "cache_creation_tokens": 300,
        "cache_creation_token_details": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
        "text_tokens": 200,
    },
    "server_tool_use": {"web_search_requests": 2, "tool_search_requests": 1},
}


def test_litellm_s_proxy_tells_of_lifetimes_and_searches_in_words_of_its_own() -> None:
    body = {"model": "claude-sonnet-4-5", "choices": [], "usage": LITELLM}
    found = read(body, provider="litellm-proxy", api="chat")
    units = {"input": 200, "cache_read": 500, "cache_write": 100, "cache_write_1h": 200, "output": 10}
    assert (found.units, found.flags) == ({**units, "web_search": 2}, ())


@pytest.mark.parametrize(
    ("usage", "units", "flags"),
    [
        ({"prompt_tokens_details": {"web_search_requests": 3}}, {"web_search": 3}, ()),
        ({"prompt_tokens_details": {"google_maps_grounding_requests": 1}}, {"maps_search": 1}, ()),
        (
            {
                "prompt_tokens_details": {"web_search_requests": 3},
                "server_tool_use": {"web_search_requests": 3},
            },
            {"web_search": 3},
            (),
        ),
        ({"server_tool_use": {"browser_open_requests": 3}}, {}, ("unknown_keys",)),
        ({"server_tool_use": {"web_search_requests": None}}, {}, ()),
        (
            {"prompt_tokens_details": {"cache_creation_tokens": 4}},
            {"input": 5, "cache_write": 4},
            (),
        ),
        (
            {
                "prompt_tokens_details": {
                    "cache_write_tokens": 4,
                    "cache_creation_token_details": {"ephemeral_12h_input_tokens": 3, "ephemeral_2h": 1},
                }
            },
            {"input": 5, "cache_write": 1, "cache_write_12h": 3},
            ("unknown_keys",),
        ),
    ],
)
def test_searches_and_writes_that_litellm_tells_of_are_counted_once(
    usage: dict[str, Any], units: dict[str, int], flags: tuple[str, ...]
) -> None:
    counts = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
    found = read({"choices": [], "usage": {**counts, **usage}}, provider="litellm-proxy", api="chat")
    assert (found.units, found.flags) == ({"input": 9, "output": 4, **units}, flags)
