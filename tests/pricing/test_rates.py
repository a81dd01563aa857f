"""Rates: whose rate a unit takes when it has none, and from which size on a step holds."""

from decimal import Decimal

import pytest

from outlay.pricing.rates import ASSUMED, Rate, Step, filled, per_of


def test_a_step_begins_behind_its_edge_or_at_it() -> None:
    assert [Step(10, {}).reached(count) for count in (9, 10, 11)] == [False, False, True]
    assert [Step(10, {}, at_least=True).reached(count) for count in (9, 10, 11)] == [False, True, True]


@pytest.mark.parametrize(
    ("own", "unit", "amount", "note", "flag"),
    [
        # reasoning is output; by modality it is the output of its modality, which is a guess
        ({"output": 10}, "reasoning", 10, "rate of output", None),
        ({"output": 10, "output_audio": 40}, "reasoning_audio", 40, "rate of output_audio", ASSUMED),
        ({"output": 10, "reasoning": 12}, "reasoning_audio", 12, "rate of reasoning", ASSUMED),
        ({"output": 10}, "reasoning_audio", 10, "rate of output", ASSUMED),
        ({"output": 10}, "output_image", 10, "rate of output", ASSUMED),
        # images, video and text have one listed price for input; sound has not
        ({"input": 2}, "input_image", 2, "rate of input", None),
        ({"input": 2}, "input_audio", 2, "rate of input", ASSUMED),
        # a cache without a rate is input; the longer writes are those of five minutes, or of thirty
        ({"input": 2}, "cache_read", 2, "rate of input", ASSUMED),
        ({"input": 2, "cache_write": 5}, "cache_read", 2, "rate of input", ASSUMED),
        ({"input": 2, "cache_write": 5}, "cache_write_1h", 5, "rate of cache_write", ASSUMED),
        ({"input": 2, "cache_write": 5}, "cache_write_30m", 5, "rate of cache_write", None),
        ({"input": 2}, "cache_write_1h", 2, "rate of input", ASSUMED),
        # the first of the chain that has a rate, and no later one
        ({"input": 2, "cache_read": 1}, "cache_read_audio", 1, "rate of cache_read", ASSUMED),
        ({"input": 2, "input_audio": 9}, "cache_read_audio", 9, "rate of input_audio", ASSUMED),
    ],
)
def test_a_unit_without_a_rate_takes_that_of_the_next_of_kin(
    own: dict[str, int], unit: str, amount: int, note: str, flag: str | None
) -> None:
    rate = filled({name: Rate(Decimal(value)) for name, value in own.items()})[unit]
    assert (rate.amount, rate.note, rate.flag) == (Decimal(amount), note, flag)


def test_a_rate_of_ones_own_stays_and_a_side_without_any_has_none() -> None:
    own = {"input": Rate(Decimal(2), note="listed"), "pages": Rate(Decimal(1), 1000)}
    rates = filled(own)
    assert (rates["input"], rates["pages"]) == (own["input"], own["pages"])
    assert not {"output", "reasoning", "images"} & rates.keys()
    assert rates["input_image"].note == "rate of input; listed"


@pytest.mark.parametrize(
    ("unit", "per"),
    [("input", 10**6), ("reasoning_audio", 10**6), ("web_search", 1000), ("pages", 1000), ("images", 1)],
)
def test_rates_are_meant_for_so_many_units(unit: str, per: int) -> None:
    assert per_of(unit) == per
    assert Rate(Decimal(3), per_of(unit)).each * per == 3
