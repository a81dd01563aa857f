"""Every trap of pricing by its number, worked out by hand; and that no trap is without its test."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.named import fault_of
from tests.support.traps import ELSEWHERE, PEERS, USAGE

from outlay.core.cost import Cost
from outlay.core.errors import PriceBookError
from outlay.core.usage import Usage
from outlay.pricing import Book, cost_of

AT = datetime(2026, 11, 1, tzinfo=UTC)
MILLION = Decimal(10) ** 6
CLAUDE = {
    "input": 1000,
    "cache_read": 2000,
    "cache_write": 3000,
    "cache_write_1h": 4000,
    "output": 500,
    "reasoning": 100,
}


def of(counts: dict[str, int], provider: str, model: str, *, at: datetime = AT, **terms: str) -> Cost:
    return cost_of(Usage.of(counts), provider=provider, model=model, at=at, book=None, **terms)


def by_hand(counts: dict[str, int], **rates: str) -> Decimal:
    return sum((counts[unit] * Decimal(rate) / MILLION for unit, rate in rates.items()), Decimal(0))


def test_usage_10_the_tier_applies_to_every_unit() -> None:
    counts = {"input": 1000, "cache_read": 1000, "output": 500, "reasoning": 500}
    # gpt-5 by priority: 2.50, 0.25 and 20, reasoning as output
    expected = by_hand(counts, input="2.5", cache_read="0.25", output="20", reasoning="20")
    assert of(counts, "openai", "gpt-5", service_tier="priority").amount == expected


@pytest.mark.parametrize(("batch", "factor"), [("", "1"), ("true", "0.5")])
def test_usage_11_anthropic_writes_reads_and_batch(batch: str, factor: str) -> None:
    # Sonnet 4.5: 3 and 15; writes 1.25 and 2 times the input, reads a tenth of it; batch half of all
    rates = {"input": "3", "cache_read": "0.3", "cache_write": "3.75", "cache_write_1h": "6"}
    expected = by_hand(CLAUDE, **rates, output="15", reasoning="15") * Decimal(factor)
    assert of(CLAUDE, "anthropic", "claude-sonnet-4-5", batch=batch).amount == expected


def test_usage_11_anthropic_in_the_us_and_its_searches() -> None:
    # Opus 4.6: 5 and 25, times 1.1 for inference in the US; searches at 10 a thousand have no uplift
    plain = by_hand(CLAUDE, input="5", cache_read="0.5", cache_write="6.25", cache_write_1h="10")
    plain += by_hand(CLAUDE, output="25", reasoning="25")
    cost = of({**CLAUDE, "web_search": 3}, "anthropic", "claude-opus-4-6", geo="us")
    assert cost.amount == plain * Decimal("1.1") + Decimal("0.03")


def test_usage_12_a_sum_over_calls_is_in_no_tier() -> None:
    usage = Usage.of({"input": 401_000, "web_search": 10}, flags=("summed_calls",))
    cost = cost_of(usage, provider="anthropic", model="claude-sonnet-4-5", at=AT)
    assert cost.amount == Decimal("1.203") + Decimal("0.1")  # at 3 a million, not at 6
    assert "tier_unknown" in cost.flags


@pytest.mark.parametrize(("size", "rate"), [(200_000, "1.25"), (200_001, "2.5")])
def test_usage_13_gemini_reprices_the_whole_request_above_the_size(size: int, rate: str) -> None:
    counts = {"input": size - 1000, "cache_read": 1000}
    expected = by_hand(counts, input=rate) + by_hand(counts, cache_read=rate) / 10
    assert of(counts, "google", "gemini-2.5-pro").amount == expected


@pytest.mark.parametrize(
    ("at", "rate"),
    [
        (datetime(2026, 11, 2, 2, tzinfo=UTC), "1.32"),  # a Monday, within 01 to 04
        (datetime(2026, 11, 2, 4, tzinfo=UTC), "0.66"),  # the hour has just ended
        (datetime(2026, 11, 2, 9, 59, tzinfo=UTC), "1.32"),
        (datetime(2026, 11, 1, 2, tzinfo=UTC), "0.66"),  # a Sunday
    ],
)
def test_usage_14_deepseeks_hours_and_weekends(at: datetime, rate: str) -> None:
    assert of({"input": 1000}, "deepseek", "deepseek-v4-pro", at=at).amount == Decimal(rate) / 1000


def test_usage_15_a_profile_that_hides_its_model_is_not_guessed() -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"
    cost = of({"input": 1000}, "bedrock", arn)
    assert (cost.amount, cost.status) == (None, "unpriced")
    assert "alias" in str(cost.reason)


def test_usage_17_a_request_of_cache_alone_costs_what_its_cache_does() -> None:
    counts = {"cache_read": 1000, "cache_write": 1000}
    expected = by_hand(counts, cache_read="0.3", cache_write="3.75")
    assert of(counts, "anthropic", "claude-sonnet-4-5").amount == expected


def test_usage_18_no_usage_is_unknown_and_not_zero() -> None:
    usage = Usage(reason="the stream carries no usage")
    cost = cost_of(usage, provider="openai", model="gpt-4o", at=AT)
    assert (cost.amount, cost.status, cost.reason) == (None, "unpriced", "the stream carries no usage")


def test_usage_20_each_part_is_priced_on_its_own_model() -> None:
    main = Usage.of({"input": 1000}, model="claude-sonnet-4-5")
    advisor = Usage.of({"input": 1000}, model="claude-opus-4-6")
    usage = Usage.of({"input": 2000}, model="claude-sonnet-4-5", parts=(main, advisor))
    assert cost_of(usage, provider="anthropic", at=AT).amount == Decimal("0.003") + Decimal("0.005")


def test_peers_7_a_unit_without_a_rate_is_said_and_not_billed_at_zero() -> None:
    cost = of({"input": 1000, "video_seconds": 3}, "openai", "gpt-4o")
    assert (cost.amount, cost.status) == (Decimal("0.0025"), "partial")
    assert "video_seconds" in str(cost.reason)


def test_peers_9_every_unit_of_the_usage_has_its_line() -> None:
    cost = of(CLAUDE, "anthropic", "claude-sonnet-4-5")
    assert {line.unit: line.quantity for line in cost.lines} == CLAUDE
    assert sum(line.amount for line in cost.lines) == cost.amount


def test_peers_16_cached_input_has_the_rate_of_the_cache() -> None:
    assert of({"cache_read": 1_000_000}, "openai", "gpt-4o").amount == Decimal("1.25")  # and not 2.50


def test_peers_28_a_write_to_the_cache_is_dearer_than_input_by_its_own_rate_alone() -> None:
    counts = {"input": 1000, "cache_read": 1000, "cache_write": 1000}
    # gpt-5.6-sol: 4, 0.40, and writes at 5; none of the three is counted in another
    expected = by_hand(counts, input="4", cache_read="0.4", cache_write="5")
    assert of(counts, "openai", "gpt-5.6-sol").amount == expected


@pytest.mark.parametrize(("batch", "factor"), [("", "1"), ("true", "0.5")])
@pytest.mark.parametrize(("context", "above"), [(200_000, "1"), (200_001, "2")])
def test_peers_29_lifetime_size_and_batch_are_crossed(
    batch: str, factor: str, context: int, above: str
) -> None:
    counts = {"cache_write": 1000, "cache_write_1h": 1000}
    usage = Usage.of(counts, context_tokens=context)
    cost = cost_of(usage, provider="anthropic", model="claude-sonnet-4-5", at=AT, batch=batch)
    expected = by_hand(counts, cache_write="3.75", cache_write_1h="6") * Decimal(factor) * Decimal(above)
    assert cost.amount == expected


def test_peers_30_the_tier_that_served_decides() -> None:
    served = Usage.of({"input": 1000}, terms=(("service_tier", "default"),))
    # Asked for by priority and served by default: 1.25 a million, not 2.50
    assert cost_of(served, provider="openai", model="gpt-5", at=AT).amount == Decimal("0.00125")


def test_peers_31_a_tariff_that_the_snapshot_does_not_list_is_flagged() -> None:
    cost = of({"input": 1000}, "openai", "gpt-4o-2024-08-06", service_tier="ultrafast")
    assert "assumed_tier" in cost.flags
    assert cost.reason


def test_peers_32_an_unknown_model_is_unpriced_and_not_zero() -> None:
    cost = of({"input": 1000}, "openai", "gpt-99-imaginary")
    assert (cost.amount, cost.status) == (None, "unpriced")


def test_peers_33_free_is_known_and_not_unpriced() -> None:
    cost = of({"input": 1000}, "openrouter", "deepseek/deepseek-r1:free")
    assert (cost.amount, cost.status) == (Decimal(0), "free")


def test_peers_34_a_profiles_place_is_ten_percent_and_not_ten_times() -> None:
    name = "anthropic.claude-sonnet-4-5-20250929-v1:0"
    assert of({"input": 1000}, "bedrock", name).amount == Decimal("0.003")
    assert of({"input": 1000}, "bedrock", f"us.{name}").amount == Decimal("0.0033")


@pytest.mark.parametrize(("at", "rate"), [("2024-06-01", "5"), ("2026-11-01", "2.5")])
def test_peers_35_the_price_is_that_of_the_calls_instant(at: str, rate: str) -> None:
    when = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert of({"input": 1_000_000}, "openai", "gpt-4o", at=when).amount == Decimal(rate)


def test_peers_36_the_same_call_costs_the_same_whenever_it_is_asked() -> None:
    first = of(CLAUDE, "anthropic", "claude-sonnet-4-5")
    assert all(of(CLAUDE, "anthropic", "claude-sonnet-4-5") == first for _ in range(3))
    assert first.price is not None
    assert first.price.version


def test_peers_37_a_write_for_an_hour_has_its_own_rate() -> None:
    assert of({"cache_write_1h": 1000}, "anthropic", "claude-sonnet-4-5").amount == Decimal("0.006")


@pytest.mark.parametrize("name", ["gpt-4o-mini-imaginary", "gpt-4oo", "my-gpt-4o", "claude-sonnet-4-5x"])
def test_peers_39_no_name_is_near_enough_to_another(name: str) -> None:
    provider = "anthropic" if name.startswith("claude") else "openai"
    assert of({"input": 1000}, provider, name).status == "unpriced"


def test_peers_40_and_41_each_call_has_its_own_tier() -> None:
    calls = [Usage.of({"input": 1000}, terms=(("service_tier", tier),)) for tier in ("priority", "default")]
    amounts = [cost_of(each, provider="openai", model="gpt-5", at=AT).amount for each in calls]
    assert amounts == [Decimal("0.0025"), Decimal("0.00125")]


def test_peers_42_and_43_a_stated_cost_wins_and_ours_is_shown_beside_it() -> None:
    usage = Usage.of({"input": 1000}, reported_cost=Decimal("0.5"))
    cost = cost_of(usage, provider="openai", model="gpt-4o", at=AT)
    assert (cost.amount, cost.status, cost.computed) == (Decimal("0.5"), "reported", Decimal("0.0025"))


# 2.50 and 30 a million said for a token, 2.50 a token for a million, a rate that is a hundred times too high
@pytest.mark.parametrize("rate", ["0.0000025", "0.00003", "2500000", "320"])
def test_peers_44_a_rate_for_another_number_of_tokens_is_refused(rate: str, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        f'[[model]]\nprovider = "openai"\nmodel = "m"\n[[model.price]]\nrates = {{input = "{rate}"}}\n'
        'source = "typed"\n',
        encoding="utf-8",
    )
    with pytest.raises(PriceBookError, match="rates are meant per 1000000"):
        Book.of(own).resolve("openai", "m")


def test_no_trap_is_without_its_test() -> None:
    here = Path(__file__)
    texts = [here.read_text("utf-8"), (here.parents[1] / "extract" / "test_traps.py").read_text("utf-8")]
    named = {
        f"{kind} {number}" for text in texts for kind, number in re.findall(r'"(usage|peers) (\d+)"', text)
    }
    for text in texts:
        for kind, number, other in re.findall(r"def test_(usage|peers)_(\d+)(?:_and_(\d+))?", text):
            named |= {f"{kind} {each}" for each in (number, other) if each}
    there = {f"usage {number}" for number in range(1, USAGE + 1)}
    there |= {f"peers {number}" for number in range(1, PEERS + 1)}
    assert there - named == set(ELSEWHERE)


@pytest.mark.parametrize("test", ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_is_kept_out_elsewhere_is_tested_there(test: str) -> None:
    assert fault_of(test.removeprefix("tests/")) is None
