"""CostTracker: totals, breakdowns, the summary to the character, and what is not known said aloud."""

from dataclasses import dataclass
from datetime import timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from outlay.llm import LLMResponse, get_adapter
from outlay.trackers import CostTracker, InMemoryTracker, UsageEntry, UsageRecord


def response(provider: str = "mock-balanced", **given: Any) -> LLMResponse:
    figures: dict[str, Any] = {
        "content": "",
        "input_tokens": 43,
        "output_tokens": 69,
        "cost_usd": 0.0007975,
        "latency_ms": 303.0,
        "success": True,
        "provider": provider,
        "model": provider,
    }
    return LLMResponse(**{**figures, **given})


def two_days() -> CostTracker:
    tracker = CostTracker(None)
    tracker.log(UsageRecord("gpt-4o", 1000, 500, "2024-01-15T10:00:00Z", "user_1"))
    tracker.log(UsageRecord("gpt-4o-mini", 1000, 500, "2024-01-15T23:30:00Z", "user_2"))
    tracker.log(UsageRecord("gpt-4o", 1000, 500, "2024-01-16T10:00:00", "user_2"))
    return tracker


def test_row_004_a_cost_that_nobody_states_is_priced_or_counted_as_unpriced() -> None:
    tracker = CostTracker(None)
    # 43 x 2.50 + 69 x 10.00 = 797.5 a million
    assert tracker.record(response(cost_usd=None)).cost == Decimal("0.0007975")
    unknown = tracker.record(response("nobody", cost_usd=None))
    assert (unknown.cost, tracker.unpriced_calls) == (None, 1)
    assert tracker.record(response(cost_usd=1.25)).cost == Decimal("1.25")
    assert tracker.total_cost_usd() == 1.2507975


def test_row_029_the_summary_names_whose_price_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    tracker = CostTracker(None)
    tracker.log(UsageRecord("no-such-model", 1, 1, "2024-01-15"))
    assert tracker.total_calls() == 1
    failed = response("gpt-4o", cost_usd=None, success=False, input_tokens=0, output_tokens=0)
    tracker.record(failed)
    tracker.print_summary()
    shown = capsys.readouterr().out
    assert "no-such-model (1)" in shown
    assert "gpt-4o (1 failed)" in shown
    assert "unknown" in shown


def test_row_035_a_snippet_is_cut_to_sixty() -> None:
    tracker = CostTracker(None)
    tracker.record(response(), prompt_snippet="p" * 61)
    assert tracker.records[0].prompt_snippet == "p" * 60


def test_row_036_totals_are_right_and_zero_when_empty() -> None:
    tracker = CostTracker(None)
    names = ("total_calls", "successful_calls", "total_input_tokens", "total_output_tokens", "total_tokens")
    figures = (*names, "total_cost_usd", "avg_latency_ms")
    assert [getattr(tracker, name)() for name in figures] == [0] * 7
    tracker.record(response())
    tracker.record(response(success=False, cost_usd=0.0, latency_ms=101.0, input_tokens=7, output_tokens=0))
    assert [getattr(tracker, name)() for name in figures] == [2, 1, 50, 69, 119, 0.0007975, 202.0]


def test_row_037_by_provider_adds_up() -> None:
    tracker = CostTracker(None)
    tracker.record(response("mock-fast", cost_usd=0.000025))
    tracker.record(response())
    tracker.record(response(success=False, cost_usd=0.0))
    found = tracker.by_provider()
    assert list(found) == ["mock-balanced", "mock-fast"]
    assert found["mock-balanced"] == {
        "calls": 2,
        "success_rate": 0.5,
        "input_tokens": 86,
        "output_tokens": 138,
        "cost_usd": 0.0007975,
        "avg_latency_ms": 303.0,
    }
    assert sum(group["cost_usd"] for group in found.values()) == tracker.total_cost_usd()
    assert sum(group["calls"] for group in found.values()) == tracker.total_calls()


GOLDEN = """\
══════════════════════════════════════════════════════════
  COST & USAGE SUMMARY
══════════════════════════════════════════════════════════
  Total calls       : 4 (4 succeeded)
  Input tokens      : 1,129
  Output tokens     : 207
  Total tokens      : 1,336
  Total cost        : $0.002393
  Avg latency       : 328 ms

  BY PROVIDER
──────────────────────────────────────────────────────────
  [mock-balanced]
    calls        : 3  (success rate 100%)
    tokens       : 129 in / 207 out
    cost         : $0.002393
    avg latency  : 303 ms
  [mock-fast]
    calls        : 1  (success rate 100%)
    tokens       : 1,000 in / 0 out
    cost         : $0.000000
    avg latency  : 404 ms
"""


def test_row_038_the_summary_to_the_character(capsys: pytest.CaptureFixture[str]) -> None:
    tracker = CostTracker(None)
    for _ in range(3):
        # 3 x 0.0007976 = 0.0023928, shown with six places
        tracker.record(response(cost_usd=0.0007976))
    tracker.record(response("mock-fast", input_tokens=1000, output_tokens=0, cost_usd=0.0, latency_ms=404.0))
    tracker.print_summary()
    assert capsys.readouterr().out == GOLDEN


def test_row_039_a_file_opened_again_has_the_same_totals(tmp_path: Path) -> None:
    path = tmp_path / "not" / "there" / "usage.json"
    tracker = CostTracker(str(path))
    tracker.log(UsageRecord("gpt-4o", 1000, 500, "2024-01-15T10:00:00Z", "user_1"))
    assert path.is_file()
    assert CostTracker(path).get_total_cost() == 0.0125


