"""Counts given by hand become disjoint units, or a clear refusal."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlay.capture.fields import NO_USAGE, stated_cost, usage_of_counts
from outlay.core.errors import UsageError

COUNT = st.integers(0, 10**9)


@given(COUNT, COUNT, COUNT, COUNT, COUNT)
def test_inclusive_counts_come_back_as_they_were_given(
    fresh: int, cached: int, written: int, shown: int, thought: int
) -> None:
    usage = usage_of_counts(
        {
            "input_tokens": fresh + cached + written,
            "cached_tokens": cached,
            "cache_write_tokens": written,
            "output_tokens": shown + thought,
            "reasoning_tokens": thought,
        }
    )
    assert usage.input_tokens == fresh + cached + written
    assert usage.output_tokens == shown + thought
    assert (usage.cached_tokens, usage.cache_write_tokens) == (cached, written)
    assert usage.reasoning_tokens == thought
    assert usage["input"] == fresh


def test_no_counts_at_all_is_not_zero() -> None:
    assert usage_of_counts({"input_tokens": None}).reason == NO_USAGE
    assert usage_of_counts({"input_tokens": 0}).reason is None


@pytest.mark.parametrize(
    "counts",
    [
        {"input_tokens": -1},
        {"input_tokens": True},
        {"input_tokens": 1.5},
        {"output_tokens": float("nan")},
        {"input_tokens": 100, "cached_tokens": 101},
        {"output_tokens": 1, "reasoning_tokens": 2},
        {"input_tokens": 10**13},
    ],
)
def test_counts_that_cannot_be_are_refused(counts: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=r"tokens|input"):
        usage_of_counts(counts)


def test_a_stated_cost_is_kept_to_the_digit() -> None:
    assert stated_cost("0.123456789012345678", "EUR").amount == Decimal("0.123456789012345678")
    assert stated_cost(0.1, "USD").amount == Decimal("0.1")
    rounded = stated_cost("0.1234567890123456785", "USD")
    assert (rounded.amount, rounded.flags) == (Decimal("0.123456789012345678"), ("rounded",))


@pytest.mark.parametrize("amount", ["-1", "nan", "inf", "much", True, "1e999999"])
def test_a_cost_that_cannot_be_is_refused(amount: object) -> None:
    with pytest.raises(UsageError, match="cost must be"):
        stated_cost(amount, "USD")
