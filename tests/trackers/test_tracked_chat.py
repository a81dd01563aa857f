"""tracked_chat: one record a call, the result untouched, and no fault of a tracker in the caller's way."""

import asyncio
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from outlay.trackers import PRICING, CostTracker, InMemoryTracker, tracked_chat

MESSAGES = [{"role": "user", "content": "hi"}]


def answer(model: str | None = None, **usage: Any) -> SimpleNamespace:
    counts = usage or {"prompt_tokens": 1000, "completion_tokens": 500}
    return SimpleNamespace(model=model, usage=SimpleNamespace(**counts))


def test_row_053_the_result_is_returned_and_recorded_once() -> None:
    tracker, result = CostTracker(None), answer("gpt-4o-mini-2024-07-18")

    @tracked_chat(tracker, user_id="user_1")
    def chat(messages: list[Any], model: str = "gpt-4o") -> Any:
        """Chat a little."""
        return result

    assert chat(MESSAGES) is result
    assert (chat.__name__, chat.__doc__) == ("chat", "Chat a little.")
    (record,) = tracker.calls()
    assert (record.model, record.provider, record.user) == ("gpt-4o-mini-2024-07-18", "openai", "user_1")
    assert record.cost == Decimal("0.00045")  # 1000 x 0.15 + 500 x 0.60 a million
    assert record.latency_ms is not None


@pytest.mark.parametrize(
    ("args", "keywords", "model"),
    [
        ((MESSAGES,), {}, "gpt-4o"),
        ((MESSAGES, "gpt-4o-mini"), {}, "gpt-4o-mini"),
        ((MESSAGES,), {"model": "o1"}, "o1"),
    ],
)
def test_row_053_the_model_is_the_argument_or_its_default(args: Any, keywords: Any, model: str) -> None:
    tracker = CostTracker(None)

    @tracked_chat(tracker)
    def chat(messages: list[Any], model: str = "gpt-4o") -> Any:
        return {"usage": {"prompt_tokens": 1, "completion_tokens": 1}}

    chat(*args, **keywords)
    assert tracker.calls()[0].model == model


def test_row_053_a_failure_is_raised_and_recorded_as_one() -> None:
    tracker = CostTracker(None)

    @tracked_chat(tracker)
    def chat(messages: list[Any], model: str = "gpt-4o") -> Any:
        raise TimeoutError("too slow")

    with pytest.raises(TimeoutError):
        chat(MESSAGES)
    (record,) = tracker.calls()
    assert (record.success, record.error_type, record.error, record.cost) == (
        False,
        "TimeoutError",
        "too slow",
        None,
    )


def test_row_052_a_tracker_that_fails_never_breaks_the_call() -> None:
    class Broken:
        def record(self, *args: Any, **kwargs: Any) -> None:
            raise OSError("disk full")

        def get_stats(self, *, user_id: Any = None) -> None:
            return None

    @tracked_chat(Broken())
    def chat(model: str = "gpt-4o") -> str:
        return "fine"

    assert chat() == "fine"


def test_row_057_a_coroutine_is_awaited_and_recorded_once() -> None:
    tracker = InMemoryTracker()

    @tracked_chat(tracker, user_id=7)
    async def chat(messages: list[Any], model: str = "gpt-4o") -> Any:
        await asyncio.sleep(0)
        return answer()

    result = asyncio.run(chat(MESSAGES))
    assert result.usage.prompt_tokens == 1000
    (entry,) = tracker.records
    assert (entry.user_id, entry.prompt_tokens, entry.completion_tokens) == (7, 1000, 500)


def test_row_058_a_mapping_is_read_like_an_object_cached_tokens_included() -> None:
    tracker = CostTracker(None)
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 400}}

    @tracked_chat(tracker)
    def chat() -> Any:
        return {"model": "gpt-4o-mini", "usage": usage}

    chat()
    (record,) = tracker.calls()
    assert (record.input_tokens, record.cached_tokens, record.output_tokens) == (1000, 400, 100)
    # 600 x 0.15 + 400 x 0.075 + 100 x 0.60, each a million
    assert record.cost == Decimal("0.00018")


def test_a_row_of_ones_own_prices_a_tracked_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRICING, "house-model", {"input": 1, "output": 2})
    tracker = CostTracker(None)
    tracked_chat(tracker)(lambda: answer("house-model"))()
    assert tracker.total_cost_usd() == 0.002


def test_a_tracker_of_another_kind_gets_the_documented_keywords() -> None:
    taken: list[dict[str, Any]] = []

    class Other:
        def record(self, **given: Any) -> None:
            taken.append(given)

        def get_stats(self, *, user_id: Any = None) -> None:
            return None

    tracked_chat(Other(), user_id=3)(lambda: answer("gpt-4o-mini"))()
    (given,) = taken
    assert {name: given[name] for name in ("llm_id", "user_id", "prompt_tokens", "completion_tokens")} == {
        "llm_id": "gpt-4o-mini",
        "user_id": 3,
        "prompt_tokens": 1000,
        "completion_tokens": 500,
    }
    assert given["cost"] == Decimal("0.00045")


def test_a_key_in_an_error_reaches_no_tracker_of_the_programs_own_either() -> None:
    told: list[dict[str, Any]] = []

    class Own:
        def record(self, **given: Any) -> None:
            told.append(given)

        def get_stats(self, *, user_id: Any = None) -> None:
            """Nobody asks."""

    @tracked_chat(Own())
    def chat(messages: list[Any], model: str = "gpt-4o") -> Any:
        raise PermissionError("Incorrect API key provided: sk-abcdefghijklmnopqrstuvwxyz0123456789")

    with pytest.raises(PermissionError, match="sk-abc"):
        chat(MESSAGES)
    (given,) = told
    assert given["metadata"]["error_type"] == "PermissionError"
    assert "sk-abcdef" not in given["metadata"]["error"]
