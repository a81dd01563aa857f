"""Names: what must resolve, what must not, and what must never be mixed up."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from outlay.core.cost import Cost
from outlay.pricing import Book, RateCard, Unpriced, cost_of
from outlay.pricing.names import Reading, normal, readings, undated

SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"


SUNDAY_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def charge(model: str, counts: dict[str, int], at: str | None = None, **terms: Any) -> Cost:
    """Price counts of ``provider/model``; without a provider the text starts with the slash."""
    provider, _, name = model.partition("/")
    moment = SUNDAY_NOON if at is None else datetime.fromisoformat(at)
    return cost_of(counts, provider=provider or None, model=name, at=moment, **terms)


@pytest.mark.parametrize(
    ("model", "rate"),  # dollars per million input tokens
    [
        ("openai/gpt-4o-2024-08-06", "2.5"),
        ("openai/GPT-4o", "2.5"),
        ("openai/ gpt-4o ", "2.5"),
        ("openai/gpt-5.2-20251211", "1.75"),
        ("openai/gpt-5.2-2025-12-11", "1.75"),
        ("/openai/gpt-4o", "2.5"),
        ("litellm/openai/gpt-4o", "2.5"),
        ("google/models/gemini-2.5-pro", "1.25"),
        ("/models/gemini-2.5-pro", "1.25"),
        ("/text-embedding-3-small", "0.02"),
        ("/anthropic/claude-sonnet-4-5", "3"),
        ("/azure/gpt-4o", "2.5"),
        (f"/bedrock/{SONNET}", "3"),
        ("/vertex_ai/claude-sonnet-4-5@20250929", "3"),
        ("/claude-sonnet-4-5-20250929", "3"),
        ("anthropic/claude-sonnet-4-5-20250929", "3"),
        ("anthropic/claude-sonnet-4.5", "3"),
        ("vertex/claude-sonnet-4-5@20250929", "3"),
        ("vertex/publishers/anthropic/models/claude-sonnet-4-5@20250929", "3"),
        ("anthropic/claude-3-5-sonnet-20241022", "3"),
        ("anthropic/claude-opus-4-6[1m]", "5"),
        (f"bedrock/{SONNET}", "3"),
        (f"bedrock/global.{SONNET}", "3"),
        (f"bedrock/us.{SONNET}", "3.3"),
        (f"/us.{SONNET}", "3.3"),
        (f"/{SONNET}", "3"),
        ("bedrock/us.anthropic.claude-sonnet-4-5-20250929", "3.3"),
        ("bedrock/claude-sonnet-4-5", "3"),
        (f"bedrock/arn:aws:bedrock:us-east-1::foundation-model/{SONNET}", "3"),
        (f"bedrock/arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{SONNET}", "3.3"),
        (f"/arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.{SONNET}", "3.3"),
        ("openai/ft:gpt-4o-2024-08-06:org::id", "3.75"),
        ("openrouter/openai/gpt-4o:nitro", "2.5"),
        ("openrouter/openai/gpt-4o:floor", "2.5"),
        ("openrouter/openai/gpt-4o:exacto", "2.5"),
        ("openai/gpt-5-codex", "1.25"),
        ("openai/gpt-5.2-codex", "1.75"),
        ("openai/gpt-5.3-codex", "1.75"),
        ("openai/gpt-5.1-codex-mini", "0.25"),
        ("openai/gpt-4o-mini", "0.15"),
        ("openai/o1-mini", "1.1"),
        ("openai/o1", "15"),
        ("azure_openai/gpt-4o-2024-08-06", "2.5"),
        ("google/gemini-2.0-flash-001", "0.1"),
    ],
)
def test_resolves_plainly(model: str, rate: str) -> None:
    cost = charge(model, {"input": 100_000})
    assert cost.amount == Decimal(rate) / 10
    assert (cost.status, cost.flags) == ("priced", ())


@pytest.mark.parametrize(
    "model",
    [
        "openai/gpt-9-turbo",
        "/gpt-9-turbo",
        "openai/gpt-99",
        "openai/gpt-5-nonexistent",
        "anthropic/claude-opus-9",
        "/claude-opus-9",
        "bedrock/anthropic.claude-opus-9-v1:0",
        "anthropic/claude-opus-9-v1:0",
        "google/gemini-9-pro",
        "anthropic/claude-sonnet-4-5-something",
        "anthropic/claude-sonnet-4-5-20990101",
        "openai/gpt-4o-2029-01-01",
        "openai/gpt-4o-2024-13-45",
        "openai/gpt",
        "openai/4o",
        "azure/my-deployment-gpt4o",
        "bedrock/arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123",
        "openai/ft:gpt-5-nonexistent:org::id",
        "ollama/llama3",
        "github_copilot/gpt-4.1",
        "nobody-knows-this-provider/gpt-4o",
        "openai/",
        "openai/" + "x" * 300,
    ],
)
def test_stays_unpriced_with_a_reason(model: str) -> None:
    cost = charge(model, {"input": 100_000})
    assert (cost.amount, cost.status) == (None, "unpriced")
    assert cost.reason


def test_a_date_nobody_lists_is_flagged_as_a_guess() -> None:
    cost = charge("openai/gpt-4o-2025-02-03", {"input": 100_000})
    assert (cost.amount, cost.flags) == (Decimal("0.25"), ("guessed",))


@pytest.mark.parametrize(
    ("model", "rate"),  # a preview of its own price before the final model's
    [("gemini-2.5-flash-preview-05-20", "0.015"), ("gemini-2.5-pro-preview-05-06", "0.125")],
)
def test_an_edition_nobody_lists_is_a_guess_too(model: str, rate: str) -> None:
    cost = charge(f"google/{model}", {"input": 100_000})
    assert (cost.amount, cost.flags) == (Decimal(rate), ("guessed",))


def test_free_routes_are_a_known_zero() -> None:
    cost = charge("openrouter/meta-llama/llama-3.3-70b-instruct:free", {"input": 1000, "output": 10})
    assert (cost.amount, cost.status) == (Decimal(0), "free")


def test_the_online_route_has_a_fee_that_no_response_states() -> None:
    cost = charge("openrouter/openai/gpt-4o:online", {"input": 100_000})
    assert (cost.amount, cost.status) == (Decimal("0.25"), "partial")


def test_azure_stays_azure() -> None:
    card = Book.default().resolve("azure_openai", "gpt-4o-2024-08-06", SUNDAY_NOON)
    assert isinstance(card, RateCard)
    assert card.provider == "azure"


def test_a_makers_price_for_its_reseller_is_flagged() -> None:
    cost = charge("azure/embed-english-v3.0", {"input": 1000})
    assert "makers_price" in cost.flags
    assert cost.reason is not None
    assert "cohere" in cost.reason


def test_nearest_names_are_offered() -> None:
    found = Book.default().resolve("openai", "gpt-4o-mni")
    assert isinstance(found, Unpriced)
    assert found.near[0] == "gpt-4o-mini"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("gpt-5.2-2025-12-11", "GPT-5.2-20251211"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4.5-20250929"),
        ("claude-opus-4-6@default", "claude-opus-4-6"),
    ],
)
def test_one_normal_form(one: str, other: str) -> None:
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    ("one", "other"), [("gpt-4o", "gpt-4o-mini"), ("gpt-4", "gpt-4.1"), ("o1", "o1-mini"), ("a:1", "a-1")]
)
def test_two_names_stay_two(one: str, other: str) -> None:
    assert normal(one) != normal(other)


@pytest.mark.parametrize(
    ("provider", "name", "other", "bare"),
    [
        ("fireworks", "accounts/fireworks/models/deepseek-v3", "fireworks", "deepseek-v3"),
        ("huggingface", "meta-llama/Llama-3.1-8B:nscale", "huggingface_nscale", "meta-llama/llama-3.1-8b"),
    ],
)
def test_a_routers_name_is_read_as_its_hosts(provider: str, name: str, other: str, bare: str) -> None:
    assert (other, bare) in [(each.provider, each.name.lower()) for each in readings(provider, name)]


PUBLISHED = "projects/p/locations/europe-west1/publishers/anthropic/models/claude-x"
PROFILE = "arn:aws:bedrock:eu-west-1:12:inference-profile/us.claude.x"


def said(reading: Reading) -> str:
    """Write a reading as its provider, its name, its terms and its flags."""
    terms = [f"{name}={value}" for name, value in reading.terms]
    return " ".join([reading.provider or "?", reading.name, *terms, *reading.flags])


@pytest.mark.parametrize(
    ("provider", "model", "ways"),
    [
        ("openai", "GPT-4o ", ["openai gpt-4o"]),
        (None, "openai/gpt-4o", ["openai gpt-4o", "? openai/gpt-4o"]),
        (None, "litellm/openai/gpt-4o", ["openai gpt-4o", "? litellm/openai/gpt-4o"]),
        ("openai", "anthropic/claude-x", ["openai anthropic/claude-x"]),
        ("openai", "ft:gpt-4o:org::id", ["openai ft:gpt-4o:org::id", "openai ft:gpt-4o"]),
        ("openai", "x-001", ["openai x-001"]),
        ("google", "models/gem-001", ["google models/gem-001", "google gem-001", "google gem"]),
        ("google", "tunedModels/mine", ["google tunedmodels/mine", "google mine"]),
        (None, "gem-001", ["? gem-001", "? gem"]),
        ("vertex", "gem", ["vertex gem"]),
        ("vertex", PUBLISHED, [f"vertex {PUBLISHED}", "vertex claude-x region=europe-west1"]),
        (None, "publishers/google/models/gem", ["vertex gem", "? publishers/google/models/gem"]),
        ("google", "publishers/google/models/gem", ["google publishers/google/models/gem", "google gem"]),
        (
            "bedrock",
            "us.acme.x-v1:0",
            [
                "bedrock us.acme.x-v1:0",
                "bedrock acme.x-v1:0 region=us",
                "bedrock acme.x-v1 region=us",
                "bedrock acme.x region=us",
            ],
        ),
        ("bedrock", "claude-x", ["bedrock claude-x"]),
        ("bedrock", PROFILE, ["bedrock us.claude.x region=eu-west-1", "bedrock claude.x region=us"]),
        (None, "arn:aws:bedrock:::foundation-model/claude", ["bedrock claude"]),
        ("openrouter", "acme/x", ["openrouter acme/x"]),
        ("openrouter", "acme/x:nitro", ["openrouter acme/x:nitro", "openrouter acme/x"]),
        ("openrouter", "acme/x:20b", ["openrouter acme/x:20b"]),
        ("openrouter", "acme/x:online", ["openrouter acme/x:online", "openrouter acme/x fee_unknown"]),
        ("openrouter", "acme/x:free", ["openrouter acme/x:free", "openrouter acme/x:free route=free"]),
        ("openai", "acme/x:nitro", ["openai acme/x:nitro"]),
        ("azure", "eu/gpt-x", ["azure eu/gpt-x", "azure gpt-x deployment=eu"]),
        ("azure", "global-standard/gpt-x", ["azure global-standard/gpt-x", "azure gpt-x"]),
        ("azure", "eu/", ["azure eu/"]),
        ("azure", "mine/gpt-x", ["azure mine/gpt-x"]),
        ("openai", "eu/gpt-x", ["openai eu/gpt-x"]),
        (
            "fireworks",
            "accounts/fireworks/models/x",
            ["fireworks accounts/fireworks/models/x", "fireworks x"],
        ),
        ("fireworks", "x", ["fireworks x"]),
        ("openai", "accounts/fireworks/models/x", ["openai accounts/fireworks/models/x"]),
        ("huggingface", "acme/x", ["huggingface acme/x"]),
        ("huggingface", ":x", ["huggingface :x"]),
        ("huggingface", "acme/x:host", ["huggingface acme/x:host", "huggingface_host acme/x"]),
    ],
)
def test_a_name_has_these_readings_in_this_order(provider: str | None, model: str, ways: list[str]) -> None:
    assert [said(each) for each in readings(provider, model)] == ways


def test_an_arn_that_hides_its_model_is_read_no_further() -> None:
    (only,) = readings("bedrock", "arn:aws:bedrock:us-east-1:12:provisioned-model/abc")
    assert said(only) == "bedrock provisioned-model/abc"
    assert only.dead_end == "the provisioned-model ARN hides its model; map it with an alias in your prices"


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("gpt-x-20250203", ("gpt-x", date(2025, 2, 3))),
        ("claude-x-20250203-v1", ("claude-x-v1", date(2025, 2, 3))),
        ("gemini-x-preview-05-20", ("gemini-x-preview", date.min)),
        ("gemini-x-exp", ("gemini-x", date.min)),
        ("gpt-x-20251345", None),
        ("gpt-x", None),
    ],
)
def test_a_date_is_taken_off_a_name(name: str, split: tuple[str, date] | None) -> None:
    assert undated(name) == split


def test_a_name_of_256_characters_is_looked_up_and_a_longer_one_is_not() -> None:
    book = Book.default()
    reasons = [book.resolve("openai", "x" * length) for length in (256, 257)]
    assert [isinstance(each, Unpriced) and each.reason[:18] for each in reasons] == [
        "no price of xxxxxx",
        "a model's name has",
    ]


@pytest.mark.parametrize("provider", ["bedrock", None])
def test_a_region_before_a_bedrock_id_is_where_it_serves(provider: str | None) -> None:
    model = "bedrock/us-gov-west-1/anthropic.claude-3-haiku-20240307-v1:0"
    card = Book.default().resolve(provider, model)
    plain = Book.default().resolve(
        "bedrock", "anthropic.claude-3-haiku-20240307-v1:0", terms={"region": "us-gov-west-1"}
    )
    assert isinstance(card, RateCard)
    assert isinstance(plain, RateCard)
    assert card.rates == plain.rates
    assert card.rates["input"].amount == Decimal("0.30")  # a fifth over 0.25
    for strange in (
        "bedrock/us-west-2/1-month-commitment/anthropic.claude-v2:1",
        "bedrock/nowhere/anthropic.claude-v2:1",
    ):
        assert not isinstance(Book.default().resolve(None, strange), RateCard)