def test_row_040_log_reads_the_attributes_of_any_class(tmp_path: Path) -> None:
    @dataclass
    class Theirs:
        model: str
        input_tokens: int
        output_tokens: int
        timestamp: str
        user_id: str | None = None

    for times in (1, 2):
        tracker = CostTracker(tmp_path / "usage.json")
        tracker.log(Theirs("gpt-4o", 1000, 500, "2024-01-15T10:00:00Z", "user_1"))
        assert tracker.get_total_cost() == 0.0125 * times
        assert "gpt-4o" in tracker.get_model_breakdown()
        assert "2024-01-15" in tracker.get_daily_breakdown()


def test_row_040_log_takes_an_entry_by_model_id_too() -> None:
    tracker = CostTracker(None)
    first = tracker.record(
        llm_id=1, user_id=2, prompt_tokens=3, completion_tokens=4, cost=0.5, timestamp="2026-01-01"
    )
    entry = UsageEntry(1, 2, 3, 4, 7, 0.5, first.at, {})
    second = tracker.log(entry)
    assert (second.at, second.usage, second.charge, second.user) == (first.at, first.usage, first.charge, "2")
    assert second.extra == {"llm_id": 1, "user_id": 2}


def test_row_041_each_filter_and_all_together() -> None:
    tracker = two_days()
    assert tracker.get_total_cost() == 0.02545
    assert tracker.get_total_cost(user_id="user_2") == 0.01295
    assert tracker.get_total_cost(model="gpt-4o") == 0.025
    assert tracker.get_total_cost(since="2024-01-16T10:00:00Z") == 0.0125
    assert tracker.get_total_cost(since="2024-01-16T12:00:00+02:00") == 0.0125
    assert tracker.get_total_cost(since="2024-01-16") == 0.0125
    assert tracker.get_total_cost("user_2", "gpt-4o", "2024-01-16T10:00:01Z") == 0
    with pytest.raises(ValueError, match="soon"):
        tracker.get_total_cost(since="soon")


def test_row_042_days_in_order_and_in_a_zone() -> None:
    tracker = two_days()
    assert list(tracker.get_daily_breakdown().items()) == [("2024-01-15", 0.01295), ("2024-01-16", 0.0125)]
    later = {"2024-01-15": 0.0125, "2024-01-16": 0.01295}
    for zone in ("Africa/Cairo", "+02:00", timezone(timedelta(hours=2))):
        assert tracker.get_daily_breakdown(tz=zone) == later
    for nonsense in ("+2", "+25:00", "soon", ""):
        with pytest.raises(ValueError, match="no time zone"):
            tracker.get_daily_breakdown(tz=nonsense)


def test_row_042_an_empty_time_of_another_language_has_a_day(tmp_path: Path) -> None:
    tracker = CostTracker(tmp_path / "usage.json")
    tracker.log(UsageRecord("gpt-4o", 1000, 500, "0001-01-01T00:00:00Z"))
    assert list(tracker.get_daily_breakdown("America/New_York")) == ["0001-01-01"]


def test_row_041_a_user_known_by_a_uuid_is_found_in_a_file_too(tmp_path: Path) -> None:
    one, path = UUID(int=7), tmp_path / "usage.json"
    CostTracker(path).record(input_tokens=1, output_tokens=1, cost=2, user_id=one, llm_id=one)
    for tracker in (CostTracker(path), CostTracker(path)):
        assert tracker.get_total_cost(user_id=one) == 2  # type: ignore[arg-type] # as Django's users may be
        assert tracker.get_stats(llm_id=one).total_requests == 1
        assert tracker.get_stats(llm_id=UUID(int=8)).total_requests == 0


def test_row_043_models_add_up() -> None:
    tracker = two_days()
    assert tracker.get_model_breakdown() == {"gpt-4o": 0.025, "gpt-4o-mini": 0.00045}
    assert sum(tracker.get_model_breakdown().values()) == tracker.get_total_cost()


def test_row_110_the_call_log_has_a_row_for_each_call(capsys: pytest.CaptureFixture[str]) -> None:
    tracker = CostTracker(None)
    tracker.record(response(), prompt_snippet="What is it?")
    tracker.record(
        response("mock-fast", success=False, error="boom", cost_usd=None), prompt_snippet="And\nthis?"
    )
    tracker.print_call_log()
    heading, first, second = capsys.readouterr().out.splitlines()
    assert heading.split() == ["#", "provider", "in", "out", "latency", "cost", "prompt"]
    assert first.split() == ["1", "mock-balanced", "43", "69", "303", "ms", "$0.000798", "What", "is", "it?"]
    assert second.split()[:2] == ["2", "mock-fast"]
    assert second.endswith("❌ And\\nthis?")


def test_the_same_call_by_either_road_gives_the_same_record() -> None:
    seen = response(cost_usd=0.25)
    tracker = CostTracker(None)
    by_result = tracker.record(seen)
    by_name = InMemoryTracker().record(
        provider=seen.provider,
        model=seen.model,
        prompt_tokens=seen.input_tokens,
        completion_tokens=seen.output_tokens,
        cost=0.25,
        latency_ms=seen.latency_ms,
        success=True,
    )
    same = ("provider", "model", "usage", "charge", "latency_ms", "status", "extra", "user")
    assert [getattr(by_result, name) for name in same] == [getattr(by_name, name) for name in same]


def test_a_mock_adapters_call_costs_what_the_book_says() -> None:
    tracker = CostTracker(None)
    result = get_adapter("mock-premium", seed=4, sleep=False).call(prompt="hello")
    record = tracker.record(result, prompt_snippet="hello")
    # dollars a million: 15 in, 75 out
    assert record.cost == Decimal(result.input_tokens * 15 + result.output_tokens * 75) / 1_000_000
