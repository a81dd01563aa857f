"""``outlay prices diff``: agreement with other lists, and two books beside each other."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outlay.pricing.tables import DATA

Outlay = Callable[..., Any]
MAP = {
    "gpt-4o": {
        "litellm_provider": "openai",
        "input_cost_per_token": 2.5e-06,
        "output_cost_per_token": 2e-05,
        "mode": "chat",
    },
    "mistral/mistral-large-4": {"litellm_provider": "mistral", "input_cost_per_token": 1.36e-06},
    "acme/one": {"litellm_provider": "acme", "input_cost_per_token": 1e-06},
}
OWN = (
    '[[model]]\nprovider = "openai"\nmodel = "gpt-4o"\nprice = [{ rates = { input = "2", output = "10" } }]\n'
)


@pytest.fixture
def litellm(tmp_path: Path) -> str:
    """Write a small map in litellm's form."""
    path = tmp_path / "map.json"
    path.write_text(json.dumps(MAP))
    return str(path)


def test_agreement_and_differences_with_a_map(outlay: Outlay, litellm: str) -> None:
    done = outlay("prices", "diff", "--litellm", litellm, "--at", "2026-11-01", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    genai, theirs = json.loads(done.stdout)["lists"]
    assert (genai["list"], theirs["list"]) == ("genai-prices", "litellm")
    assert theirs["total"] == {"compared": 3, "agree": 1, "only_theirs": 1}
    assert theirs["by_unit"]["input"] == {"compared": 2, "agree": 1, "only_theirs": 1}
    found = {each["model"]: each for each in theirs["disagreements"]}
    # ours 10 a million, theirs 20
    assert (found["gpt-4o"]["unit"], found["gpt-4o"]["ours"], found["gpt-4o"]["theirs"]) == (
        "output",
        "10",
        "20",
    )
    assert "2026-10-29" in found["mistral-large-4"]["ruling"]


def test_the_big_three_agree_with_genai_prices(outlay: Outlay) -> None:
    for provider in ("openai", "anthropic", "google"):
        done = outlay("prices", "diff", "--provider", provider, "--at", "2026-11-22T12:00:00Z", "--json")
        (genai,) = json.loads(done.stdout)["lists"]
        assert genai["total"]["agree"] == genai["total"]["compared"] > 40
        assert genai["disagreements"] == []


def test_each_difference_with_genai_prices_has_a_ruling(outlay: Outlay) -> None:
    (genai,) = json.loads(outlay("prices", "diff", "--at", "2026-11-22T12:00:00Z", "--json").stdout)["lists"]
    assert {each["model"] for each in genai["disagreements"]} >= {"deepseek-chat", "grok-code-fast-1"}
    assert [each for each in genai["disagreements"] if each["ruling"] is None] == []
    assert genai["total"]["compared"] > 5000


def test_each_difference_with_litellms_own_map_has_a_ruling(outlay: Outlay) -> None:
    package = importlib.util.find_spec("litellm")  # importing it takes long
    if package is None or not package.submodule_search_locations:
        pytest.skip("litellm is not installed")
    path = Path(package.submodule_search_locations[0]) / "model_prices_and_context_window_backup.json"
    done = outlay("prices", "diff", "--litellm", str(path), "--at", "2026-11-22T12:00:00Z", "--json")
    theirs = json.loads(done.stdout)["lists"][-1]
    unruled = [
        (each["provider"], each["model"], each["unit"])
        for each in theirs["disagreements"]
        if each["ruling"] is None
    ]
    assert (theirs["list"], unruled) == ("litellm", [])
    assert theirs["total"]["agree"] > 12_000


def test_the_text_names_what_differs(outlay: Outlay, litellm: str) -> None:
    done = outlay("prices", "diff", "--provider", "openai", "--litellm", litellm, "--at", "2026-11-01")
    assert done.returncode == 0
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["openai", "gpt-4o", "output", "10.00", "20.00"] in [row[:5] for row in rows]
    assert "litellm: 1 of 2 rates agree to a tenth of a percent, 0 are only there" in done.stdout
    cut = outlay("prices", "diff", "--litellm", litellm, "--provider", "openai", "-n", "0").stdout
    assert "1 more differences" in cut


def test_without_genai_prices_a_map_alone_is_compared(
    outlay: Outlay, litellm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices.data", None)
    alone = outlay("prices", "diff")
    assert (alone.returncode, alone.stdout, len(alone.stderr.splitlines())) == (1, "", 1)
    done = outlay("prices", "diff", "--litellm", litellm, "--json")
    assert done.returncode == 0
    assert [each["list"] for each in json.loads(done.stdout)["lists"]] == ["litellm"]
    assert "genai-prices is not installed" in done.stderr


def test_two_books_beside_each_other(outlay: Outlay, tmp_path: Path) -> None:
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    old.write_text(OWN)
    new.write_text(OWN.replace('"2"', '"3"'))
    done = outlay("prices", "diff", str(old), str(new), "--json")
    assert json.loads(done.stdout)["changes"][0] | {"per": 0} == {
        "provider": "openai",
        "model": "gpt-4o",
        "unit": "input",
        "before": "2",
        "after": "3",
        "per": 0,
        "currency": "USD",
        "currency_before": "USD",
    }
    text = outlay("prices", "diff", str(old), str(new)).stdout
    assert ["openai", "gpt-4o", "input", "2.00", "3.00", "1,000,000", "USD"] in [
        e.split() for e in text.splitlines()
    ]
    assert outlay("prices", "diff", str(old), str(old)).stdout == "no standard price differs\n"
    assert "gpt-4o" in outlay("prices", "diff", str(DATA), str(new), "--provider", "openai").stdout


def test_the_same_figure_in_another_currency_is_another_price(outlay: Outlay, tmp_path: Path) -> None:
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    old.write_text(OWN)
    new.write_text('currency = "CNY"\n' + OWN)
    done = outlay("prices", "diff", str(old), str(new))
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["openai", "gpt-4o", "input", "2.00", "2.00", "1,000,000", "USD", "to", "CNY"] in rows
    changes = json.loads(outlay("prices", "diff", str(old), str(new), "--json").stdout)["changes"]
    tokens = [each for each in changes if each["unit"] in {"input", "output"}]  # fees of tools are in dollars
    assert [(each["unit"], each["currency_before"], each["currency"]) for each in tokens] == [
        ("input", "USD", "CNY"),
        ("output", "USD", "CNY"),
    ]
    assert len(changes) == len(rows) - 2  # as many as the table has below its heading


def test_a_rate_of_ours_in_another_currency_is_named_with_it(
    outlay: Outlay, litellm: str, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text('currency = "CNY"\n' + OWN)
    args = ("prices", "diff", "--litellm", litellm, "--provider", "openai", "--at", "2026-11-01")
    done = outlay(*args, OUTLAY_PRICES=str(tmp_path / "own.toml"))
    rows = [line.split()[:7] for line in done.stdout.partition("litellm:")[2].splitlines()]
    # the book has 2 and 10 yuan where the map has 2.50 and 20 dollars
    assert ["openai", "gpt-4o", "input", "2.00", "2.50", "1,000,000", "CNY"] in rows
    assert ["openai", "gpt-4o", "output", "10.00", "20.00", "1,000,000", "CNY"] in rows
    theirs = json.loads(outlay(*args, "--json", OUTLAY_PRICES=str(tmp_path / "own.toml")).stdout)["lists"][-1]
    assert {(each["unit"], each["per"], each["currency"]) for each in theirs["disagreements"]} == {
        ("input", 1_000_000, "CNY"),
        ("output", 1_000_000, "CNY"),
    }


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["old.toml"], 2),
        (["none.toml", "none.toml"], 1),
        (["--litellm", "none.json"], 1),
        (["--at", "soon"], 2),
        ([".", "."], 1),
    ],
)
def test_what_cannot_be_compared_is_one_line(outlay: Outlay, args: list[str], code: int) -> None:
    done = outlay("prices", "diff", *args)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (code, "", 1)


def test_in_a_process_of_its_own(
    command: Callable[..., "subprocess.CompletedProcess[str]"], litellm: str
) -> None:
    done = command("--json", "prices", "diff", "--provider", "openai", "--litellm", Path(litellm).as_uri())
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["lists"][1]["total"]["compared"] == 2
