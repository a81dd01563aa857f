"""Row 48: the tracker in Django's database, on SQLite and on PostgreSQL."""

import asyncio
import io
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.db import connections, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from outlay.capture import context
from outlay.contrib.django import DjangoUsageTracker
from outlay.core.money import total
from outlay.llm import DictRegistry, DynamicLLMClient, LLMEntry
from outlay.trackers import InMemoryTracker, UsageRecord, UsageTracker, tracked_chat

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def tracker(using: str) -> DjangoUsageTracker:
    return DjangoUsageTracker(using=using)


def one(tracker: Any, cost: Any = 0.001, **given: Any) -> Any:
    given = {"llm_id": 1, "user_id": 123, "prompt_tokens": 100, "completion_tokens": 500, **given}
    return tracker.record(cost=cost, **given)


def test_row_048_the_same_interface_gives_the_same_answers(tracker: DjangoUsageTracker) -> None:
    memory = InMemoryTracker()
    assert isinstance(tracker, UsageTracker)
    for each in (tracker, memory):
        assert each.get_stats() == InMemoryTracker().get_stats()
        one(each, timestamp=NOON)
        one(each, timestamp=NOON + timedelta(hours=1), user_id="user_1", metadata={"page": 3})
        one(each, None, timestamp=NOON + timedelta(hours=2), model="imaginary-9", llm_id=0)
        each.log(UsageRecord("gpt-4o", 1000, 500, "2024-01-15T10:00:00Z", "user_1"))
    for filters in (
        {},
        {"user_id": 123},
        {"user_id": "user_1"},
        {"llm_id": 0},
        {"since": NOON + timedelta(hours=1)},
        {"until": NOON + timedelta(hours=1)},
        {"user_id": "user_1", "since": "2026-01-01", "llm_id": 1},
        {"user_id": "nobody"},
    ):
        assert tracker.get_stats(**filters) == memory.get_stats(**filters), filters
    assert sorted(map(repr, tracker.records)) == sorted(map(repr, memory.records))


def test_row_048_totals_are_added_up_by_the_database_in_one_query(
    tracker: DjangoUsageTracker, using: str
) -> None:
    one(tracker)
    with CaptureQueriesContext(connections[using]) as asked:
        tracker.get_stats(user_id=123)
    (query,) = asked.captured_queries
    assert "SUM(" in query["sql"].upper()
    assert '"entry" FROM' not in query["sql"]


def test_row_048_money_is_exact_to_the_last_place(tracker: DjangoUsageTracker, using: str) -> None:
    from outlay.contrib.django.models import Call  # noqa: PLC0415 - needs the settings
    from outlay.contrib.django.totals import admin_totals  # noqa: PLC0415 - likewise

    costs = ["0.1"] * 10 + ["123456789.000000000000000001", "0.000000000000000001"]
    for cost in costs:
        one(tracker, Decimal(cost))
    exact = sum(map(Decimal, costs), Decimal(0))
    assert exact == Decimal("123456790.000000000000000002")
    assert admin_totals(Call.objects.using(using))["dollars"] == exact
    assert total(record.cost or Decimal(0) for record in tracker.calls()) == exact
    column = Call._meta.get_field("cost")
    assert (column.get_internal_type(), column.max_digits, column.decimal_places) == ("DecimalField", 38, 18)


def test_row_048_a_number_and_a_text_are_two_users(tracker: DjangoUsageTracker) -> None:
    one(tracker, user_id=7)
    one(tracker, user_id="7")
    one(tracker, user_id=None)
    assert [tracker.get_stats(user_id=who).total_requests for who in (7, "7", None)] == [1, 1, 3]
    assert {entry.user_id for entry in tracker.records} == {7, "7", None}


def test_other_money_and_unknown_prices_are_counted_apart(tracker: DjangoUsageTracker) -> None:
    one(tracker, 1)
    one(tracker, None, model="imaginary-9")
    stats = tracker.get_stats()
    assert (stats.total_cost, stats.unpriced_requests) == (1.0, 1)


