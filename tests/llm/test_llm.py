"""Llm: an answer's text, and what it cost by its own price, the book's, the hour's and the month's."""

import asyncio
import math
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.wire import Kept

from outlay.core.errors import CallError
from outlay.core.usage import Usage
from outlay.llm import Llm, LlmConfig, LLMResponse
from outlay.llm.adapters import default
from outlay.llm.money import Money, PlainFloat
from outlay.pricing.own import own_book, own_cost
from outlay.trackers import UsageRecord, calculate_cost

Recorders = Callable[[], Any]
PRICE = {"input": 10, "output": 20, "cached": 5, "cache_write": 12.5}
HAPPY = {
    "input": 1,
    "output": 2,
    "happy_hour": {"start": "16:30", "finish": "00:30", "pricing": {"input": 0.5, "output": 1}},
}


@pytest.fixture
def llm(provider: Any, recorder: Recorders) -> Callable[..., Llm]:
    """Make a client of a provider that answers as told, 1000 tokens in and 100 out unless told otherwise."""

    def make(*answers: dict[str, Any], name: str = "openai", **settings: Any) -> Llm:
        provider(name, *answers)
        settings.setdefault("model", "gpt-4o")
        return Llm(LlmConfig(provider=name, api_key="k", **settings), recorder=recorder)

    return make


def test_row_001_a_response_has_the_documented_figures() -> None:
    result = LLMResponse("hi", 10, 5, 0.000075, 80.0, success=True, provider="p", model="m")
    assert is_dataclass(result)
    assert (result.content, result.success, result.provider, result.model) == ("hi", True, "p", "m")
    assert (result.input_tokens, result.output_tokens, result.latency_ms) == (10, 5, 80.0)
    assert (result.cached_tokens, result.cache_write_tokens) == (0, 0)
    assert f"{result.cost_usd} {result.cost_usd!s} {result.cost_usd:.4f}" == "0.000075 0.000075 0.0001"
    assert isinstance(result.cost_usd, float)
    assert replace(result, cost_usd=None).cost_usd is None


def test_row_017_cached_and_written_tokens_are_priced_and_add_up(llm: Callable[..., Llm], kept: Kept) -> None:
    client = llm({"cached_tokens": 400, "cache_write_tokens": 200}, pricing=PRICE)
    client.complete("hi")
    latest = client.usage.latest_completion
    # 400 x 10 + 400 x 5 + 200 x 12.5 + 100 x 20 = 10,500 a million
    assert latest is not None
    assert (latest.cost, latest.cached_tokens, latest.cache_writes) == (Decimal("0.0105"), 400, 200)
    assert sum(line.amount for line in kept.only.lines) == Decimal("0.0105")


@pytest.mark.parametrize(
    ("hour", "minute", "happy"),
    [(23, 59, True), (0, 29, True), (0, 30, False), (16, 29, False), (16, 30, True)],
)
def test_row_021_the_happy_hour_of_ones_own_price(
    llm: Callable[..., Llm], at: Callable[..., None], hour: int, minute: int, *, happy: bool
) -> None:
    client = llm(pricing=HAPPY)
    for day in (5, 6):  # any day, not only the first
        at(2026, 1, day, hour, minute)
        client.complete("hi")
        latest = client.usage.latest_completion
        assert latest is not None
        assert latest.happy_hour is happy
        # 1000 x 1 + 100 x 2 = 1200 a million, half of it in the happy hour
        assert latest.cost == (Decimal("0.0006") if happy else Decimal("0.0012"))


def test_row_021_an_hour_that_does_not_exist_is_a_value_error_that_names_the_model() -> None:
    wrong = {**HAPPY, "happy_hour": {**HAPPY["happy_hour"], "start": "25:00"}}  # type: ignore[dict-item] # a table
    with pytest.raises(ValueError, match=r"my-model.*25:00"):
        LlmConfig(provider="openai", api_key="k", model="my-model", pricing=wrong)


@pytest.mark.parametrize(("hour", "cost"), [(17, "0.00041"), (12, "0.00082")])
def test_row_020_the_happy_hour_of_the_price_book(
    llm: Callable[..., Llm], at: Callable[..., None], hour: int, cost: str
) -> None:
    at(2025, 6, 10, hour)
    client = llm({"output_tokens": 500}, name="deepseek", model="deepseek-chat")
    client.complete("hi")
    latest = client.usage.latest_completion
    assert latest is not None
    assert (latest.cost, latest.happy_hour) == (Decimal(cost), hour == 17)


