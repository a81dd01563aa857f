"""The build of the price data: what it reads from its sources, merges, reports and refuses."""

import importlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
SAMPLE = {
    "litellm_provider": "openai",
    "mode": "chat",
    "input_cost_per_token": Decimal("0.0000025"),
    "input_cost_per_token_above_272k_tokens": Decimal("0.000005"),
    "input_cost_per_token_above_272k_tokens_batches": Decimal("0.0000025"),
    "input_cost_per_token_batches": Decimal("0.00000125"),
    "output_cost_per_token": Decimal("0.00001"),
    "cache_read_input_token_cost": Decimal("1.3000000000000001e-07"),
    "cache_creation_input_token_cost_above_1hr": Decimal("0.000006"),
    "cache_creation_input_token_cost": 0,
    "regional_processing_uplift_multiplier_eu": Decimal("1.1"),
    "max_input_tokens": 1000,
    "source": "https://example.com/pricing",
}


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a module of the build, whose scripts lie side by side."""
    monkeypatch.syspath_prepend(str(TOOLS))
    return importlib.import_module


def entry_of(
    tool: Any, data: dict[str, Any], key: str = "gpt-x", home: str = "openai"
) -> tuple[Any, list[str]]:
    report: list[str] = []
    found = tool("prices_litellm").read({key: data}, "1.0", report)
    return next(iter(found[home].values())), report


def test_keys_become_rows(tool: Any) -> None:
    entry, report = entry_of(tool, SAMPLE)
    rows = {tuple(sorted(row.when.items())): row for row in entry.rows if row.factor is None}
    base, batch = rows[()], rows[("batch", "true"),]
    assert base.rates == {
        "input": Decimal("2.5"),
        "output": Decimal(10),
        "cache_read": Decimal("0.13"),  # the dirt of the float is gone
        "cache_write_1h": Decimal(6),  # and a zero write price is none
    }
    assert base.above == {272_000: {"input": Decimal(5)}}
    assert (batch.rates, batch.above) == ({"input": Decimal("1.25")}, {272_000: {"input": Decimal("2.5")}})
    assert [(row.when, row.factor) for row in entry.rows if row.factor] == [({"geo": "eu"}, Decimal("1.1"))]
    assert entry.facts == {"context_window": 1000}
    assert report == []


def test_an_unknown_price_key_is_reported(tool: Any) -> None:
    _, report = entry_of(tool, {**SAMPLE, "input_cost_per_dream": Decimal(1)})
    assert report == ["litellm: unknown price key gpt-x: input_cost_per_dream"]


def test_zeros_and_subscriptions_are_no_prices(tool: Any) -> None:
    report: list[str] = []
    zero = {"litellm_provider": "openai", "input_cost_per_token": 0}
    found = tool("prices_litellm").read(
        {"a": zero, "github_copilot/b": {**SAMPLE, "litellm_provider": "github_copilot"}}, "1.0", report
    )
    assert not any(found.values())
    assert len(report) == 2


@pytest.mark.parametrize(
    ("key", "provider", "name", "when"),
    [
        ("gemini/gemini-2.5-pro", "google", "gemini-2.5-pro", {}),
        ("us.anthropic.claude-x-v1:0", "bedrock", "anthropic.claude-x-v1:0", {"region": "us"}),
        ("bedrock/us-gov-west-1/anthropic.claude-x", "bedrock", "anthropic.claude-x", {"region": "us-gov"}),
        (
            "bedrock/eu-west-1/anthropic.claude-x",
            "bedrock",
            "anthropic.claude-x",
            {"aws_region": "eu-west-1"},
        ),
        ("azure/eu/gpt-x", "azure", "gpt-x", {"deployment": "eu"}),
        ("azure/global/gpt-x", "azure", "gpt-x", {}),
        ("hd/1024-x-1792/dall-e-3", "openai", "dall-e-3", {"size": "1024x1792", "quality": "hd"}),
        ("fireworks_ai/accounts/fireworks/models/m", "fireworks", "m", {}),
    ],
)
def test_what_a_key_says_besides_the_model(
    tool: Any, key: str, provider: str, name: str, when: dict[str, str]
) -> None:
    assert tool("prices_litellm")._split(key, provider) == (name, when)


def test_windows_and_ranges(tool: Any) -> None:
    windows = [{"hours_utc": ["00:00-01:00", "10:00-00:00"], "weekdays": [1, 2]}]
    off_peak = {"input_cost_per_token": Decimal("0.000001"), "windows": windows}
    tiers = [
        {"range": [0, 32_000], "input_cost_per_token": Decimal("0.000003")},
        {"range": [32_000, 128_000], "input_cost_per_token": Decimal("0.000004")},
    ]
    entry, _ = entry_of(
        tool,
        {"litellm_provider": "openai", "mode": "chat", "tiered_pricing": tiers, "off_peak_pricing": off_peak},
    )
    base, night = entry.rows
    assert base.rates == {"input": Decimal(3)}
    assert base.above == {32_000: {"input": Decimal(4)}}
    assert night.rates == {"input": Decimal(1)}
    assert night.windows[0] == {"from": "00:00", "to": "01:00", "days": [1, 2]}


def test_agreeing_sources_complete_each_other_and_others_are_reported(tool: Any) -> None:
    forms = tool("prices_entry")
    first = forms.Entry(
        "gpt-x",
        rows=[forms.PriceRow(rates={"input": Decimal("2.5"), "output": Decimal(10)}, source=("genai", None))],
    )
    other, _ = entry_of(tool, SAMPLE)
    report: list[str] = []
    whole = tool("prices_merge")._merge("openai", {"gpt-x": first}, {"gpt-x": other}, report)["gpt-x"]
    assert whole.standard().rates["cache_read"] == Decimal("0.13")
    assert any(row.when == {"batch": "true"} for row in whole.rows)
    dear = forms.Entry(
        "gpt-x",
        rows=[forms.PriceRow(rates={"input": Decimal(3), "output": Decimal(10)}, source=("genai", None))],
    )
    kept = tool("prices_merge")._merge("openai", {"gpt-x": dear}, {"gpt-x": other}, report)["gpt-x"]
    assert "cache_read" not in kept.standard().rates
    assert report == ["disagree: openai/gpt-x: input 3 : 2.5"]


def test_a_price_that_moved_a_hundredfold_is_refused(
    tool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = tool("build_prices")
    monkeypatch.setattr(build, "DATA", tmp_path)
    text = '{"sources":[],"models":{"m":{"rows":[{"source":0,"rates":{"input":"RATE"}}]}}}'
    (tmp_path / "acme.json").write_text(text.replace("RATE", "2.5"), "utf-8")
    assert build._moved("acme", text.replace("RATE", "5")) == []
    assert build._moved("acme", text.replace("RATE", "250")) == ["acme/m: input moved from 2.5 to 250"]
    assert build._moved("acme", text.replace("RATE", "0.0000025")) == [
        "acme/m: input moved from 2.5 to 0.0000025"
    ]


def test_the_first_source_reads_dates_tiers_and_tariffs(tool: Any) -> None:
    report: list[str] = []
    found = tool("prices_genai").read(report)
    assert report == []
    o3 = found["openai"]["o3"]
    standard = [row for row in o3.rows if not row.when]
    assert [(row.start, row.end, row.rates["input"]) for row in standard] == [
        (None, "2025-06-10T00:00:00Z", Decimal(10)),
        ("2025-06-10T00:00:00Z", None, Decimal(2)),
    ]
    batch = [row for row in o3.rows if row.when == {"batch": "true"}]
    assert [(row.start, row.rates["input"]) for row in batch] == [("2025-06-10T00:00:00Z", Decimal(1))]
    grok = found["xai"]["grok-4.3"].rows[0]
    assert (grok.at_least, sorted(grok.above)) == (True, [200_000])
