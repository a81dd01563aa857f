"""Summary: the figures of all calls and of each provider."""

from decimal import Decimal
from typing import Any

import pytest

from outlay.core.query import Query, Row
from outlay.report import PriceGap, Report, Totals, summary_of, totals_of


def row(calls: int, errors: int = 0, cost: Decimal | None = None, **given: Any) -> Row:
    tokens = {"input_tokens": 10 * calls, "output_tokens": 3 * calls}
    return {"calls": calls, "errors": errors, **tokens, "cost": cost, "avg_latency_ms": 80.0, **given}


def test_the_rows_by_provider_become_totals_in_the_order_asked_for() -> None:
    rows = [row(1, provider="a"), row(2, provider="b", cost=Decimal(1)), row(1, provider="c")]
    report = Report(rows, row(4, 1), Query(by=("provider",)), (PriceGap("a", "m", 1),))
    summary = summary_of(report, order=("c", "b"))
    assert [name for name, _ in summary.by_provider] == ["c", "b", "a"]
    assert summary.by_provider[1][1] == Totals(2, 2, 20, 6, Decimal(1), 80.0)
    assert (summary.total.succeeded, summary.total.total_tokens) == (3, 52)
    assert summary.price_gaps == (PriceGap("a", "m", 1),)


def test_no_calls_cost_nothing_and_unpriced_calls_an_unknown_amount() -> None:
    assert totals_of(row(0)).cost == 0
    assert totals_of(row(0)).success_rate == 0
    assert totals_of(row(1)).cost is None


def test_a_report_by_something_else_makes_no_summary() -> None:
    with pytest.raises(ValueError, match="by provider"):
        summary_of(Report([], row(0), Query(by=("model",))))


def test_the_json_object_holds_money_as_text() -> None:
    report = Report(
        [row(2, 1, Decimal("0.10"), provider="a")], row(2, 1, Decimal("0.10")), Query(by=("provider",))
    )
    assert summary_of(report).to_dict()["by_provider"]["a"] == {
        "calls": 2,
        "succeeded": 1,
        "input_tokens": 20,
        "output_tokens": 6,
        "total_tokens": 26,
        "cost": "0.1",
        "success_rate": 0.5,
        "avg_latency_ms": 80.0,
    }