def test_row_022_totals_of_the_past_do_not_move_with_the_clock(
    llm: Callable[..., Llm], at: Callable[..., None]
) -> None:
    client = llm(pricing=HAPPY)
    at(2026, 1, 5, 17)
    client.complete("hi")
    at(2026, 1, 5, 12)
    assert client.usage.total_cost == Decimal("0.0006")
    client.complete("hi")
    assert client.usage.total_cost == Decimal("0.0018")


@settings(deadline=None)
@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_row_024_a_marginal_tier_is_continuous_and_charges_only_what_is_above(tokens: int, edge: int) -> None:
    tiers = {"threshold": edge, "strategy": "partial", "pricing": {"input": 3}}
    book = own_book({"input": 1, "output": 2, "dynamic": tiers})
    cost = own_cost(Usage.of({"input": tokens}), book).amount
    assert cost == Decimal(min(tokens, edge) + 3 * max(0, tokens - edge)) / 1_000_000


def test_row_024_a_full_tier_prices_the_whole_request() -> None:
    tiers = {"threshold": 1000, "strategy": "full", "pricing": {"input": 3, "output": 4, "cached": 1}}
    book = own_book({"input": 1, "output": 2, "cached": 0.5, "dynamic": tiers})
    usage = Usage.of({"input": 601, "cache_read": 400, "output": 10})
    # 601 x 3 + 400 x 1 + 10 x 4 = 2243 a million: tiers carry cached prices too
    assert own_cost(usage, book).amount == Decimal("0.002243")


def test_row_025_a_tier_by_volume_splits_the_call_over_the_edge_and_starts_anew_each_month(
    llm: Callable[..., Llm], at: Callable[..., None]
) -> None:
    tiers = {"threshold": 1500, "strategy": "month", "pricing": {"input": 1}}
    client = llm({"output_tokens": 0}, pricing={"input": 2, "output": 2, "dynamic": tiers})
    costs = []
    for month in (1, 1, 1, 2):
        at(2026, month, 3)
        client.complete("hi")
        assert client.usage.latest_completion is not None
        costs.append(client.usage.latest_completion.cost)
    # 1000 x 2, then 500 x 2 + 500 x 1, then 1000 x 1; the next month begins at the first price
    assert costs == [Decimal("0.002"), Decimal("0.0015"), Decimal("0.001"), Decimal("0.002")]


@pytest.mark.parametrize(
    "settings",
    [
        {"pricing": {"input": 1, "output": 1}, "dynamic": {"threshold": 1}},
        {"pricing": {"input": 1, "output": 1, "cache": 1}},
        {"pricing": {"input": 1, "dynamic": {"threshold": 5, "price": {}}}},
        {"pricing": {"input": 1, "happy_hour": {"from": "16:30"}}},
        {"prices": {"input": 1}},
    ],
)
def test_row_026_an_unknown_key_is_an_error_that_names_the_model(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="my-model"):
        LlmConfig(provider="openai", api_key="k", model="my-model", **settings)


def test_row_063_an_unknown_provider_is_a_value_error_and_the_key_is_never_shown() -> None:
    with pytest.raises(ValueError, match=r"there are .*openai"):
        LlmConfig(provider="nope", api_key="k", model="m")
    config = LlmConfig(provider="openai", api_key="very-secret", model="gpt-4o")
    assert config.api_key == "very-secret"
    assert "very-secret" not in f"{config!r} {config} {vars(config)} {Llm(config).__dict__}"


def test_row_063_a_provider_may_be_written_otherwise() -> None:
    assert LlmConfig(provider="gemini", model="gemini-2.5-pro").provider == "google"
    assert LlmConfig(provider="grok", model="grok-3").provider == "xai"


