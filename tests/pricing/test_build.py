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
        (
            "bedrock/us-gov-west-1/anthropic.claude-x",
            "bedrock",
            "anthropic.claude-x",
            {"region": "us-gov", "aws_region": "us-gov-west-1"},
        ),
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


def row_of(tool: Any, rates: dict[str, str], **more: Any) -> Any:
    source = more.pop("source", ("litellm 2", None))
    return tool("prices_entry").PriceRow(
        rates={unit: Decimal(rate) for unit, rate in rates.items()}, source=source, **more
    )


@pytest.fixture
def carried(tool: Any, tmp_path: Path) -> Any:
    """Build over tables that hold one model of acme, at 2 and 8, and give the new rows and the report."""

    def build(new: dict[str, list[Any]], old: str = '{"source":0,"rates":{"input":"2","output":"8"}}') -> Any:
        models = f'{{"m":{{"names":["m-short"],"rows":[{old}]}}}}'
        (tmp_path / "acme.json").write_text(
            f'{{"sources":[{{"name":"litellm 1","link":"https://acme.example"}}],"models":{models}}}', "utf-8"
        )
        entry = tool("prices_entry").Entry
        merged = {"acme": {name: entry(name, rows=rows) for name, rows in new.items()}}
        report: list[str] = []
        tool("prices_carry").carry(merged, tmp_path, report)
        return merged["acme"], report

    return build


def spans(entry: Any) -> list[tuple[str | None, str | None, str]]:
    found = [(row.start, row.end, str(row.rates.get("input", row.factor))) for row in entry.rows]
    return sorted(found, key=lambda span: span[0] or "")


def test_a_price_that_a_list_changed_holds_from_then_on(tool: Any, carried: Any) -> None:
    seen = tool("prices_carry").SEEN
    entries, report = carried({"m": [row_of(tool, {"input": "3", "output": "8"})]})
    assert spans(entries["m"]) == [(None, seen, "2"), (seen, None, "3")]
    assert report == ["dated: acme/m : input 2 -> 3"]
    assert entries["m"].names == {"m-short"}


def test_the_same_price_and_what_is_known_besides_stay_undated(tool: Any, carried: Any) -> None:
    entries, report = carried({"m": [row_of(tool, {"input": "2", "output": "8", "cache_read": "0.2"})]})
    assert spans(entries["m"]) == [(None, None, "2")]
    assert report == []


def test_what_a_price_was_is_kept_from_build_to_build(tool: Any, carried: Any) -> None:
    history = (
        '{"source":0,"to":"2026-01-01T00:00:00Z","rates":{"input":"2"}},'
        '{"source":0,"from":"2026-01-01T00:00:00Z","rates":{"input":"3"}}'
    )
    entries, _ = carried({"m": [row_of(tool, {"input": "3"})]}, history)
    day, seen = "2026-01-01T00:00:00Z", tool("prices_carry").SEEN
    assert spans(entries["m"]) == [(None, day, "2"), (day, None, "3")]
    entries, _ = carried({"m": [row_of(tool, {"input": "4"})]}, history)
    assert spans(entries["m"]) == [(None, day, "2"), (day, seen, "3"), (seen, None, "4")]


def test_a_price_that_its_own_list_dates_is_left_as_it_is(tool: Any, carried: Any) -> None:
    dated = [
        row_of(tool, {"input": "2", "output": "8"}, end="2026-05-01T00:00:00Z"),
        row_of(tool, {"input": "3", "output": "8"}, start="2026-05-01T00:00:00Z"),
    ]
    entries, _ = carried({"m": dated})
    assert spans(entries["m"]) == [(None, "2026-05-01T00:00:00Z", "2"), ("2026-05-01T00:00:00Z", None, "3")]


def test_a_tariff_that_is_gone_ends_and_a_model_that_is_gone_stays(tool: Any, carried: Any) -> None:
    both = '{"source":0,"rates":{"input":"2"}},{"source":0,"when":{"batch":"true"},"rates":{"input":"1"}}'
    entries, report = carried({"m": [row_of(tool, {"input": "2"})]}, both)
    batch = next(row for row in entries["m"].rows if row.when)
    assert (batch.end, report) == (tool("prices_carry").SEEN, ["ended: acme/m {'batch': 'true'}"])
    entries, report = carried({"other": [row_of(tool, {"input": "1"})]})
    assert spans(entries["m"]) == [(None, None, "2")]
    assert report == ["kept: acme/m: no list has it any more"]


def test_a_fault_is_corrected_for_the_past_too(
    tool: Any, carried: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool("prices_carry"), "CORRECTED", {("acme", "m"): "by whom"})
    entries, report = carried({"m": [row_of(tool, {"input": "0.002"})]})
    assert (spans(entries["m"]), report) == ([(None, None, "0.002")], [])


def test_a_place_that_one_list_lacks_is_filled_from_the_other(tool: Any) -> None:
    entry, maker = tool("prices_entry").Entry, ("genai-prices", None)
    price = {"input": "11", "output": "55", "cache_read": "1.1"}
    base = {"input": "10", "output": "50", "cache_read": "1"}
    listed = {"anthropic.claude-x": entry("anthropic.claude-x", rows=[
        row_of(tool, base), row_of(tool, price, when={"region": "us"}),
    ])}  # fmt: skip
    genai = {
        f"{place}anthropic.claude-x-v1:0": entry("", rows=[row_of(tool, rates, source=maker)])
        for place, rates in (("global.", base), ("regional.", price))
    }
    found = tool("prices_merge")._bedrock(genai, listed)
    assert list(found) == ["anthropic.claude-x"]
    assert "anthropic.claude-x-v1:0" in found["anthropic.claude-x"].names
    rates = {row.when.get("region"): row.rates["input"] for row in found["anthropic.claude-x"].rows}
    assert rates.pop(None) == 10
    assert rates == dict.fromkeys(("us", "eu", "apac", "jp", "au", "ca"), 11)


def test_government_regions_that_differ_are_two(tool: Any) -> None:
    entry = tool("prices_entry").Entry("m", rows=[
        row_of(tool, {"input": "2"}),
        *(
            row_of(tool, {"input": rate}, when={"region": "us-gov", "aws_region": f"us-gov-{side}-1"})
            for side, rate in (("east", "3"), ("west", "4"))
        ),
    ])  # fmt: skip
    tool("prices_merge")._without_repeats(entry)
    assert {row.when.get("aws_region"): row.rates["input"] for row in entry.rows} == {
        None: 2, "us-gov-east-1": 3, "us-gov-west-1": 4,
    }  # fmt: skip
    for row in entry.rows[1:]:
        row.rates["input"] = Decimal("2.4")
    tool("prices_merge")._without_repeats(entry)
    assert [row.when for row in entry.rows] == [{}, {"region": "us-gov"}]


@pytest.mark.parametrize("home", ["bedrock", "wandb", "openai"])
def test_the_packaged_tables_are_what_a_second_build_leaves(tool: Any, tmp_path: Path, home: str) -> None:
    """Carrying a table over itself changes nothing: a build twice is a build once."""
    build, carry = tool("build_prices"), tool("prices_carry")
    text = (build.DATA / f"{home}.json").read_text("utf-8")
    (tmp_path / f"{home}.json").write_text(text, "utf-8")
    table = {home: carry.read_entries(tmp_path / f"{home}.json")}
    report: list[str] = []
    carry.carry(table, tmp_path, report)
    assert (build._text(table[home]), report) == (text, [])
