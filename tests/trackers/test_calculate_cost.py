"""One front door for costs: every way to ask gives the same figure; what cannot be is refused."""

from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

import outlay
from outlay.core.errors import UnknownModelError
from outlay.core.usage import Usage
from outlay.pricing.own import own_book, own_cost
from outlay.trackers import PRICING, CallRecord, UsageEntry, UsageRecord, UsageStats, calculate_cost

AT = "2024-01-15T10:00:00Z"
USAGE = SimpleNamespace(input_tokens=1500, output_tokens=300)


def fields_of(kind: Any) -> list[str]:
    return list(kind.__dataclass_fields__)


def test_row_003_a_call_record_has_the_fields_of_a_call_log() -> None:
    assert fields_of(CallRecord) == [
        "provider", "model", "prompt_snippet", "input_tokens", "output_tokens", "latency_ms",
        "cost_usd", "success",
    ]  # fmt: skip


def test_row_005_a_usage_record_by_position_and_by_keyword() -> None:
    named = UsageRecord(model="gpt-4o", input_tokens=1, output_tokens=2, timestamp=AT, user_id="u")
    assert UsageRecord("gpt-4o", 1, 2, AT, "u") == named
    assert UsageRecord("gpt-4o", 1, 2, AT).user_id is None
    assert outlay.UsageRecord is UsageRecord


def test_row_006_and_007_entries_and_stats_have_their_fields_in_order() -> None:
    assert fields_of(UsageEntry) == [
        "llm_id", "user_id", "prompt_tokens", "completion_tokens", "total_tokens", "cost",
        "timestamp", "metadata",
    ]  # fmt: skip
    assert fields_of(UsageStats)[:7] == [
        "total_requests", "total_tokens", "total_prompt_tokens", "total_completion_tokens", "total_cost",
        "period_start", "period_end",
    ]  # fmt: skip


@pytest.mark.parametrize("bad", [-1, True, float("nan"), 1.5, "7"])
def test_row_010_counts_that_cannot_be_are_value_errors(bad: Any) -> None:
    with pytest.raises(ValueError, match="whole number"):
        calculate_cost(UsageRecord("gpt-4o", bad, 5, AT))
    with pytest.raises(ValueError, match="whole number"):
        calculate_cost(SimpleNamespace(input_tokens=5, output_tokens=bad), model="gpt-4o")
    with pytest.raises(ValueError, match="whole number"):
        calculate_cost(prompt_tokens=bad, completion_tokens=1, cost_per_1k_input=1, cost_per_1k_output=1)


def test_row_011_the_table_has_four_rows_in_dollars_per_million() -> None:
    assert PRICING == {
        "gpt-4o": {"input": 5.00, "output": 15.00},
        "gpt-4o-mini": {"input": 0.15, "output": 0.60},
        "claude-3-5-sonnet": {"input": 3.00, "output": 15.00},
        "text-embedding-3-small": {"input": 0.02, "output": 0.0},
    }


@pytest.mark.parametrize(
    ("model", "output", "dollars"),
    [
        ("gpt-4o", 500, 0.0125),
        ("claude-3-5-sonnet", 500, 0.0105),
        ("gpt-4o-mini", 500, 0.00045),
        ("text-embedding-3-small", 0, 0.00002),
    ],
)
def test_row_012_a_record_is_priced_by_the_table(model: str, output: int, dollars: float) -> None:
    assert calculate_cost(UsageRecord(model, 1000, output, AT)) == dollars
    assert outlay.calculate_cost is calculate_cost


def test_row_012_a_row_of_ones_own_counts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRICING, "my-model", {"input": 1.00, "output": 2.00})
    assert calculate_cost(UsageRecord("my-model", 1_000_000, 1_000_000, AT)) == 3.0
    monkeypatch.setitem(PRICING, "my-model", {"input": 1.00, "output": 4.00})
    assert calculate_cost(UsageRecord("my-model", 1_000_000, 1_000_000, AT)) == 5.0


def test_row_013_rates_per_thousand() -> None:
    cost = calculate_cost(
        prompt_tokens=1000, completion_tokens=2000, cost_per_1k_input=0.00015, cost_per_1k_output=0.0006
    )
    assert f"${cost:.6f}" == "$0.001350"


def test_row_015_usage_with_rates_or_with_a_model() -> None:
    assert calculate_cost(USAGE, input_price=2.50, output_price=10.00) == 0.00675
    assert calculate_cost(USAGE, model="gpt-4o", at="2025-01-01") == 0.00675
    second_names = SimpleNamespace(prompt_tokens=1500, completion_tokens=300)
    assert calculate_cost(second_names, model="gpt-4o", at="2025-01-01") == 0.00675
    assert (
        calculate_cost({"input_tokens": 1500, "output_tokens": 300}, model="gpt-4o", at="2025-01-01")
        == 0.00675
    )


def test_row_015_usage_without_any_price_says_what_to_give() -> None:
    with pytest.raises(TypeError, match=r"no price with usage; give .*model="):
        calculate_cost(USAGE)