def test_row_064_complete_calls_the_registered_adapter(provider: Any, recorder: Recorders) -> None:
    adapter = provider("openai")
    config = LlmConfig(provider="openai", api_key="k", model="gpt-4o", temperature=0.5)
    assert Llm(config, recorder=recorder).complete("hi", "be kind") == "an answer"
    assert asyncio.run(Llm(config=config, recorder=recorder).acomplete("hi")) == "an answer"
    assert adapter.asked[0] == {"prompt": "hi", "system": "be kind", "temperature": 0.5}
    assert adapter.made_with == {"model": "gpt-4o", "api_key": "k"}


def test_row_027_a_client_agrees_with_every_other_entrance(llm: Callable[..., Llm]) -> None:
    client = llm({"output_tokens": 500}, pricing={"input": 5, "output": 15})
    client.complete("hi")
    assert float(client.usage.total_cost) == calculate_cost(
        UsageRecord("gpt-4o", 1000, 500, "2024-01-15T10:00:00Z")
    )
    assert client.usage.total_cost == Decimal("0.0125")


def test_row_065_usage_before_the_first_call_and_after_three(llm: Callable[..., Llm]) -> None:
    client = llm()
    assert client.usage.latest_completion is None
    assert (client.usage.total_tokens, f"{client.usage.total_cost:.4f}") == (0, "0.0000")
    for _ in range(3):
        client.complete("hi")
    # gpt-4o today: 1000 x 2.50 + 100 x 10 = 3,500 a million
    assert (client.usage.total_tokens, client.usage.total_cost) == (3300, Decimal("0.0105"))
    assert f"${client.usage.total_cost:.4f}" == "$0.0105"


def test_row_066_the_latest_completion_prints_without_exponents(llm: Callable[..., Llm]) -> None:
    client = llm({"input_tokens": 1, "output_tokens": 0}, pricing={"input": 0.01, "output": 1})
    client.complete("hi")
    latest = client.usage.latest_completion
    assert latest is not None
    assert f"${latest.cost}" == "$0.00000001"
    assert (latest.input_tokens, latest.output_tokens) == (1, 0)
    assert (latest.cached_tokens, latest.cache_writes) == (0, 0)
    assert latest.happy_hour is False
    assert str(latest) == "1 tokens in, 0 out, cost $0.00000001"


def test_row_065_a_call_whose_cost_is_known_in_part_is_counted_as_not_wholly_there(
    llm: Callable[..., Llm],
) -> None:
    client = llm({"reasoning_tokens": 0}, pricing={"input": 10})
    client.complete("hi")
    # 1000 x 10, a million; nobody knows the price of 100 tokens out
    assert (client.usage.total_cost, client.usage.unpriced_calls) == (Decimal("0.01"), 1)


def test_row_067_costs_of_several_clients_add_up(llm: Callable[..., Llm]) -> None:
    small = {"input_tokens": 1, "output_tokens": 0}
    one, two = llm(small, pricing={"input": 0.01}), llm(small, name="anthropic", pricing={"input": 0.02})
    one.complete("a")
    two.complete("b")
    assert f"${one.usage.total_cost + two.usage.total_cost}" == "$0.00000003"
    assert sum([one.usage.total_cost, two.usage.total_cost]) == Decimal("0.00000003")


NOTHING = {"input_tokens": 0, "output_tokens": 0}
FAILURE = {"success": False, "error": "overloaded", "error_type": "APIError", **NOTHING}


def test_row_068_failed_attempts_that_were_billed_are_counted(llm: Callable[..., Llm], kept: Kept) -> None:
    billed = {**FAILURE, "input_tokens": 1000}
    client = llm(billed, {}, retries=1)
    assert client.complete("hi") == "an answer"
    # 1000 x 2.50, then 1000 x 2.50 + 100 x 10, a million
    assert client.usage.total_cost == Decimal("0.006")
    assert [(record.success, record.retries) for record in kept.records] == [(False, 0), (True, 1)]


def test_row_068_another_model_takes_over(provider: Any, recorder: Recorders, kept: Kept) -> None:
    provider("openai", FAILURE)
    provider("anthropic")
    first = LlmConfig(provider="openai", api_key="k", model="gpt-4o")
    second = LlmConfig(provider="anthropic", api_key="k", model="claude-haiku-4-5")
    client = Llm(first, fallbacks=[second], recorder=recorder)
    assert client.complete("hi") == "an answer"
    assert [(record.provider, record.success, record.cost is None) for record in kept.records] == [
        ("openai", False, True),
        ("anthropic", True, False),
    ]
    assert client.usage.unpriced_calls == 1


