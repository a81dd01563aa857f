"""Golden values: what a bill must say, reckoned by hand from the published prices."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from outlay.core.cost import Cost
from outlay.extract import read
from outlay.pricing import cost_of

MILLION = 1_000_000
SONNET = "anthropic/claude-sonnet-4-5"
NOVA = "amazon.nova-pro-v1:0"


SUNDAY_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def charge(model: str, counts: dict[str, int], at: str | None = None, **terms: Any) -> Cost:
    """Price counts of ``provider/model``; without a provider the text starts with the slash."""
    provider, _, name = model.partition("/")
    moment = SUNDAY_NOON if at is None else datetime.fromisoformat(at)
    return cost_of(counts, provider=provider or None, model=name, at=moment, **terms)


@pytest.mark.parametrize(
    ("model", "counts", "at", "terms", "amount"),
    [
        # o3 fell from 10 to 2 dollars on 10 June 2025; batch is half.
        ("openai/o3", {"input": MILLION}, "2025-06-01", {}, "10"),
        ("openai/o3", {"input": MILLION}, "2025-07-01", {}, "2"),
        ("openai/o3", {"input": MILLION}, "2026-11-01", {"batch": "true"}, "1"),
        # Tariffs, below and above 272,000 tokens.
        ("openai/gpt-5.4", {"input": 100_000}, None, {}, "0.25"),
        ("openai/gpt-5.4", {"input": 100_000}, None, {"service_tier": "priority"}, "0.5"),
        ("openai/gpt-5.4", {"input": 100_000}, None, {"service_tier": "flex"}, "0.125"),
        ("openai/gpt-5.4", {"input": 300_000}, None, {}, "1.5"),
        ("openai/gpt-5.6-sol", {"input": MILLION}, "2026-08-01", {}, "10"),
        ("openai/gpt-5.6-sol", {"input": MILLION}, "2026-08-22", {}, "8"),
        # 150,000 x 3 and 250,000 x 6 a million: above 200,000 the whole request is dearer.
        (SONNET, {"input": 150_000}, None, {}, "0.45"),
        (SONNET, {"input": 250_000}, None, {}, "1.5"),
        (SONNET, {"cache_write": 100_000}, None, {}, "0.375"),
        (SONNET, {"cache_write_1h": 100_000}, None, {}, "0.60"),
        # 30 + 375 + 1200 + 300 + 750 micro-dollars, and 2 searches at a cent.
        (
            SONNET,
            {
                "input": 10,
                "cache_write": 100,
                "cache_write_1h": 200,
                "cache_read": 1000,
                "output": 50,
                "web_search": 2,
            },
            None,
            {},
            "0.022655",
        ),
        (SONNET, {"input": 100_000}, "2026-11-01", {"batch": "true"}, "0.15"),
        (SONNET, {"input": 100_000}, "2026-09-01", {"batch": "true"}, "0.15"),
        (SONNET, {"input": MILLION}, "2026-09-01", {"batch": "true"}, "3"),
        # 600 x 2.5 + 400 x 1.25 + 100 x 10 a million.
        (
            "openai/gpt-4o",
            {"input_tokens": 1000, "cached_tokens": 400, "output_tokens": 100, "reasoning_tokens": 10},
            None,
            {},
            "0.003",
        ),
        ("openai/gpt-4o", {"input": 1000, "output": 500}, "2024-06-01", {}, "0.0125"),
        ("openai/gpt-4o", {"input": 1000, "output": 500}, "2025-01-01", {}, "0.0075"),
        ("openai/gpt-4o", {"input": MILLION, "output": MILLION}, "2024-06-01", {}, "20"),
        ("openai/gpt-4o", {"input": MILLION, "output": MILLION}, "2025-01-01", {}, "12.5"),
        ("openai/gpt-4o", {"input": 1500, "output": 300}, None, {}, "0.00675"),
        # 250,000 x 2.5 + 1,000 x 15 a million; exactly 200,000 stays at 1.25 and 10.
        ("google/gemini-2.5-pro", {"input": 250_000, "output": 1000}, None, {}, "0.64"),
        ("google/gemini-2.5-pro", {"input": 200_000, "output": 1000}, None, {}, "0.26"),
        # 2000 x 1.25 + 3000 x 0.125 + 400 x 10 a million.
        ("google/gemini-2.5-pro", {"input": 2000, "cache_read": 3000, "output": 400}, None, {}, "0.006875"),
        # 30 + 3.75 + 15 micro-dollars: ((prompt - cached) x .30 + cached x .075 + all output x .50).
        (
            "xai/grok-3-mini",
            {"input": 100, "cache_read": 50, "output": 10, "reasoning": 20},
            None,
            {},
            "0.00004875",
        ),
        (f"bedrock/eu.{NOVA}", {"input": MILLION}, None, {}, "1.05"),
        (f"bedrock/apac.{NOVA}", {"input": MILLION}, None, {}, "0.84"),
        (f"bedrock/{NOVA}", {"input": MILLION}, None, {}, "0.80"),
        # The demonstration's own models, by their own name or under any provider.
        ("mock-fast/mock-fast", {"input": 129, "output": 207}, None, {}, "0.000075"),
        ("mock-balanced/mock-balanced", {"input": 129, "output": 207}, None, {}, "0.0023925"),
        ("/mock-premium", {"input": 129, "output": 207}, None, {}, "0.01746"),
    ],
)
def test_golden(
    model: str, counts: dict[str, int], at: str | None, terms: dict[str, str], amount: str
) -> None:
    cost = charge(model, counts, at, **terms)
    assert cost.amount == Decimal(amount)
    assert cost.status == "priced"
    assert not cost.flags


@pytest.mark.parametrize(
    ("model", "amount"),  # 1000 in, 500 out on 15 June 2024, at the prices of that day
    [
        ("openai/gpt-3.5-turbo", "0.00125"),
        ("openai/gpt-4o-mini", "0.00045"),
        ("openai/gpt-4o", "0.0125"),
        ("anthropic/claude-3-haiku-20240307", "0.000875"),
        ("anthropic/claude-3-5-sonnet-20240620", "0.0105"),
        ("anthropic/claude-3-opus-20240229", "0.0525"),
    ],
)
def test_prices_of_june_2024(model: str, amount: str) -> None:
    assert charge(model, {"input": 1000, "output": 500}, "2024-06-15").amount == Decimal(amount)


def test_an_embedding_has_input_alone() -> None:
    cost = charge("openai/text-embedding-3-small", {"input": 1000}, "2024-06-15")
    assert (cost.amount, cost.status) == (Decimal("0.00002"), "priced")


def test_pages_that_ocr_annotates_are_charged_beside_those_that_it_reads() -> None:
    # mistral.ai/pricing, OCR 3: $2 for 1,000 pages, $3 for 1,000 annotated ones; 3 x 0.002 + 2 x 0.003
    body = {
        "model": "mistral-ocr-2512",
        "usage_info": {"pages_processed": 3, "pages_processed_annotation": 2},
    }
    cost = cost_of(read(body, provider="mistral", api="ocr"), provider="mistral")
    assert (cost.amount, cost.status) == (Decimal("0.012"), "priced")


def test_xais_tools_are_charged_whichever_of_their_names_a_response_has() -> None:
    # docs.x.ai: $5 for 1,000 runs of code, $2.50 for 1,000 searches of collections; 2 x 0.005 + 4 x 0.0025
    calls = {"code_interpreter_calls": 2, "file_search_calls": 4}
    counts = {
        "input_tokens": 0,
        "output_tokens": 0,
        "total_tokens": 0,
        "server_side_tool_usage_details": calls,
    }
    body = {"model": "grok-4.3", "usage": counts}
    cost = cost_of(read(body, provider="xai", api="responses"), provider="xai")
    assert (cost.amount, cost.status) == (Decimal("0.02"), "priced")


def test_a_call_before_the_first_known_price_takes_it_and_says_so() -> None:
    cost = charge("openai/gpt-4o", {"input": 1000, "output": 500}, "2024-01-15")
    assert cost.amount == Decimal("0.0125")
    assert cost.flags == ("extrapolated",)
    assert cost.price is not None
    assert cost.price.extrapolated


@pytest.mark.parametrize(
    ("at", "amount"),  # 0.27 and 1.10 by day, 0.135 and 0.55 from 16:30 to 00:30 UTC
    [
        ("2025-06-10T17:00Z", "0.00041"),
        ("2025-06-10T12:00Z", "0.00082"),
        ("2025-06-10T23:59:59Z", "0.00041"),
        ("2025-06-11T00:29:59Z", "0.00041"),
        ("2025-06-11T00:30Z", "0.00082"),
        ("2025-06-11T16:29:59Z", "0.00082"),
        ("2025-06-11T16:30Z", "0.00041"),
        ("2025-06-10T19:00+02:00", "0.00041"),  # the same instant in another zone
        ("2025-09-05T17:00Z", "0.00140"),  # the discount ended an hour before: 0.56 and 1.68
    ],
)
def test_the_hours_of_deepseek_chat(at: str, amount: str) -> None:
    assert charge("deepseek/deepseek-chat", {"input": 1000, "output": 500}, at).amount == Decimal(amount)


@pytest.mark.parametrize(
    ("at", "rate"),
    [
        ("2026-07-01T02:00Z", "0.435"),  # before the change there were no peak hours
        ("2026-08-16T15:59:59Z", "0.435"),
        ("2026-08-16T16:00:00Z", "0.66"),  # an instant, not a date
        ("2026-08-24T02:00Z", "1.32"),  # a Monday, in the peak
        ("2026-08-24T05:00Z", "0.66"),  # between the two peaks
        ("2026-08-24T06:00Z", "1.32"),
        ("2026-08-24T10:00Z", "0.66"),
        ("2026-08-23T02:00Z", "0.66"),  # a Sunday
        ("2026-10-01T02:00Z", "0.66"),  # a Thursday, but a public holiday in China
    ],
)
def test_the_hours_of_deepseek_v4_pro(at: str, rate: str) -> None:
    assert charge("deepseek/deepseek-v4-pro", {"input": MILLION}, at).amount == Decimal(rate)


@pytest.mark.parametrize(
    ("model", "at", "rate"),
    [
        ("deepseek/deepseek-chat", "2026-04-23", "0.28"),  # row 4: not the price of 2025
        ("deepseek/deepseek-reasoner", "2026-04-23", "0.28"),
        ("deepseek/deepseek-chat", "2026-06-01", "0.14"),  # … and V4-Flash until they were retired
        ("deepseek/deepseek-reasoner", "2026-06-01", "0.14"),
        ("deepseek/deepseek-v3.2", "2026-06-01", "0.28"),  # row 5
        ("mistral/mistral-large-latest", "2026-11-01", "0.5"),  # row 6: Large 3
        ("mistral/mistral-large-latest", "2025-06-01", "2"),  # … and Large 2 before
        ("mistral/mistral-medium", "2025-09-01", "0.4"),  # row 7: 3.1
        ("mistral/mistral-medium", "2026-11-01", "1.5"),  # … and 3.5 now
        ("mistral/magistral-medium-latest", "2026-05-21", "2"),  # row 8: until it was retired
        ("mistral/magistral-medium-latest", "2026-05-22", "1.5"),
        ("mistral/mistral-large-4", "2026-10-19", "0.68"),  # row 9: three prices in ten days
        ("mistral/mistral-large-4", "2026-10-20", "1.36"),
        ("mistral/mistral-large-4", "2026-10-29", "0.7"),
        ("xai/grok-code-fast-1", "2026-05-14", "0.2"),  # row 10: before the redirect
        ("xai/grok-code-fast-1", "2026-05-15", "2"),  # a million tokens are above 200,000
        ("google/gemini-3.8-flash-cyber", "2026-11-01", "1.5"),  # row 14: twice the flash price
        ("google/gemini-3.8-flash", "2026-11-01", "0.75"),
        ("azure/gpt-4-turbo", "2026-11-01", "10"),  # row 15: global
        ("azure/text-embedding-3-small", "2026-11-01", "0.02"),
    ],
)
def test_where_the_sources_disagree(model: str, at: str, rate: str) -> None:
    assert charge(model, {"input": MILLION}, at).amount == Decimal(rate)


@pytest.mark.parametrize(
    ("model", "at", "terms", "amount"),  # a million tokens each: input, cached, output
    [
        ("openai/gpt-5.6-sol", "2026-08-20", {"service_tier": "flex"}, "17.75"),  # 2.50 + 0.25 + 15
        ("openai/gpt-5.6-sol", "2026-08-21", {"service_tier": "flex"}, "12.2"),  # 2 + 0.20 + 10
        ("openai/gpt-5.6-sol", "2026-08-20", {"service_tier": "priority"}, "71"),  # 10 + 1 + 60
        ("openai/gpt-5.6-sol", "2026-08-20", {"batch": "true"}, "17.75"),
        ("openai/gpt-5.6-luna", "2026-07-29", {"service_tier": "priority"}, "14.2"),  # 2 + 0.20 + 12
        ("openai/gpt-5.6-terra", "2026-07-29", {"service_tier": "flex"}, "8.875"),  # 1.25 + 0.125 + 7.50
        ("bedrock/openai.gpt-5.6-sol", "2026-08-20", {}, "39.05"),  # 5.50 + 0.55 + 33
        ("bedrock/openai.gpt-5.6-sol", "2026-08-21", {}, "26.84"),  # 4.40 + 0.44 + 22
        ("bedrock/openai.gpt-5.6-luna", "2026-07-29", {}, "7.81"),  # 1.10 + 0.11 + 6.60
        ("bedrock/openai.gpt-5.6-luna", "2026-07-30", {}, "1.562"),  # four fifths less
        ("bedrock/openai.gpt-5.6-terra", "2026-07-29", {}, "19.525"),  # 2.75 + 0.275 + 16.50
        ("bedrock/eu.openai.gpt-5.6-terra", "2026-07-29", {}, "19.525"),
        ("bedrock/openai.gpt-5.6-luna", "2026-07-29", {"endpoint": "mantle", "region": "us"}, "7.81"),
        ("azure/gpt-5.6-luna", "2026-07-29", {}, "7.1"),  # 1 + 0.10 + 6
        ("azure/gpt-5.6-sol", "2026-08-20", {"deployment": "eu"}, "39.05"),
        ("azure/gpt-5.6-sol", "2026-08-20", {"service_tier": "priority"}, "71"),
        ("openai/o3", "2025-06-09", {}, "52.5"),  # 10 + 2.50 + 40
        ("openai/o3", "2025-06-10", {}, "10.5"),  # 2 + 0.50 + 8
        ("openai/o1-mini", "2025-01-30", {}, "16.5"),  # 3 + 1.50 + 12
        ("openai/o1-mini", "2025-01-31", {}, "6.05"),  # 1.10 + 0.55 + 4.40
        ("deepseek/deepseek-chat", "2025-02-08T15:59Z", {}, "0.434"),  # 0.14 + 0.014 + 0.28
        ("deepseek/deepseek-chat", "2025-02-08T16:00Z", {}, "1.44"),  # 0.27 + 0.07 + 1.10
        ("deepseek/deepseek-reasoner", "2025-01-20", {}, "2.88"),  # 0.55 + 0.14 + 2.19
        ("deepseek/deepseek-chat", "2026-04-24", {}, "0.448"),  # 0.14 + 0.028 + 0.28
        ("deepseek/deepseek-v4-flash", "2026-04-26T12:14Z", {}, "0.448"),
        ("deepseek/deepseek-v4-flash", "2026-04-26T12:15Z", {}, "0.4228"),  # cached input at a tenth
        ("xai/grok-3", "2026-05-15T18:59Z", {}, "18.75"),  # 3 + 0.75 + 15
        ("xai/grok-4", "2026-05-15T19:00Z", {}, "7.9"),  # grok-4.3 of more than 200,000: 2.50 + 0.40 + 5
        ("xai/grok-4-1-fast", "2026-05-15T19:00Z", {}, "7.9"),
        ("xai/grok-4.20-beta-0309-reasoning", "2026-04-29", {}, "16.4"),  # 4 + 0.40 + 12
        ("xai/grok-4.20-beta-0309-reasoning", "2026-04-30", {}, "7.9"),
    ],
)
def test_a_call_of_before_a_price_moved_has_the_price_of_its_day(
    model: str, at: str, terms: dict[str, str], amount: str
) -> None:
    counts = {"input": MILLION, "cache_read": MILLION, "output": MILLION}
    if "gpt-5.6" in model:  # above 272,000 tokens it is dearer
        counts = dict.fromkeys(counts, 100_000)
        amount = str(Decimal(amount) / 10)
    cost = charge(model, counts, at, **terms)
    assert (cost.amount, cost.status, cost.flags) == (Decimal(amount), "priced", ())


@pytest.mark.parametrize("provider", ["anthropic", "vertex"])
def test_sonnet_4_is_dearer_above_200_000_tokens_wherever_it_is_served(provider: str) -> None:
    # 250,000 x 6, 10,000 x 0.60, 5,000 x 7.50 and 50,000 x 22.50 a million; at 200,000 it is 3
    counts = {"input": 250_000, "cache_read": 10_000, "cache_write": 5_000, "output": 50_000}
    model = f"{provider}/claude-sonnet-4-20250514"
    assert charge(model, counts, "2025-12-01").amount == Decimal("2.6685")
    assert charge(model, {"input": 200_000}, "2025-12-01").amount == Decimal("0.6")
    assert charge(model, counts, "2025-12-01", batch="true").amount == Decimal("1.33425")


@pytest.mark.parametrize(
    ("model", "tokens", "amount"),
    [
        ("grok-4-fast", 127_999, "0.0260998"),  # x 0.20, and 1,000 x 0.50 a million
        ("grok-4-fast", 128_000, "0.0522"),  # x 0.40, and 1,000 x 1
        ("grok-4-1-fast-reasoning", 200_000, "0.081"),
        ("grok-4", 128_000, "0.798"),  # x 6, and 1,000 x 30
        ("grok-4-0709", 100_000, "0.315"),
    ],
)
def test_grok_4_was_dearer_from_128_000_tokens_on(model: str, tokens: int, amount: str) -> None:
    cost = charge(f"xai/{model}", {"input": tokens, "output": 1000}, "2025-12-01")
    assert (cost.amount, cost.flags) == (Decimal(amount), ())


@pytest.mark.parametrize("provider", ["google", "vertex"])
@pytest.mark.parametrize(
    ("model", "before", "since"),  # 100,000 cached tokens
    [
        ("gemini-2.5-pro", "0.03125", "0.0125"),
        ("gemini-2.5-flash", "0.0075", "0.003"),
        ("gemini-2.5-flash-lite", "0.0025", "0.001"),
    ],
)
def test_what_gemini_2_5_reads_from_a_cache_fell_to_a_tenth(
    provider: str, model: str, before: str, since: str
) -> None:
    counts = {"cache_read": 100_000}
    then, between, now = (
        charge(f"{provider}/{model}", counts, day) for day in ("2025-09-23", "2025-10-01", "2025-10-23")
    )
    assert (then.amount, then.flags) == (Decimal(before), ("unproven",) if model == "gemini-2.5-pro" else ())
    assert (between.amount, between.flags) == (Decimal(since), ("unproven",))
    assert (now.amount, now.flags) == (Decimal(since), ())


@pytest.mark.parametrize(("day", "amount"), [("2025-12-02", "0.0002"), ("2025-12-03", "0.0127")])
def test_tools_of_xai_were_free_until_3_december_2025(day: str, amount: str) -> None:
    # 1,000 x 0.20 a million; then 2 searches at 0.005 and one of collections at 0.0025
    counts = {"input": 1000, "web_search": 2, "collections_search": 1}
    cost = charge("xai/grok-4-1-fast", counts, day)
    assert (cost.amount, cost.status) == (Decimal(amount), "priced")


def test_a_live_search_of_xai_is_charged_by_the_source_that_it_used() -> None:
    # 100 x 3, 10 x 15 a million, 5 sources at 0.025
    body = {
        "model": "grok-3",
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110, "num_sources_used": 5},
    }
    usage = read(body, provider="xai", api="chat")
    then, since = (
        cost_of(usage, provider="xai", model="grok-3", at=datetime.fromisoformat(day))
        for day in ("2025-08-10T00:00Z", "2026-01-12T00:00Z")
    )
    assert (then.amount, then.status) == (Decimal("0.12545"), "priced")
    assert (since.amount, since.status) == (Decimal("0.00045"), "partial")  # nobody tells a price of today


@pytest.mark.parametrize(
    ("model", "at", "amount"),  # a million in and out
    [
        ("ministral-3b-latest", "2025-12-01", "0.08"),  # Ministral 3B of 2024, and Ministral 3 since
        ("ministral-3b-latest", "2025-12-02", "0.2"),
        ("mistral-small-latest", "2025-01-29", "0.8"),  # Small 2, 3 and 4
        ("mistral-small-latest", "2025-01-30", "0.4"),
        ("mistral-small-latest", "2026-03-16", "0.75"),
        ("mistral-medium-latest", "2025-05-06", "10.8"),  # the first Medium, and Medium 3
        ("mistral-medium", "2025-05-06", "10.8"),
        ("mistral-medium", "2025-05-07", "2.4"),
        ("magistral-small-latest", "2025-10-01", "2"),
        ("devstral-2512", "2026-01-26", "0"),  # free of charge until 27 January 2026
        ("devstral-2512", "2026-01-27", "2.4"),
    ],
)
def test_a_name_of_mistral_is_charged_as_what_it_stood_for(model: str, at: str, amount: str) -> None:
    cost = charge(f"mistral/{model}", {"input": MILLION, "output": MILLION}, at)
    assert (cost.amount, cost.flags) == (Decimal(amount), ())


def test_azures_regional_card_is_by_deployment() -> None:
    cost = charge("azure/gpt-4-turbo", {"input": MILLION, "output": MILLION}, deployment="regional")
    assert cost.amount == Decimal(44)


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("text-embedding-3-large", "0.13"),
        ("eu/text-embedding-3-large", "0.143"),
        ("us-gov/text-embedding-3-large", "0.163"),
        ("us/text-embedding-3-small", "0.022"),
        ("eu/text-embedding-ada-002", "0.11"),
    ],
)
def test_azures_embeddings_cost_a_tenth_more_in_a_data_zone(name: str, rate: str) -> None:
    assert charge(f"azure/{name}", {"input": MILLION}, "2026-11-01").amount == Decimal(rate)


@pytest.mark.parametrize(
    ("region", "rate"),  # rows 11 to 13
    [("global", "0.3"), ("us", "0.33"), ("eu", "0.33"), ("jp", "0.33"), ("us-gov", "0.36")],
)
def test_bedrocks_profiles_are_a_price_dimension(region: str, rate: str) -> None:
    model = "anthropic.claude-sonnet-4-5-20250929-v1:0"
    by_name = charge(f"bedrock/{region}.{model}", {"input": 100_000})
    by_term = charge(f"bedrock/{model}", {"input": 100_000}, region=region)
    assert by_name.amount == by_term.amount == Decimal(rate)


@pytest.mark.parametrize(("tokens", "rate"), [(199_999, "1.25"), (200_000, "2.5"), (200_001, "2.5")])
def test_xai_is_dearer_from_the_threshold_on(tokens: int, rate: str) -> None:
    cost = charge("xai/grok-4.3", {"input": tokens}, "2026-11-01")
    assert cost.amount == Decimal(tokens) * Decimal(rate) / MILLION


def test_a_tier_reprices_all_units_by_the_whole_input() -> None:
    # 150,000 fresh and 60,000 cached are 210,000: 2.5, 0.25 and 15 a million.
    cost = charge("google/gemini-2.5-pro", {"input": 150_000, "cache_read": 60_000, "output": 1000})
    assert cost.amount == Decimal("0.375") + Decimal("0.015") + Decimal("0.015")


@pytest.mark.parametrize(
    ("model", "terms", "rate"),
    [
        ("anthropic/claude-opus-4-6", {"geo": "us"}, "5.5"),  # Anthropic: US inference, a tenth more
        ("anthropic/claude-opus-4-6", {"geo": "global"}, "5"),
        ("anthropic/claude-opus-4-6", {"geo": "not_available"}, "5"),
        ("anthropic/claude-sonnet-4-5", {"geo": "us"}, "3"),  # only Opus 4.6 and newer
        ("openai/gpt-5.4", {"geo": "eu"}, "2.75"),  # OpenAI: regional processing
        ("vertex/claude-opus-4-6", {"region": "europe-west1"}, "5.5"),  # Vertex: not the global endpoint
        ("vertex/claude-opus-4-6", {"region": "global"}, "5"),
        ("anthropic/claude-opus-4-6", {"geo": "us", "batch": "true"}, "2.75"),  # half, then a tenth more
    ],
)
def test_uplifts_stand_in_the_rate(model: str, terms: dict[str, str], rate: str) -> None:
    cost = charge(model, {"input": 100_000}, **terms)
    assert cost.lines[0].rate == Decimal(rate)
    assert cost.amount == Decimal(rate) / 10


def test_served_tiers_by_other_names() -> None:
    # Standard service under each of its names, and OpenAI's fast, which is priority.
    for name in ("default", "standard", "auto", "ON_DEMAND", ""):
        assert charge("openai/gpt-5.4", {"input": 100_000}, service_tier=name).amount == Decimal("0.25")
    assert charge("openai/gpt-5.4", {"input": 100_000}, service_tier="fast").amount == Decimal("0.5")
    assert charge("anthropic/claude-sonnet-4-5", {"input": 100_000}, service_tier="batch").amount == Decimal(
        "0.15"
    )


def test_a_tariff_applies_to_every_unit() -> None:
    # gpt-5 flex: 0.625 in, 0.0625 cached, 5 out; reasoning is output.
    cost = charge(
        "openai/gpt-5",
        {"input": 1000, "cache_read": 1000, "output": 1000, "reasoning": 1000},
        service_tier="flex",
    )
    assert cost.amount == Decimal("0.0106875")


def test_an_unlisted_tariff_is_said_aloud() -> None:
    batch = charge("deepseek/deepseek-v4-pro", {"input": MILLION}, batch="true")
    assert (batch.amount, batch.flags) == (Decimal("0.33"), ("assumed_tier",))
    assert batch.reason is not None
    assert "half" in batch.reason
    flex = charge("deepseek/deepseek-v4-pro", {"input": MILLION}, service_tier="flex")
    assert (flex.amount, flex.flags) == (Decimal("0.66"), ("assumed_tier",))
    assert flex.reason is not None
    assert "flex" in flex.reason


def test_a_tariff_of_one_place_does_not_hold_in_another() -> None:
    # Nova Pro has a priority rate of 1.40 at its base price; in the EU only the standard 1.05 is listed.
    assert charge(f"bedrock/{NOVA}", {"input": MILLION}, service_tier="priority").amount == Decimal("1.4")
    there = charge(f"bedrock/eu.{NOVA}", {"input": MILLION}, service_tier="priority")
    assert (there.amount, there.flags) == (Decimal("1.05"), ("assumed_tier",))


def test_stated_xai_costs_to_the_tick() -> None:
    # What xAI itself charged for calls with tools, tokens and fees together.
    counts = {"input": 3641, "cache_read": 2048, "output": 199, "reasoning": 245, "web_search": 2}
    assert charge("xai/grok-4.3", counts, "2026-11-01").amount == Decimal("0.01607085")
    counts = {"input": 1265, "cache_read": 1152, "output": 120, "collections_search": 1}
    assert charge("xai/grok-4.3", counts, "2026-11-01").amount == Decimal("0.00461165")


THOUSAND = {"input": 1000, "output": 100}


@pytest.mark.parametrize(
    ("model", "terms", "amount"),
    [
        # A bare id without a place is global inference: 1000 x 2 + 100 x 10 a million.
        ("openai.gpt-6-sol", {}, "0.003"),
        # In its own region a tenth more: 1000 x 2.2 + 100 x 11.
        ("openai.gpt-6-sol", {"endpoint": "mantle", "region": "us-east-1"}, "0.0033"),
        ("openai.gpt-6-sol", {"endpoint": "mantle", "region": "eu-north-1"}, "0.0033"),
        # 1000 x 0.11 + 100 x 0.55.
        ("openai.gpt-6-luna", {"endpoint": "mantle", "region": "us-west-2"}, "0.000165"),
        # Claude by geography: 1000 x 5.5 + 100 x 27.5, and 1000 x 3.3 + 100 x 16.5 in Tokyo and Sydney.
        ("anthropic.claude-opus-4-7", {"endpoint": "mantle", "region": "eu-central-1"}, "0.00825"),
        ("anthropic.claude-sonnet-4-6", {"endpoint": "mantle", "region": "ap-northeast-1"}, "0.00495"),
        ("anthropic.claude-sonnet-4-6", {"endpoint": "mantle", "region": "ap-southeast-2"}, "0.00495"),
        ("anthropic.claude-sonnet-4-6", {"endpoint": "mantle", "region": "ap-south-1"}, "0.00495"),
        # Government regions: 1000 x 4.8 + 100 x 24.
        ("anthropic.claude-opus-5-5", {"endpoint": "mantle", "region": "us-gov-west-1"}, "0.0072"),
        # A profile's prefix decides, whatever the endpoint: 1000 x 5 + 100 x 25.
        ("global.anthropic.claude-opus-4-7", {"endpoint": "mantle", "region": "eu-central-1"}, "0.0075"),
        ("us.anthropic.claude-opus-4-7", {"region": "us-east-1"}, "0.00825"),
        # Models that AWS lists at one price: 1000 x 0.15 + 100 x 0.6, and 1000 x 5.5 + 100 x 33 either way.
        ("openai.gpt-oss-120b", {"endpoint": "mantle", "region": "us-east-1"}, "0.00021"),
        ("openai.gpt-5.5", {"endpoint": "mantle", "region": "us-east-2"}, "0.0088"),
        ("openai.gpt-5.5", {}, "0.0088"),
    ],
)
def test_the_mantle_endpoint_serves_in_its_own_region(model: str, terms: dict[str, str], amount: str) -> None:
    cost = charge(f"bedrock/{model}", THOUSAND, **terms)
    assert (cost.amount, cost.status) == (Decimal(amount), "priced")


@pytest.mark.parametrize(
    ("model", "counts", "terms", "amount"),
    [
        # 1000 x 3.2 + 100 x 9.71 a million, where one list had a thousandfold.
        ("azure/jais-30b-chat", THOUSAND, {}, "0.004171"),
        # 1000 x 1.8 + 100 x 1.8.
        ("watsonx/core42/jais-13b-chat", THOUSAND, {}, "0.00198"),
        # 1000 x 4 + 100 x 16 worldwide, 1000 x 4.4 + 100 x 17.6 in the US.
        ("azure/gpt-realtime-1.5", THOUSAND, {}, "0.0056"),
        ("azure/us/gpt-realtime-1.5", THOUSAND, {}, "0.00616"),
        # 1000 x 35.2 + 100 x 70.4.
        ("azure/us/gpt-realtime-2.1", {"input_audio": 1000, "output_audio": 100}, {}, "0.04224"),
    ],
)
def test_what_a_list_had_wrong_or_left_out(
    model: str, counts: dict[str, int], terms: dict[str, str], amount: str
) -> None:
    cost = charge(model, counts, **terms)
    assert (cost.amount, cost.status) == (Decimal(amount), "priced")
