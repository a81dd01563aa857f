"""The same calls through every interface add up to the same totals, to the last digit."""

import json
import tempfile
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.django_fixtures import sqlite, sqlite_alias
from tests.support.wire import Kept

from outlay.alerts.rules import rules_of
from outlay.alerts.standing import standings
from outlay.capture import Recorder, SystemClock
from outlay.contrib.django import DjangoUsageTracker
from outlay.core.money import total
from outlay.ledger import MemoryLedger
from outlay.llm import DictRegistry, DynamicLLMClient, Llm, LlmConfig, LLMEntry, LLMResponse
from outlay.llm.adapters import default
from outlay.logs import log_llm_call, tracked_llm_call
from outlay.observability import LlmOperationCollector
from outlay.pricing import cost_of
from outlay.report import LedgerReader
from outlay.trackers import CostTracker, InMemoryTracker, UsageRecord, calculate_cost, tracked_chat
from outlay.trackers.tracker import BaseTracker

__all__ = ["sqlite", "sqlite_alias"]  # fixtures

# A model whose price is the same in the table, in the book and by the thousand: 0.15 in, 0.60 out a million.
MODEL = "gpt-4o-mini"
CALLS = st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), min_size=1, max_size=8)
Calls = list[tuple[int, int]]


def response(tokens_in: int, tokens_out: int) -> SimpleNamespace:
    usage = SimpleNamespace(prompt_tokens=tokens_in, completion_tokens=tokens_out)
    return SimpleNamespace(model=MODEL, usage=usage)


def answer(tokens_in: int, tokens_out: int) -> LLMResponse:
    return LLMResponse("", tokens_in, tokens_out, None, 1.0, success=True, provider="openai", model=MODEL)


def by_record(calls: Calls, folder: Path) -> Decimal:
    tracker = CostTracker(folder / "log.json")
    for tokens_in, tokens_out in calls:
        tracker.log(UsageRecord(MODEL, tokens_in, tokens_out, "2026-01-01T00:00:00Z"))
    return summed(CostTracker(folder / "log.json"))


def by_result(calls: Calls, folder: Path) -> Decimal:
    tracker = CostTracker(None)
    for call in calls:
        tracker.record(answer(*call))
    return summed(tracker)


def by_decorator(calls: Calls, folder: Path) -> Decimal:
    tracker = CostTracker(None)
    for call in calls:
        tracked_chat(tracker)(partial(response, *call))()
    return summed(tracker)


def by_keywords(calls: Calls, folder: Path) -> Decimal:
    tracker = InMemoryTracker()
    for tokens_in, tokens_out in calls:
        cost = calculate_cost(
            prompt_tokens=tokens_in,
            completion_tokens=tokens_out,
            cost_per_1k_input=0.00015,
            cost_per_1k_output=0.0006,
        )
        tracker.record(llm_id=1, prompt_tokens=tokens_in, completion_tokens=tokens_out, cost=cost)
    return summed(tracker)


def by_log(calls: Calls, folder: Path) -> Decimal:
    path = folder / "calls.jsonl"
    for call in calls:
        tracked_llm_call("p", call_llm=partial(give, response(*call)), log_file=path)
    return total(Decimal(str(json.loads(line)["cost"])) for line in path.read_text().splitlines())


def by_logger(calls: Calls, folder: Path) -> Decimal:
    return total(Decimal(str(log_llm_call("p", response(*call))["cost"])) for call in calls)


def by_cost_function(calls: Calls, folder: Path) -> Decimal:
    records = (UsageRecord(MODEL, i, o, "2026-01-01T00:00:00Z") for i, o in calls)
    return total(Decimal(str(calculate_cost(record))) for record in records)


def give(result: Any, _prompt: str) -> Any:
    return result


class Provider:
    """Gives the next of some answers."""

    def __init__(self, calls: Calls) -> None:
        self.answers = [answer(*call) for call in calls]

    def __call__(self, **options: Any) -> "Provider":
        return self

    def call(self, prompt: str, **options: Any) -> LLMResponse:
        return self.answers.pop(0)


def with_provider(calls: Calls) -> Recorder:
    default.register("openai", Provider(calls))
    return Recorder(Kept(), clock=SystemClock(), price=cost_of)


def by_llm(calls: Calls, folder: Path) -> Decimal:
    recorder = with_provider(calls)
    client = Llm(LlmConfig(provider="openai", model=MODEL), recorder=lambda: recorder)
    for _ in calls:
        client.complete("p")
    return client.usage.total_cost


def by_dynamic_client(calls: Calls, folder: Path) -> Decimal:
    recorder, tracker = with_provider(calls), InMemoryTracker()
    entry = LLMEntry(1, "mini", "openai", MODEL, cost_per_1k_input=0.00015, cost_per_1k_output=0.0006)
    client = DynamicLLMClient(DictRegistry([entry]), tracker, recorder=lambda: recorder)
    for _ in calls:
        client.generate_sync("p")
    return summed(tracker)


def by_recorder(calls: Calls, folder: Path) -> Decimal:
    recorder = with_provider([])
    return total(
        recorder.record(provider="openai", model=MODEL, input_tokens=i, output_tokens=o).cost or Decimal(0)
        for i, o in calls
    )


def by_report(calls: Calls, folder: Path) -> Decimal:
    ledger = ledger_of(calls)
    found: Decimal = LedgerReader(ledger).report(by="model").total["cost"]
    return found


def by_collector(calls: Calls, folder: Path) -> Decimal:
    frame = LlmOperationCollector.polars_from_db(ledger=LedgerReader(ledger_of(calls)))
    return total(Decimal(str(cost)) for cost in frame["cost"])


def ledger_of(calls: Calls) -> MemoryLedger:
    ledger, recorder = MemoryLedger(), with_provider([])
    ledger.add(
        recorder.record(provider="openai", model=MODEL, input_tokens=i, output_tokens=o) for i, o in calls
    )
    return ledger


def by_django(calls: Calls, folder: Path) -> Decimal:
    from outlay.contrib.django.models import Call  # noqa: PLC0415 - needs Django's settings

    tracker = DjangoUsageTracker()
    for call in calls:
        tracker.record(answer(*call))
    assert tracker.get_stats().total_requests == len(calls)
    found = summed(tracker)
    Call.objects.all().delete()
    return found


def by_alerts_budget(calls: Calls, folder: Path) -> Decimal:
    ledger = ledger_of(calls)
    (rule,) = rules_of({"rules": [{"budget": 1, "window": "month"}]})
    (found, *_) = standings([rule], LedgerReader(ledger), datetime.now(UTC))
    return found.value


def summed(tracker: BaseTracker) -> Decimal:
    exact = total(record.cost or Decimal(0) for record in tracker.calls())
    assert tracker.get_stats().total_cost == float(exact)
    return exact


WAYS = (
    *(by_record, by_result, by_decorator, by_keywords, by_log, by_llm, by_dynamic_client, by_recorder),
    *(by_logger, by_cost_function, by_report, by_collector, by_django, by_alerts_budget),
)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CALLS)
@pytest.mark.usefixtures("sqlite")
def test_every_interface_gives_the_same_total(calls: Calls) -> None:
    expected = Decimal(sum(15 * tokens_in + 60 * tokens_out for tokens_in, tokens_out in calls)) / 10**8
    try:
        with tempfile.TemporaryDirectory() as folder:
            assert {way.__name__: way(calls, Path(folder)) for way in WAYS} == {
                way.__name__: expected for way in WAYS
            }
    finally:
        default.unregister("openai")