def test_row_068_when_nothing_works_the_providers_error_is_the_cause(
    llm: Callable[..., Llm], kept: Kept
) -> None:
    cause = ConnectionError("no route")
    client = llm({**FAILURE, "cause": cause})
    with pytest.raises(CallError, match="APIError: overloaded") as caught:
        client.complete("hi")
    assert caught.value.__cause__ is cause
    assert len(kept.records) == 1


def test_a_cost_that_an_adapter_states_wins_over_the_book(llm: Callable[..., Llm], kept: Kept) -> None:
    llm({"cost_usd": 0.25}).complete("hi")
    assert (kept.only.cost, kept.only.cost_status) == (Decimal("0.25"), "reported")


def test_whom_a_call_is_for_is_on_its_record(llm: Callable[..., Llm], kept: Kept) -> None:
    llm().complete("hello", agent_id="a", action_id="b", session_id="s", workspace="w", user_id=5)
    record = kept.only
    assert (record.agent, record.action, record.session, record.workspace) == ("a", "b", "s", "w")
    assert (record.user, record.prompt_length, record.provider) == ("5", 5, "openai")


def test_an_adapter_that_cannot_stream_gives_one_piece(llm: Callable[..., Llm], kept: Kept) -> None:
    assert list(llm().stream("hi")) == ["an answer"]
    assert len(kept.records) == 1


@given(st.decimals(0, 10**9, places=18), st.decimals(0, 10**9, places=18))
def test_money_prints_plainly_and_adds_up_exactly(one: Decimal, two: Decimal) -> None:
    total = Money(one) + Money(two)
    assert "E" not in f"{total}{total!s}{Money(one) + two}{two + Money(one)}"
    assert total == Decimal(str(one)) + Decimal(str(two))
    assert Decimal(str(total)) == total


@given(st.floats(0, 1, allow_subnormal=False))
def test_a_plain_float_is_the_same_number(number: float) -> None:
    assert math.isclose(float(str(PlainFloat(number))), number, rel_tol=0)
    assert "e" not in f"{PlainFloat(number)}"


def test_calls_begin_at_the_machines_time(llm: Callable[..., Llm], kept: Kept) -> None:
    before = datetime.now(UTC)
    llm().complete("hi")
    assert before <= kept.only.at <= datetime.now(UTC)


class Broken:
    """An adapter that raises in place of saying that it failed."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)

    def call(self, prompt: str, **_options: Any) -> LLMResponse:
        if self.errors:
            raise self.errors.pop(0)
        return LLMResponse(prompt, 10, 5, 0.1, 1.0, success=True, provider="p", model="m")


@pytest.fixture
def broken(recorder: Recorders) -> Iterator[Callable[..., Llm]]:
    def make(*errors: BaseException, **settings: Any) -> Llm:
        adapter = Broken(*errors)
        default.register("broken", lambda **_: adapter)
        return Llm(LlmConfig("broken", model="m", **settings), recorder=recorder)

    yield make
    default.unregister("broken")


def test_row_068_an_adapter_that_raises_has_failed_and_is_asked_again(
    broken: Callable[..., Llm], kept: Kept
) -> None:
    client = broken(ConnectionError("Bearer abcdefgh12345678 was refused"), retries=1)
    assert client.complete("hi") == "hi"
    failed, _ = kept.records
    assert (failed.status, failed.error_type, failed.cost) == ("error", "ConnectionError", None)
    with pytest.raises(CallError, match=r"ConnectionError: \[key\] was refused") as raised:
        broken(ConnectionError("Bearer abcdefgh12345678 was refused")).complete("hi")
    assert raised.value.__cause__ is None  # it repeats the key


@pytest.mark.parametrize("ending", [KeyboardInterrupt(), SystemExit(3)])
def test_a_call_that_is_broken_off_is_recorded(
    broken: Callable[..., Llm], kept: Kept, ending: BaseException
) -> None:
    """It was sent, and may be billed."""
    client = broken(ending, retries=3)
    with pytest.raises(type(ending)) as raised:
        client.complete("hi")
    assert raised.value is ending
    assert (kept.only.status, kept.only.error_type) == ("error", type(ending).__name__)
    assert client.usage.calls == 1
