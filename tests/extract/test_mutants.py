"""What a changed line of extraction would get wrong: each test stands for mutants that others let live."""

from decimal import Decimal
from typing import Any

import pytest

from outlay.core.units import MAX_QUANTITY
from outlay.extract import collector, held, read
from outlay.extract.modality import by_modality, count_input, count_output
from outlay.extract.tally import Tally

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


@pytest.mark.parametrize(
    ("usage", "units"),
    [
        ({"prompt_cache_hit_tokens": 5}, {"cache_read": 5, "output": 4}),
        ({"prompt_cache_miss_tokens": 7}, {"input": 7, "output": 4}),
        (
            {"prompt_cache_hit_tokens": 5, "prompt_cache_miss_tokens": 7},
            {"input": 7, "cache_read": 5, "output": 4},
        ),
    ],
)
def test_a_prompt_is_what_its_cache_hit_and_missed(usage: dict[str, int], units: dict[str, int]) -> None:
    assert usage_of("deepseek", completion_tokens=4, **usage) == (units, ())


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


@pytest.mark.parametrize(
    ("value", "amount", "flags"),
    [
        (-1, 0, {"clamped"}),
        ("-1", 0, {"clamped"}),
        ("0", 0, set()),
        (0.5, Decimal("0.5"), set()),
        (str(MAX_QUANTITY), MAX_QUANTITY, set()),
        (MAX_QUANTITY, MAX_QUANTITY, set()),
        (MAX_QUANTITY + 1, None, {"bad_count"}),
    ],
)
def test_an_amount_at_its_ends(value: Any, amount: Any, flags: set[str]) -> None:
    tally = Tally()
    assert (tally.amount({"seconds": value}, "seconds"), tally.flags) == (amount, flags)
    if not isinstance(amount, Decimal):
        tally = Tally()
        assert (tally.count({"tokens": value}, "tokens"), tally.flags) == (amount, flags)


@pytest.mark.parametrize(
    ("value", "said"),
    [("many", "tokens is no number"), (10**5000, f"tokens is above {MAX_QUANTITY:,}, which no call can use")],
    ids=["a word", "5000 digits"],
)
def test_it_is_said_whether_a_count_is_none_or_too_great(value: Any, said: str) -> None:
    tally = Tally()
    tally.count({"tokens": value}, "tokens")
    assert tally.reason == said


def test_a_usage_without_a_stated_cost_has_dollars_as_its_currency() -> None:
    usage = read({"usage": {**COUNTED, "prompt_tokens": 9}}, provider="openai", api="chat")
    assert (usage.reported_cost, usage.reported_currency) == (None, "USD")


def test_rows_of_modalities_add_up_and_those_that_say_none_are_passed_over() -> None:
    rows = [
        "odd",
        {"modality": "audio", "tokenCount": 3},
        {"modality": 4, "token_count": 2},  # as protobuf numbers it
        {"modality": "TEXT", "tokenCount": 9},
        {"modality": None, "tokenCount": 9},
        {"modality": "IMAGE", "tokens": 7},
        {"modality": "VIDEO"},
    ]
    assert by_modality(Tally(), rows) == {"audio": 5, "image": 7}


@pytest.mark.parametrize(
    ("counts", "listed", "cached_listed", "units", "flags"),
    [
        ((10, 0), {}, {}, {"input": 10}, set()),
        ((10, 10), {}, {}, {"cache_read": 10}, set()),
        ((10, 11), {}, {}, {"cache_read": 10}, {"clamped"}),
        (  # 4 of 10 are cached, 3 of these are audio; of 5 audio tokens 2 are fresh, which leaves 4 of text
            (10, 4),
            {"audio": 5},
            {"audio": 3},
            {"cache_read": 1, "cache_read_audio": 3, "input": 4, "input_audio": 2},
            set(),
        ),
        (  # the cache is said to hold more audio than there is: none of it is fresh
            (10, 4),
            {"audio": 2},
            {"audio": 4},
            {"cache_read_audio": 4, "input": 6},
            set(),
        ),
        (  # the cache holds images alone: all audio is fresh
            (10, 4),
            {"audio": 5},
            {"image": 4},
            {"cache_read_image": 4, "input": 1, "input_audio": 5},
            set(),
        ),
        (  # no more of the audio is cached than is cached at all
            (10, 2),
            {"audio": 6},
            {"audio": 5},
            {"cache_read_audio": 2, "input": 4, "input_audio": 4},
            {"clamped"},
        ),
    ],
)
def test_an_input_by_modality_counts_each_token_once(
    counts: tuple[int, int],
    listed: dict[str, int],
    cached_listed: dict[str, int],
    units: dict[str, int],
    flags: set[str],
) -> None:
    tally = Tally()
    count_input(tally, *counts, listed, cached_listed)
    assert (tally.units, tally.flags) == (units, flags)
    assert sum(units.values()) == counts[0]


def test_protobuf_numbers_modalities_as_google_does() -> None:
    rows = [{"modality": number, "tokenCount": 10 + number} for number in range(7)]
    assert by_modality(Tally(), rows) == {"image": 12, "video": 13, "audio": 14, "document": 15}


def test_what_is_left_of_an_output_is_text() -> None:
    tally = Tally()
    assert count_output(tally, "output", 10, {"audio": 3, "image": 9}) == 0
    assert (tally.units, tally.flags) == ({"output_audio": 3, "output_image": 7}, {"clamped"})


def test_a_usage_that_is_no_object_is_held_as_it_was() -> None:
    odd = [1, "x"]
    kept = held({"usage": odd}, "chat")
    odd.append(2)
    assert kept == {"usage": [1, "x"]}


def test_chunks_behind_the_first_are_looked_at_when_somebody_asks() -> None:
    stream: Any = collector("openai", "chat")
    stream.add({"id": "c-1", "choices": [{"delta": {"content": "a"}}]})
    stream.rest({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    stream.rest({"choices": [], "usage": dict(COUNTED)})
    assert stream.complete
    assert stream.usage().units == {"input": 10, "output": 4}