def test_a_record_comes_back_whole_with_what_a_column_cannot_hold(tracker: DjangoUsageTracker) -> None:
    with context(session="s" * 300, team="search"):
        kept = one(tracker, prompt_snippet="a\x00b", user_id="ü" * 300)
    assert tracker.calls() == [kept]
    assert (kept.session, kept.tags) == ("s" * 300, {"team": "search"})
    assert tracker.get_stats(user_id="ü" * 300).total_requests == 1


def test_row_050_eight_threads_lose_none(tracker: DjangoUsageTracker) -> None:
    each = 500

    def work(_number: int) -> None:
        try:
            for _ in range(each):
                one(tracker)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    stats = tracker.get_stats()
    assert (stats.total_requests, stats.total_cost) == (8 * each, 8 * each / 1000)


def test_row_048_asynchronous_use(tracker: DjangoUsageTracker) -> None:
    async def main() -> Any:
        try:
            with context(session="s1"):
                await asyncio.gather(
                    *(
                        tracker.arecord(llm_id=n, prompt_tokens=1, completion_tokens=1, cost=1)
                        for n in range(5)
                    )
                )
            await tracker.alog(UsageRecord("gpt-4o", 1000, 500, "2024-01-15T10:00:00Z"))
            return await tracker.aget_stats(since="2025-01-01"), await tracker.aget_stats()
        finally:
            await sync_to_async(connections.close_all)()

    late, whole = asyncio.run(main())
    assert (late.total_requests, late.total_cost) == (5, 5.0)
    assert (whole.total_requests, whole.total_cost) == (6, 5.0125)
    assert {record.session for record in tracker.calls()} == {"s1", None}


def test_row_057_what_awaits_a_model_writes_without_holding_up_the_loop(
    tracker: DjangoUsageTracker, caplog: pytest.LogCaptureFixture
) -> None:
    """Django forbids its synchronous calls in a loop; no wrapper loses a call by that."""
    caplog.set_level(logging.WARNING, logger="outlay")

    @tracked_chat(tracker, user_id="u1")
    async def chat() -> Any:
        return {"model": "gpt-4o", "usage": {"prompt_tokens": 1000, "completion_tokens": 500}}

    registry = DictRegistry([LLMEntry(1, "m", "mock-fast", "mock-fast", cost_per_1k_input=1)])

    async def main() -> None:
        try:
            await chat()
            await DynamicLLMClient(registry, tracker).generate("hello", user_id="u1")
        finally:
            await sync_to_async(connections.close_all)()

    asyncio.run(main())
    assert tracker.get_stats(user_id="u1").total_requests == 2
    assert caplog.text == ""


def test_what_is_rolled_back_is_gone(tracker: DjangoUsageTracker, using: str) -> None:
    with transaction.atomic(using=using):
        one(tracker)
        transaction.set_rollback(True, using=using)
    assert tracker.get_stats().total_requests == 0


def test_without_time_zones_instants_are_kept_as_utc(tracker: DjangoUsageTracker) -> None:
    with override_settings(USE_TZ=False, TIME_ZONE="America/New_York"):
        one(tracker, timestamp=NOON)
        stats = tracker.get_stats(since=NOON, until=NOON + timedelta(seconds=1))
        assert (stats.total_requests, stats.period_start) == (1, NOON)


def test_without_a_name_djangos_own_routers_decide(sqlite: str) -> None:
    one(DjangoUsageTracker())
    assert DjangoUsageTracker(using=sqlite).get_stats().total_requests == 1


def test_row_048_migrations_are_complete_and_go_back(using: str) -> None:
    call_command("makemigrations", "outlay", check=True, dry_run=True, verbosity=0)
    call_command("check", verbosity=0, stdout=io.StringIO())
    call_command("migrate", "outlay", "zero", database=using, verbosity=0)
    assert "outlay_call" not in connections[using].introspection.table_names()
    call_command("migrate", "outlay", database=using, verbosity=0)
    with connections[using].cursor() as cursor:
        found = connections[using].introspection.get_constraints(cursor, "outlay_call")
    indexed = {tuple(each["columns"]) for each in found.values() if each["index"]}
    assert indexed >= {("at",), ("user", "at"), ("model", "at"), ("llm", "at")}