@pytest.mark.parametrize(
    ("args", "keywords"),
    [
        ((USAGE,), {"model": "gpt-4o", "input_price": 1, "output_price": 1}),
        ((USAGE,), {"input_price": 1}),
        ((USAGE,), {"cost_per_1k_input": 1, "cost_per_1k_output": 1}),
        ((), {"prompt_tokens": 1, "completion_tokens": 1, "cost_per_1k_input": 1}),
        ((), {"prompt_tokens": 1, "completion_tokens": 1, "model": "gpt-4o"}),
        ((), {}),
    ],
)
def test_row_015_ways_that_are_mixed_are_type_errors(args: Any, keywords: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        calculate_cost(*args, **keywords)


@pytest.mark.parametrize(
    ("model", "tokens_in", "tokens_out"),
    [
        ("gpt-3.5-turbo", "0.0005", "0.0015"),
        ("gpt-4o-mini", "0.00015", "0.0006"),
        ("gpt-4o", "0.005", "0.015"),
        ("claude-3-haiku", "0.00025", "0.00125"),
        ("claude-3-5-sonnet", "0.003", "0.015"),
        ("claude-3-opus", "0.015", "0.075"),
    ],
)
def test_row_016_the_reference_of_june_2024_per_thousand(model: str, tokens_in: str, tokens_out: str) -> None:
    at = datetime(2024, 6, 15, tzinfo=UTC)
    rates = [outlay.cost_of({unit: 1000}, model=model, at=at).amount for unit in ("input", "output")]
    assert rates == [Decimal(tokens_in), Decimal(tokens_out)]


def test_row_017_cached_and_written_tokens_have_prices_of_their_own() -> None:
    usage = Usage.of({"input": 400, "cache_read": 400, "cache_write": 200, "output": 100})
    cost = own_cost(usage, own_book({"input": 10, "output": 20, "cached": 5, "cache_write": 12.5}))
    # 400 x 10 + 400 x 5 + 200 x 12.5 + 100 x 20 = 10,500 a million
    assert cost.amount == Decimal("0.0105")
    assert sum(line.amount for line in cost.lines) == cost.amount


def test_row_018_cached_tokens_without_a_price_cost_what_input_costs() -> None:
    usage = Usage.of({"input": 600, "cache_read": 400})
    assert own_cost(usage, own_book({"input": 10, "output": 20})).amount == Decimal("0.01")


def test_row_019_the_same_work_cached_by_two_providers_has_the_same_totals() -> None:
    openai = outlay.usage_of(
        {
            "usage": {
                "prompt_tokens": 1000,
                "completion_tokens": 9,
                "prompt_tokens_details": {"cached_tokens": 400},
            }
        },
        provider="openai",
        api="chat",
    )
    anthropic = outlay.usage_of(
        {"usage": {"input_tokens": 600, "cache_read_input_tokens": 400, "output_tokens": 9}},
        provider="anthropic",
        api="messages",
    )
    assert (openai.input_tokens, openai.cached_tokens) == (anthropic.input_tokens, anthropic.cached_tokens)
    assert openai.input_tokens == 1000


def test_row_027_every_entrance_agrees_on_the_same_rates() -> None:
    expected = 0.0125  # 1000 x 5 + 500 x 15 = 12,500 a million
    counts = SimpleNamespace(input_tokens=1000, output_tokens=500)
    asked = (
        calculate_cost(UsageRecord("gpt-4o", 1000, 500, AT)),
        calculate_cost(counts, input_price=5, output_price=15),
        calculate_cost(
            prompt_tokens=1000, completion_tokens=500, cost_per_1k_input=0.005, cost_per_1k_output=0.015
        ),
        float(own_cost(Usage.of({"input": 1000, "output": 500}), own_book(PRICING["gpt-4o"])).amount or 0),
    )
    assert asked == (expected,) * 4


def test_row_029_an_unknown_model_raises_with_near_names() -> None:
    with pytest.raises(UnknownModelError, match="gpt-4o") as caught:
        calculate_cost(UsageRecord("gpt-4oo", 1, 1, AT))
    assert isinstance(caught.value, KeyError)


def test_row_034_mock_profiles_have_prices() -> None:
    usage = SimpleNamespace(input_tokens=129, output_tokens=207)
    costs = [calculate_cost(usage, model=f"mock-{tier}") for tier in ("fast", "balanced", "premium")]
    assert costs == [0.000075, 0.0023925, 0.01746]


@pytest.mark.parametrize(("tokens", "dollars"), [(250_000, "0.64"), (200_000, "0.26")])
def test_row_023_a_tier_by_context_prices_the_whole_request(tokens: int, dollars: str) -> None:
    # above 200,000: 2.50 in and 15 out a million; up to it 1.25 and 10
    usage = {"input_tokens": tokens, "output_tokens": 1000}
    cost = outlay.cost_of(usage, model="gemini-2.5-pro", at=datetime(2025, 8, 1, tzinfo=UTC))
    assert cost.amount == Decimal(dollars)


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("gpt-4o-2024-08-06", "2.50"),
        ("openai/gpt-4o", "2.50"),
        ("gpt-4o-mini", "0.15"),
        ("claude-3-5-sonnet-20241022", "3"),
        ("models/gemini-2.5-pro", "1.25"),
    ],
)
def test_row_030_aliases_and_dated_ids_are_known(name: str, rate: str) -> None:
    cost = outlay.cost_of({"input": 1_000_000 // 10}, model=name, at=datetime(2025, 8, 1, tzinfo=UTC))
    assert cost.amount == Decimal(rate) / 10


@pytest.mark.parametrize(
    ("day", "dollars", "extrapolated"),
    [((2024, 6, 1), 20, False), ((2025, 1, 1), Decimal("12.5"), False), ((2024, 1, 15), 20, True)],
)
def test_row_031_the_day_of_the_call_decides(
    day: tuple[int, int, int], dollars: Decimal, *, extrapolated: bool
) -> None:
    million = {"input_tokens": 1_000_000, "output_tokens": 1_000_000}
    cost = outlay.cost_of(million, model="gpt-4o", at=datetime(*day, tzinfo=UTC))
    assert cost.amount == dollars
    assert cost.price is not None
    assert cost.price.extrapolated is extrapolated
