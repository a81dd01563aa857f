"""Arguments of every wrong kind to ``usage_of`` and ``cost_of``: an error of ours, and never a zero."""

import contextlib
from decimal import Decimal
from typing import Any

import pytest

import outlay
from outlay.core.errors import OutlayError

WRONG: list[Any] = [
    None, True, -1, 1.5, float("nan"), float("inf"), 1e308, "12", "x", b"1", [], [1], {}, {"a": 1}, object(),
    10**30, Decimal("1.5"), Decimal("NaN"), 1 + 2j, {1, 2}, lambda: 1, (), ("a",), range(3), "\ud800", "\x00",
]  # fmt: skip
BODY = {"model": "gpt-4o", "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
COUNTS = {"input": 1}


def priced(usage: Any = COUNTS, **given: Any) -> outlay.Cost | None:
    try:
        return outlay.cost_of(usage, **{"provider": "openai", "model": "gpt-4o", **given})
    except OutlayError:
        return None


@pytest.mark.parametrize("value", WRONG, ids=lambda value: repr(value)[:20].partition(" at 0x")[0])
def test_each_place_refuses_each_kind_in_our_own_words(value: Any) -> None:
    for given in ({"provider": value}, {"api": value}, {"response": value}):
        with contextlib.suppress(OutlayError):
            outlay.usage_of(**{"response": BODY, "provider": "openai", "api": "chat", **given})
    costs = [
        priced(value),
        priced({"input": value}),
        priced({"input_tokens": value}),
        priced({"images": value}),
        *(
            priced(**{name: value})
            for name in ("provider", "model", "at", "service_tier", "month_input_tokens")
        ),
    ]
    if value.__hash__ is not None:
        costs.append(priced({value: 1}))
    for cost in costs:
        assert cost is None or cost.amount is None or cost.amount > 0 or cost.status == "free"


def test_no_counts_are_not_counts_of_zero() -> None:
    nothing, zeros = priced({}), priced({"input": 0, "output": 0})
    assert nothing is not None
    assert zeros is not None
    assert (nothing.amount, nothing.status, nothing.reason) == (None, "unpriced", "no counts were given")
    assert (zeros.amount, zeros.status) == (Decimal(0), "priced")


def test_an_error_of_ours_is_not_hidden_by_an_argument() -> None:
    with pytest.raises(OutlayError, match="at must be a datetime, not '2026-01-01'"):
        outlay.cost_of(COUNTS, provider="openai", model="gpt-4o", at="2026-01-01")  # type: ignore[arg-type]
    with pytest.raises(OutlayError, match="service_tier must be text"):
        outlay.cost_of(COUNTS, provider="openai", model="gpt-4o", service_tier=[])  # type: ignore[arg-type]
