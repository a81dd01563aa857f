"""Anthropic's usual usage in one go: what it counts, and what it leaves to the whole way."""

from typing import Any

import pytest

from outlay.core.units import MAX_QUANTITY
from outlay.extract import read
from outlay.extract.messages import message_items, message_terms

USED = {"input_tokens": 7, "output_tokens": 3}


def written(count: object, **lifetimes: object) -> dict[str, Any]:
    """Make a usage that says how much was written to a cache, and for how long."""
    names = {"hour": "ephemeral_1h_input_tokens", "short": "ephemeral_5m_input_tokens"}
    split = {names.get(name, name): value for name, value in lifetimes.items()}
    return {**USED, "cache_creation_input_tokens": count, "cache_creation": split}


@pytest.mark.parametrize(
    ("usage", "five_minutes", "hour"),
    [
        (written(9, short=4, hour=5), 4, 5),
        (written(9, short=9, hour=0), 9, 0),
        (written(9, short=None, hour=9), 0, 9),
        (written(9, hour=9), 0, 9),
        (written(9), 9, 0),  # of no lifetime: the usual one
        (written(9, short=0, hour=0), 9, 0),
        (written(None, short=0), 0, 0),
        ({**written(9), "cache_creation": None}, 9, 0),
    ],
)
def test_what_was_written_is_split_by_its_lifetime(
    usage: dict[str, Any], five_minutes: int, hour: int
) -> None:
    counts = {"input": 7, "cache_write": five_minutes, "cache_write_1h": hour, "output": 3}
    expected = {unit: count for unit, count in counts.items() if count}
    assert dict(message_items(usage) or ()) == expected
    whole = read({"usage": usage}, provider="anthropic", api="messages")
    assert (whole.units, whole.flags) == (expected, ())


@pytest.mark.parametrize(
    ("usage", "counted", "flags"),  # by the whole way
    [
        (written(9, short=4, hour=6), {"cache_write": 3, "cache_write_1h": 6}, ("clamped",)),
        (written(9, short=4, hour=4), {"cache_write": 5, "cache_write_1h": 4}, ()),
        (written(8, hour=9), {"cache_write_1h": 8}, ("clamped",)),
        (written(None, short=4, hour=5), {"cache_write": 4, "cache_write_1h": 5}, ()),
        (written(9, short=4, hour="5"), {"cache_write": 4, "cache_write_1h": 5}, ()),
        (written(9, short=4, hour=5.0), {"cache_write": 4, "cache_write_1h": 5}, ()),
        (written(9, short=-4, hour=13), {"cache_write_1h": 9}, ("clamped",)),
        (written(9, short=9, week=1), {"cache_write": 9}, ("unknown_keys",)),
        (written(9, short=3, hour=5, week=1), {"cache_write": 4, "cache_write_1h": 5}, ("unknown_keys",)),
        ({**written(9), "cache_creation": [9]}, {"cache_write": 9}, ()),
    ],
)
def test_lifetimes_that_are_not_just_what_was_written_are_left_to_the_whole_way(
    usage: dict[str, Any], counted: dict[str, int], flags: tuple[str, ...]
) -> None:
    assert message_items(usage) is None
    whole = read({"usage": usage}, provider="anthropic", api="messages")
    assert (whole.units, whole.flags) == ({"input": 7, **counted, "output": 3}, flags)


@pytest.mark.parametrize(
    "more",
    [
        {"output_tokens": None},
        {"input_tokens": -1},
        {"input_tokens": MAX_QUANTITY + 1},
        {"input_tokens": True},
        {"cache_read_input_tokens": 2.0},
        {"service_tier": "batch"},  # a term of its own
        {"service_tier": "é"},
        {"service_tier": "x" * 101},
        {"inference_geo": 3},
        {"speed": "fast"},
        {"server_tool_use": {"web_search_requests": 1}},
        {"é": None},
    ],
)
def test_what_says_more_than_plain_counts_needs_a_closer_look(more: dict[str, Any]) -> None:
    assert message_items({**USED, **more}) is None


@pytest.mark.parametrize(
    "more",
    [
        {"input_tokens": MAX_QUANTITY},
        {"service_tier": "x" * 100},
        {"service_tier": None, "inference_geo": None, "server_tool_use": None},
        {"cache_read_input_tokens": None, "cache_creation_input_tokens": 0},
    ],
)
def test_at_its_edges_a_usage_is_still_a_usual_one(more: dict[str, Any]) -> None:
    usage = {**USED, **more}
    assert message_items(usage) == (("input", usage["input_tokens"]), ("output", 3))


@pytest.mark.parametrize(
    ("usage", "terms"),
    [
        ({}, ()),
        ({"inference_geo": "not_available"}, ()),
        ({"inference_geo": "us"}, (("geo", "us"),)),
        ({"inference_geo": "us", "service_tier": "priority"}, (("geo", "us"), ("service_tier", "priority"))),
        ({"inference_geo": "", "service_tier": ""}, ()),
    ],
)
def test_place_and_tier_are_terms(usage: dict[str, Any], terms: tuple[tuple[str, str], ...]) -> None:
    assert message_terms(usage) == terms
