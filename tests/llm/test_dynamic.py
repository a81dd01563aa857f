"""DynamicLLMClient and its registry: the right model for a tier, at its own price, told to any tracker."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.wire import Kept

from outlay.capture.guard import failures
from outlay.core.errors import CallError, OutlayError, SettingsError
from outlay.llm import DictRegistry, DynamicLLMClient, LLMEntry, LLMResponse, LLMTier
from outlay.llm.adapters import default
from outlay.trackers import CostTracker, InMemoryTracker

MINI = LLMEntry(1, "mini", "openai", "gpt-4o-mini", LLMTier.STANDARD, "0.001", "0.002")
SONNET = LLMEntry(2, "sonnet", "anthropic", "claude-3-5-sonnet", LLMTier.STANDARD, 0.003, 0.015)
OPUS = LLMEntry(3, "opus", "anthropic", "claude-3-opus", LLMTier.PREMIUM, 0.015, 0.075)


@pytest.fixture
def registry() -> DictRegistry:
    return DictRegistry([SONNET, MINI, OPUS])


def test_row_016_the_reference_of_june_2024() -> None:
    registry = DictRegistry.from_env({})
    found = {
        entry.name: (entry.cost_per_1k_input, entry.cost_per_1k_output, entry.tier.value)
        for entry in registry.list_active()
    }
    assert found == {
        "GPT-3.5 Turbo": (Decimal("0.0005"), Decimal("0.0015"), "economy"),
        "GPT-4o-mini": (Decimal("0.00015"), Decimal("0.0006"), "standard"),
        "GPT-4o": (Decimal("0.005"), Decimal("0.015"), "premium"),
        "Claude 3 Haiku": (Decimal("0.00025"), Decimal("0.00125"), "economy"),
        "Claude 3.5 Sonnet": (Decimal("0.003"), Decimal("0.015"), "standard"),
        "Claude 3 Opus": (Decimal("0.015"), Decimal("0.075"), "premium"),
    }


def test_row_061_the_environment_says_who_can_be_called_and_the_day_what_it_costs() -> None:
    registry = DictRegistry.from_env({"OPENAI_API_KEY": "sk-mine"}, at=datetime(2025, 1, 1, tzinfo=UTC))
    assert [entry.provider for entry in registry.list_active()] == ["openai"] * 3
    assert registry.get_by_name("GPT-4o").cost_per_1k_input == Decimal("0.0025")
    assert registry.get_default().model == "gpt-4o-mini"
    assert "sk-mine" not in repr(registry.list_active())


def test_row_059_and_062_a_request_is_answered_told_and_priced_by_its_entry(
    registry: DictRegistry, provider: Any, recorder: Callable[[], Any], kept: Kept
) -> None:
    provider("openai", {"cost_usd": 99.0})
    tracker = InMemoryTracker()
    client = DynamicLLMClient(registry, tracker=tracker, recorder=recorder)
    response = asyncio.run(client.generate(prompt="Write a story", tier=LLMTier.STANDARD, user_id=123))
    assert response.content == "an answer"
    stats = tracker.get_stats(user_id=123)
    # 1000 x 0.001 + 100 x 0.002, a thousand
    assert (stats.total_requests, stats.total_tokens, stats.total_cost) == (1, 1100, 0.0012)
    assert (kept.only.cost, kept.only.user) == (Decimal("0.0012"), "123")
    assert f"This session: {stats.total_tokens} tokens, ${stats.total_cost:.4f}" == (
        "This session: 1100 tokens, $0.0012"
    )  # row 62


def test_row_060_tiers_are_lower_case_texts() -> None:
    assert [tier.value for tier in LLMTier] == ["economy", "standard", "premium", "local"]
    assert LLMTier("premium") is LLMTier.PREMIUM
    assert f"{LLMTier.LOCAL}" == "local"


def test_row_061_lookups(registry: DictRegistry) -> None:
    assert registry.get_by_id(3) is OPUS
    assert registry.get_by_name("sonnet") is SONNET
    assert registry.get_by_tier("standard") is MINI  # the cheapest
    assert registry.get_default() is MINI
    assert registry.list_active() == [SONNET, MINI, OPUS]
    local = registry.add(LLMEntry(0, "llama", "ollama", "llama3.2", "local"))  # type: ignore[arg-type] # a text will do
    assert registry.get_by_id(0) is local
    assert registry.get_by_tier(LLMTier.LOCAL) is local


def test_row_061_nothing_else_is_taken_for_what_is_not_there(registry: DictRegistry) -> None:
    registry.add(LLMEntry(4, "off", "openai", "gpt-3.5-turbo", LLMTier.ECONOMY, is_active=False))
    with pytest.raises(OutlayError, match="id 9"):
        registry.get_by_id(9)
    with pytest.raises(OutlayError, match="'nope'"):
        registry.get_by_name("nope")
    with pytest.raises(OutlayError, match="economy"):
        registry.get_by_tier(LLMTier.ECONOMY)
    with pytest.raises(OutlayError, match="no model is active"):
        DictRegistry().get_default()


def test_row_059_an_entry_without_a_price_is_priced_by_the_book_and_never_free(
    provider: Any, recorder: Callable[[], Any], kept: Kept
) -> None:
    provider("openai", {"model": "gpt-4o"})
    provider("ollama", {"model": "llama3.2"})
    entries = [
        LLMEntry(1, "4o", "openai", "gpt-4o"),
        LLMEntry(2, "llama", "ollama", "llama3.2"),
        LLMEntry(3, "half", "openai", "gpt-4o", cost_per_1k_input=1),
        LLMEntry(4, "free", "ollama", "llama3.2", cost_per_1k_input=0, cost_per_1k_output=0),
    ]
    client = DynamicLLMClient(DictRegistry(entries), recorder=recorder)
    for entry in entries:
        client.generate_sync("hi", llm_id=entry.id)
    # 1000 x 2.50 + 100 x 10.00, a million
    assert [(each.cost, each.cost_status) for each in kept.records] == [
        (Decimal("0.0035"), "priced"),
        (None, "unpriced"),
        (Decimal(1), "partial"),
        (Decimal(0), "free"),
    ]
    assert [entry.price for entry in entries] == [Decimal("0.0125"), None, None, 0]


def test_row_061_the_cheapest_is_one_whose_price_is_known() -> None:
    unknown, dear = LLMEntry(1, "new", "openai", "gpt-99"), LLMEntry(2, "4o", "openai", "gpt-4o")
    mini = LLMEntry(3, "mini", "openai", "gpt-4o-mini")
    assert DictRegistry([unknown, dear, mini]).get_by_tier("standard") is mini
    assert DictRegistry([unknown, dear]).get_default() is dear
    assert DictRegistry([unknown]).get_default() is unknown


@pytest.mark.parametrize("content", ['[llm]\nname = "mini"\n', "llm = [1]\n", 'llm = "mini"\n'])
def test_row_061_a_file_of_another_form_is_told_in_a_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "llms.toml"
    path.write_text(content)
    with pytest.raises(SettingsError, match="as a table"):
        DictRegistry.from_toml(path)


def test_row_061_from_a_dictionary_and_from_toml(tmp_path: Path) -> None:
    row = {"name": "mini", "provider": "openai", "model": "gpt-4o-mini", "cost_per_1k_input": 0.00015}
    assert DictRegistry.from_dict({7: row}).get_by_id(7).model == "gpt-4o-mini"
    assert DictRegistry.from_dict([row]).get_by_id(1).name == "mini"
    path = tmp_path / "llms.toml"
    path.write_text(
        '[[llm]]\nname = "mini"\nprovider = "openai"\nmodel = "gpt-4o-mini"\ntier = "premium"\n'
        "cost_per_1k_input = 0.00015\ncost_per_1k_output = 0.0006\n"
    )
    (entry,) = DictRegistry.from_toml(path).list_active()
    assert (entry.tier, entry.cost_per_1k_output) == (LLMTier.PREMIUM, Decimal("0.0006"))


@pytest.mark.parametrize(
    "row",
    [
        {"name": "x", "provider": "openai", "model": "m", "price": 1},
        {"name": "x", "provider": "openai"},
        {"name": "x", "provider": "nope", "model": "m"},
        {"name": "x", "provider": "openai", "model": "m", "tier": "golden"},
        {"name": "x", "provider": "openai", "model": "m", "cost_per_1k_input": -1},
    ],
)
def test_row_061_an_entry_that_cannot_be_is_a_value_error(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the messages are those of five different checks
        DictRegistry.from_dict([row])


FAILURE = {"success": False, "error": "down", "error_type": "APIError", "output_tokens": 0}


def test_row_068_every_attempt_is_told(
    registry: DictRegistry, provider: Any, recorder: Callable[[], Any]
) -> None:
    provider("openai", FAILURE)
    provider("anthropic")
    tracker = InMemoryTracker()
    client = DynamicLLMClient(registry, tracker, retries=1, fallbacks=["premium"], recorder=recorder)
    client.generate_sync("hi", tier="standard")
    # twice 1000 x 0.001 for attempts that failed after the prompt was read, then 1000 x 0.015 + 100 x 0.075
    assert [entry.llm_id for entry in tracker.records] == [1, 1, 3]
    assert tracker.get_stats().total_cost == 0.0245
    with pytest.raises(CallError, match="down"):
        DynamicLLMClient(registry, recorder=recorder).generate_sync("hi", llm_name="mini")


def test_row_059_a_tracker_of_ours_knows_who_answered_and_which_attempts_failed(
    registry: DictRegistry, provider: Any, recorder: Callable[[], Any], kept: Kept
) -> None:
    provider("openai", {**FAILURE, "input_tokens": 0})
    provider("anthropic", {"cached_tokens": 400})
    tracker = CostTracker(None)
    client = DynamicLLMClient(registry, tracker, fallbacks=["premium"], recorder=recorder)
    client.generate_sync("hi", tier="standard", user_id=7)
    failed, worked = tracker.calls()
    assert (failed.provider, failed.success, failed.error, failed.cost) == ("openai", False, "down", None)
    assert (worked.provider, worked.cached_tokens, worked.latency_ms) == ("anthropic", 400, 5.0)
    same = (
        "at",
        "provider",
        "model",
        "usage",
        "charge",
        "status",
        "error",
        "error_type",
        "latency_ms",
        "user",
    )
    for told, recorded in zip(tracker.calls(), kept.records, strict=True):
        assert [getattr(told, name) for name in same] == [getattr(recorded, name) for name in same]
    assert tracker.successful_calls() == 1
    assert list(tracker.by_provider()) == ["anthropic", "openai"]


def test_a_tracker_of_another_kind_is_told_the_documented_keywords_alone(
    registry: DictRegistry, provider: Any, recorder: Callable[[], Any]
) -> None:
    taken: list[dict[str, Any]] = []

    class Other:
        def record(self, **given: Any) -> None:
            taken.append(given)

    provider("openai")
    DynamicLLMClient(registry, Other(), recorder=recorder).generate_sync("hi", llm_id=1)
    documented = ["llm_id", "user_id", "prompt_tokens", "completion_tokens", "cost", "metadata"]
    assert [list(given) for given in taken] == [documented]


def test_a_call_that_is_broken_off_is_told(registry: DictRegistry, recorder: Callable[[], Any]) -> None:
    class Interrupted:
        def call(self, prompt: str, **_options: Any) -> LLMResponse:
            raise KeyboardInterrupt(prompt)

    tracker = InMemoryTracker()
    default.register("openai", lambda **_: Interrupted())
    try:
        with pytest.raises(KeyboardInterrupt):
            DynamicLLMClient(registry, tracker, recorder=recorder).generate_sync("hi", llm_id=1)
    finally:
        default.unregister("openai")
    assert [each.status for each in tracker.calls()] == ["error"]


def test_a_call_whose_task_was_cancelled_is_told_by_its_thread(
    registry: DictRegistry, recorder: Callable[[], Any]
) -> None:
    """A request that its client has left: the answer comes all the same, and is paid for."""
    begun, go_on, told = threading.Event(), threading.Event(), threading.Event()

    class Slow:
        def call(self, prompt: str, **_options: Any) -> LLMResponse:
            begun.set()
            assert go_on.wait(30)
            return LLMResponse(prompt, 1000, 100, None, 1.0, success=True, provider="p", model="m")

    class Awaited(InMemoryTracker):
        def record(self, *args: Any, **kwargs: Any) -> Any:
            kept = super().record(*args, **kwargs)
            told.set()
            return kept

        async def arecord(self, *args: Any, **kwargs: Any) -> Any:
            return super().record(*args, **kwargs)

    async def leave(client: DynamicLLMClient) -> None:
        asked = asyncio.create_task(client.generate("hi", llm_id=1))
        await asyncio.to_thread(begun.wait, 30)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

    tracker = Awaited()
    client = DynamicLLMClient(registry, tracker, recorder=recorder)
    default.register("openai", lambda **_: Slow())
    try:
        asyncio.run(leave(client))
        assert tracker.calls() == []
        go_on.set()
        assert told.wait(30)
        assert [each.cost for each in tracker.calls()] == [Decimal("0.0012")]
        asyncio.run(client.generate("hi", llm_id=1))
        assert len(tracker.calls()) == 2
    finally:
        default.unregister("openai")


def test_row_052_a_tracker_that_fails_never_breaks_the_call(
    registry: DictRegistry, provider: Any, recorder: Callable[[], Any]
) -> None:
    class Broken:
        def record(self, **given: Any) -> None:
            raise OSError("disk full")

    provider("openai")
    client = DynamicLLMClient(registry, Broken(), recorder=recorder)
    assert client.generate_sync("hi", llm_id=1).content == "an answer"


def test_an_answer_whose_record_cannot_be_made_is_given_back_all_the_same(
    registry: DictRegistry, provider: Any, recorder: Callable[[], Any], kept: Kept
) -> None:
    provider("openai", {"cached_tokens": 2000})  # more than the whole input
    tracker = InMemoryTracker()
    client = DynamicLLMClient(registry, tracker, recorder=recorder)
    try:
        assert client.generate_sync("hi", llm_id=1).content == "an answer"
        assert (kept.records, tracker.records) == ([], [])
    finally:
        failures.clear()
