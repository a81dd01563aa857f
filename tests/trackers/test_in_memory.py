"""The tracker in memory: by model id and user, as given; totals exact; nothing lost between threads."""

import threading
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlay.compat.dd_llm import CostTracker as EmptyTracker
from outlay.contrib.django import DjangoUsageTracker
from outlay.core.query import Query
from outlay.ledger import MemoryLedger
from outlay.trackers import CostTracker, InMemoryTracker, UsageStats, UsageTracker


def test_row_007_an_empty_tracker_has_zeros_and_no_period() -> None:
    assert InMemoryTracker().get_stats() == UsageStats(0, 0, 0, 0, 0.0, None, None)


def test_row_008_metadata_come_back_equal() -> None:
    tracker = InMemoryTracker()
    tracker.record(
        llm_id=1, user_id=2, prompt_tokens=1, completion_tokens=1, cost=0, metadata={"a": [1, None]}
    )
    (entry,) = tracker.records
    assert entry.metadata == {"a": [1, None]}


def test_row_009_users_are_kept_apart_and_as_given() -> None:
    tracker = InMemoryTracker()
    for user in (123, "123", "user_1"):
        tracker.record(llm_id=1, user_id=user, prompt_tokens=1, completion_tokens=0, cost=0)
    assert [entry.user_id for entry in tracker.records] == [123, "123", "user_1"]
    assert tracker.get_stats(user_id=123).total_requests == 1


@pytest.mark.parametrize("bad", [-1, True, float("nan")])
def test_row_010_counts_that_cannot_be_are_value_errors(bad: Any) -> None:
    tracker = InMemoryTracker()
    with pytest.raises(ValueError, match="whole number"):
        tracker.record(llm_id=1, user_id=1, prompt_tokens=bad, completion_tokens=1, cost=0)
    assert tracker.records == []


def test_row_028_a_thousand_tenths_are_a_hundred() -> None:
    tracker = CostTracker(None)
    for _ in range(1000):
        tracker.record(llm_id=1, prompt_tokens=1, completion_tokens=1, cost=0.1)
    assert tracker.total_cost_usd() == 100
    assert sum((call.cost or Decimal(0)) for call in tracker.calls()) == Decimal(100)


@given(st.lists(st.decimals(0, 10**6, places=18), max_size=20), st.randoms())
def test_row_028_sums_are_exact_in_any_order(costs: list[Decimal], chance: Random) -> None:
    exact = sum(map(Fraction, costs), Fraction())
    for _ in range(2):
        chance.shuffle(costs)
        tracker, ledger = InMemoryTracker(), MemoryLedger()
        for cost in costs:
            ledger.add([tracker.record(llm_id=1, prompt_tokens=1, completion_tokens=1, cost=cost)])
        found = ledger.rows(Query()).total["cost"] or Decimal(0)
        assert Fraction(found) == exact
        assert tracker.get_stats().total_cost == float(exact)


def test_row_046_the_documented_calls_print_what_they_should(capsys: pytest.CaptureFixture[str]) -> None:
    tracker = InMemoryTracker()
    tracker.record(llm_id=1, user_id=123, prompt_tokens=100, completion_tokens=500, cost=0.001)
    stats = tracker.get_stats(user_id=123)
    assert f"Total cost: ${stats.total_cost:.4f}" == "Total cost: $0.0010"
    assert f"Total tokens: {stats.total_tokens}" == "Total tokens: 600"


def test_row_047_stats_by_user_model_and_period() -> None:
    tracker = InMemoryTracker()
    for llm, day in ((0, 1), (0, 2), (7, 3)):
        tracker.record(
            llm_id=llm, user_id=5, prompt_tokens=10, completion_tokens=1, cost=1, timestamp=f"2026-01-0{day}"
        )
    assert tracker.get_stats(llm_id=0).total_requests == 2
    assert tracker.get_stats(since="2026-01-02", until="2026-01-03").total_requests == 1
    stats = tracker.get_stats(user_id=5)
    assert (stats.period_start, stats.period_end) == (
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 3, tzinfo=UTC),
    )
    assert (stats.total_tokens, stats.total_prompt_tokens, stats.total_completion_tokens) == (33, 30, 3)


def test_row_049_trackers_meet_the_protocol() -> None:
    assert isinstance(InMemoryTracker(), UsageTracker)
    assert isinstance(CostTracker(None), UsageTracker)
    assert isinstance(EmptyTracker(), UsageTracker)
    assert issubclass(DjangoUsageTracker, UsageTracker)  # to make one, Django has to be set up
    assert not isinstance([], UsageTracker)


@pytest.mark.parametrize("make", [InMemoryTracker, lambda: CostTracker(None)])
def test_row_050_eight_threads_lose_none(make: Any) -> None:
    tracker = make()

    def work() -> None:
        for _ in range(500):
            tracker.record(llm_id=1, prompt_tokens=1, completion_tokens=1, cost=0.001)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stats = tracker.get_stats()
    assert (stats.total_requests, stats.total_tokens, stats.total_cost) == (4000, 8000, 4.0)


def test_row_109_second_names_are_understood() -> None:
    tracker = InMemoryTracker()
    tracker.track(llm_id=1, tokens_input=10, tokens_output=4, cost=0)
    tracker.track(llm_id=1, prompt_tokens=1, response_tokens=2, cost=0)
    assert [(each.prompt_tokens, each.completion_tokens) for each in tracker.records] == [(10, 4), (1, 2)]


def test_an_unknown_keyword_is_a_type_error_that_names_it() -> None:
    with pytest.raises(TypeError, match="'promt_tokens'"):
        InMemoryTracker().record(llm_id=1, promt_tokens=1, completion_tokens=1, cost=0)
