"""Counts as providers write them, and as they should not."""

from decimal import Decimal
from typing import Any

import pytest

from outlay.core.units import MAX_QUANTITY
from outlay.core.usage import Usage
from outlay.extract import read
from outlay.extract.tally import Tally


@pytest.mark.parametrize(
    ("value", "count", "flags"),
    [
        (7, 7, set()),
        (0, 0, set()),
        (None, None, set()),
        ("7", 7, set()),
        (" 7 ", 7, set()),
        (197.0, 197, set()),
        (Decimal(7), 7, set()),
        (MAX_QUANTITY, MAX_QUANTITY, set()),
        (-3, 0, {"clamped"}),
        ("-3", 0, {"clamped"}),
        (2.5, None, {"bad_count"}),
        (MAX_QUANTITY + 1, None, {"bad_count"}),
        pytest.param(10**5000, None, {"bad_count"}, id="5000 digits"),
        ("9" * 40, None, {"bad_count"}),
        (True, None, {"bad_count"}),
        ("many", None, {"bad_count"}),
        ("", None, {"bad_count"}),
        (float("nan"), None, {"bad_count"}),
        (float("inf"), None, {"bad_count"}),
        ([], None, {"bad_count"}),
        ({"a": 1}, None, {"bad_count"}),
    ],
)
def test_count(value: object, count: int | None, flags: set[str]) -> None:
    tally = Tally()

    assert tally.count({"tokens": value}, "tokens") == count
    assert tally.flags == flags
    assert (tally.reason is not None) == ("bad_count" in flags)


def test_amounts_may_have_fractions() -> None:
    assert Tally().amount({"seconds": 3.2}, "seconds") == Decimal("3.2")
    assert Tally().amount({"seconds": 3.0}, "seconds") == 3


def test_a_part_larger_than_what_is_left_is_clamped() -> None:
    tally = Tally()

    assert tally.take("cache_read", 500, 100) == 0
    assert (tally.units, tally.flags) == ({"cache_read": 100}, {"clamped"})


def test_an_overlap_is_taken_off_without_a_flag() -> None:
    tally = Tally()
    left = tally.take("cache_read", 700, 1000)

    assert tally.overlap("input_image", 800, left, 1000) == 0
    assert (tally.units, tally.flags) == ({"cache_read": 700, "input_image": 300}, set())


def test_units_come_in_the_vocabulary_s_order_without_zeros() -> None:
    tally = Tally()
    for unit, quantity in (("zebra", 1), ("output", 2), ("web_search", 3), ("input", 4), ("cache_read", 0)):
        tally.put(unit, quantity)

    assert tally.usage().items == (("input", 4), ("output", 2), ("web_search", 3), ("zebra", 1))


def test_null_unknown_keys_say_nothing() -> None:
    tally = Tally()
    tally.unknown({"a": 1, "b": None, "c": 0, "d": "standard", "e": True}, frozenset({"a"}))
    assert tally.flags == set()

    tally.unknown({"a": 1, "new_tokens": 2}, frozenset({"a"}))
    assert tally.flags == {"unknown_keys"}


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


@pytest.mark.parametrize(
    ("api", "usage"),
    [
        ("chat", {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 88}),
        ("chat", {"prompt_tokens": 0, "completion_tokens": -4, "total_tokens": 0}),
        ("responses", {"input_tokens": 0, "output_tokens": 0, "total_tokens": 287}),
        ("embeddings", {"total_tokens": 0, "prompt_tokens_details": {"cached_tokens": 7}}),
        ("converse", {"inputTokens": 0, "outputTokens": 0, "totalTokens": 915}),
    ],
)
def test_zeros_that_the_total_or_a_part_speaks_against_are_no_usage_of_nothing(api: str, usage: Any) -> None:
    read_usage = read({"model": "m", "usage": usage}, provider="openai", api=api)
    assert read_usage.units == {}
    assert read_usage.reason == "the usage counts nothing, and its total or a part of it says otherwise"
    assert "partial" in read_usage.flags


ODD_TOOLS = ["Weird Tool", "a-b", "", "x" * 49, "_a", "1a", "input", "output_audio"]


@pytest.mark.parametrize("name", ODD_TOOLS)
def test_a_tool_whose_name_is_no_unit_s_is_counted_and_its_call_is_kept(name: str) -> None:
    """No ledger takes a record with such a unit: the call had been lost."""
    counts = {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14}
    for provider, told in (
        ("xai", {"server_side_tool_usage_details": {name: 2, "web_search_calls": 1}}),
        ("perplexity", {"tool_calls_details": {name: {"invocation": 2}, "web_search": {"invocation": 1}}}),
    ):
        usage = read({"model": "m", "usage": {**counts, **told}}, provider=provider, api="responses")
        assert usage.units == {"input": 10, "output": 4, "web_search": 1, "server_side_tools": 2}
        assert Usage.of(usage.units).items == usage.items


@pytest.mark.parametrize("name", [*ODD_TOOLS[:-2], "SERVER_SIDE_TOOL_INPUT", "SERVER_SIDE_TOOL_NEW_2"])
def test_a_tool_of_xai_s_grpc_is_counted_whatever_its_name(name: str) -> None:
    used = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}
    body = {"model": "m", "usage": {**used, "server_side_tools_used": [name, "SERVER_SIDE_TOOL_WEB_SEARCH"]}}
    usage = read(body, provider="xai", api="grpc_chat")
    unit = "new_2" if name.endswith("NEW_2") else "server_side_tools"
    assert usage.units == {"input": 10, "output": 4, "web_search": 1, unit: 1}
    assert Usage.of(usage.units).items == usage.items
