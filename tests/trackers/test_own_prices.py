"""What tells a cost beside recording prices by the same book, in which one's own prices are."""

import logging
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from outlay import process
from outlay.core.errors import UnknownModelError
from outlay.llm.openai_adapter import OpenAIAdapter
from outlay.logs import log_llm_call
from outlay.settings import Settings
from outlay.trackers import CostTracker, InMemoryTracker, UsageRecord, calculate_cost

# 1,000 tokens at 3 and 500 at 9 dollars a million.
PRICES = """
[[model]]
provider = "openai"
model = "house-1"
price = [{ rates = { input = "3", output = "9" } }]
"""
COST = Decimal("0.0075")
USAGE = SimpleNamespace(prompt_tokens=1000, completion_tokens=500)
ANSWER = SimpleNamespace(model="house-1", usage=USAGE, choices=())


@pytest.fixture
def use(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Have the process price by a price file with this text."""

    def write(text: str) -> None:
        path = tmp_path / "prices.toml"
        path.write_text(text)
        process.use(Settings(ledger="memory:", home=tmp_path, prices=path))

    yield write
    process.use(None)


def by_client() -> float | None:
    answers = SimpleNamespace(create=lambda **_: ANSWER)
    client: Any = SimpleNamespace(chat=SimpleNamespace(completions=answers))
    return OpenAIAdapter(client=client, model="house-1").call("p").cost_usd


def by_tracker() -> float:
    tracker = InMemoryTracker()
    tracker.record(model="house-1", input_tokens=1000, output_tokens=500)
    return tracker.get_stats().total_cost


WAYS: dict[str, Callable[[], Any]] = {
    "usage": lambda: calculate_cost(USAGE, model="house-1"),
    "record": lambda: calculate_cost(UsageRecord("house-1", 1000, 500, "2026-11-01T00:00:00Z")),
    "client": by_client,
    "log": lambda: log_llm_call("p", ANSWER)["cost"],
    "tracker": by_tracker,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_model_of_one_s_own_price_costs_what_its_record_says(use: Callable[[str], None], way: str) -> None:
    use(PRICES)
    recorded = (
        process.current()
        .recorder()
        .record(provider="openai", model="house-1", input_tokens=1000, output_tokens=500)
    )
    assert recorded.cost == COST
    assert WAYS[way]() == float(COST)


@pytest.mark.parametrize("way", ["client", "log"])
def test_a_price_in_other_money_is_told_as_no_dollars(use: Callable[[str], None], way: str) -> None:
    use(f'currency = "EUR"\n{PRICES}')
    assert WAYS[way]() is None


@pytest.mark.parametrize("way", ["usage", "record"])
def test_a_cost_in_dollars_of_a_price_in_other_money_is_refused(use: Callable[[str], None], way: str) -> None:
    use(f'currency = "EUR"\n{PRICES}')
    with pytest.raises(UnknownModelError, match="the price of house-1 is in EUR"):
        WAYS[way]()


def test_a_tracker_of_calls_in_other_money_knows_no_dollars(
    use: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    use(f'currency = "EUR"\n{PRICES}')
    tracker = CostTracker(storage_path=None)
    tracker.record(model="house-1", input_tokens=1000, output_tokens=500)
    tracker.print_summary()
    assert "Total cost        : unknown" in capsys.readouterr().out
    assert [each["cost_usd"] for each in tracker.by_provider().values()] == [None]


def test_a_price_file_that_cannot_be_read_is_said_once_and_the_shipped_book_counts(
    use: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    use("model = 1")
    with caplog.at_level(logging.WARNING, "outlay"):
        costs = {calculate_cost(USAGE, model="gpt-4o", at="2026-11-01T00:00:00Z") for _ in range(3)}
    assert costs == {0.0075}  # 1,000 at 2.50 and 500 at 10 dollars a million
    assert [each.levelname for each in caplog.records] == ["WARNING"]
    assert "prices.toml" in caplog.text
