"""Anthropic's usual usage in one go: what it counts, and what it leaves to the whole way."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from outlay.core.units import MAX_QUANTITY
from outlay.core.usage import Usage, ordered
from outlay.extract import read
from outlay.extract.anthropic import count_messages
from outlay.extract.messages import message_items, message_terms
from outlay.extract.tally import Tally
from outlay.pricing import cost_of

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


def iterated(total: int, *rows: dict[str, Any]) -> Usage:
    usage = {"input_tokens": total, "output_tokens": 0, "iterations": list(rows)}
    return read({"model": "claude-sonnet-4-5", "usage": usage}, provider="anthropic", api="messages")


@pytest.mark.parametrize(
    ("rows", "size"),
    [
        ([{"type": "message", "input_tokens": 150_000}] * 2, 150_000),
        (
            [{"type": "message", "input_tokens": 100_000}, {"type": "message", "input_tokens": 200_000}],
            200_000,
        ),
        ([{"type": "message", "input_tokens": 300_000}], None),  # one call, as large as the whole
        ([{"type": "message"}], None),  # nothing is said of a single call
        ([], None),
    ],
)
def test_the_largest_of_several_calls_is_the_size_that_a_tier_goes_by(
    rows: list[dict[str, Any]], size: int | None
) -> None:
    assert iterated(300_000, *rows).context_tokens == size


def test_what_is_odd_in_one_of_several_calls_is_told() -> None:
    usage = iterated(10, {"type": "compaction", "input_tokens": -3, "output_tokens": 2})
    assert (usage.units, usage.flags) == ({"input": 10, "output": 2}, ("clamped",))


def test_the_size_of_an_advisors_call_is_none_of_the_model_that_asked() -> None:
    own = {"type": "message", "input_tokens": 150_000}
    advisor = {"type": "advisor_message", "model": "claude-opus-4-6", "input_tokens": 250_000}
    usage = iterated(300_000, own, advisor, own)
    # Until February 2026 more than 200,000 cost twice as much: 300,000 at 3 dollars a million, 250,000 at 10
    january = datetime(2026, 1, 1, tzinfo=UTC)
    cost = cost_of(usage, provider="anthropic", model="claude-sonnet-4-5", at=january)
    assert [line.amount for line in cost.lines] == [Decimal("0.9"), Decimal("2.5")]


@pytest.mark.parametrize(("output", "when"), [(3, "after_output"), (0, "before_output")])
def test_a_hop_that_declined_says_when(output: int, when: str) -> None:
    hop = {"type": "message", "model": "first", "input_tokens": 5, "output_tokens": output}
    usage = iterated(7, hop, {"type": "fallback_message", "model": "second", "input_tokens": 7})
    assert [part.terms for part in usage.parts] == [(), (("declined", when),)]


@pytest.mark.parametrize(
    ("usage", "units", "reason"),
    [
        ({"input_tokens": 7}, {"input": 7}, "the usage has no output tokens"),
        ({"input_tokens": 7, "output_tokens": None}, {"input": 7}, "the usage has no output tokens"),
        (
            {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}},
            {"output": 5, "reasoning": 4},
            "the usage has no input tokens",
        ),
    ],
)
def test_the_whole_way_counts_output_with_what_was_thought(
    usage: dict[str, Any], units: dict[str, int], reason: str | None
) -> None:
    tally = Tally()
    count_messages(tally, usage)
    assert (dict(ordered(tally.units)), tally.reason) == (units, reason)


@pytest.mark.parametrize(
    "rows",
    [
        [
            {"type": "message", "model": "claude-sonnet-4-5", "input_tokens": 7}
        ],  # the one model that was asked
        [{"type": "message", "input_tokens": 5}, {"type": "fallback_message", "model": "second"}],
        [
            {"type": "message", "model": "second", "input_tokens": 5},
            {"type": "fallback_message", "model": "second", "input_tokens": 7},
        ],
    ],
)
def test_a_call_of_the_model_that_answered_has_not_declined(rows: list[dict[str, Any]]) -> None:
    usage = iterated(7, *({"input_tokens": 0, "output_tokens": 0, **row} for row in rows))
    assert (usage.units, usage.parts, usage.flags) == ({"input": 7}, (), ())


def test_an_error_that_stands_in_the_event_itself_is_the_reason() -> None:
    usage = read([{"type": "error", "message": "busy"}], provider="anthropic", api="messages")
    assert (usage.items, usage.reason) == ((), "the provider answered with an error: error")


@pytest.mark.parametrize("more", [{"input_tokens": None}, {"output_tokens": None}])
def test_a_count_that_is_not_told_is_no_zero(more: dict[str, Any]) -> None:
    (side,) = more
    told, untold = {**USED, **more}, {key: count for key, count in USED.items() if key != side}
    for usage in (told, untold):
        found = read({"usage": usage}, provider="anthropic", api="messages")
        assert (found.flags, found.reason) == (("partial",), f"the usage has no {side.replace('_', ' ')}")


def test_a_stream_whose_start_tells_no_input_is_partial() -> None:
    delta = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}
    events = [{"type": "message_start", "message": {"id": "m", "model": "claude"}}, delta]
    found = read(events, provider="anthropic", api="messages")
    assert (found.units, found.flags) == ({"output": 5}, ("partial",))
