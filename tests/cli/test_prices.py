"""``outlay prices``: what the book tells, and prices of one's own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from outlay import process
from outlay.settings import load

Outlay = Callable[..., Any]


def shown(outlay: Outlay, *args: str) -> dict[str, Any]:
    done = outlay("prices", "show", *args, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)["models"][0]
    return found


def test_show_gives_the_history_and_the_facts(outlay: Outlay) -> None:
    found = shown(outlay, "gpt-4o")
    assert (found["provider"], found["model"], found["context_window"]) == ("openai", "gpt-4o", 128000)
    first = found["prices"][0]
    assert (first["from"], first["to"]) == ("2024-05-13T00:00:00.000000Z", "2024-10-02T00:00:00.000000Z")
    assert first["rates"]["input"] == {"rate": "5.00", "per": 1000000}
    assert first["link"].startswith("https://openai.com/")
    text = outlay("prices", "show", "gpt-4o").stdout.splitlines()
    assert text[0] == "openai gpt-4o"
    assert "context window 128,000" in text[1]
    assert any(line.split()[:5] == ["2024-05-13", "2024-10-02", "-", "5.00", "15.00"] for line in text)


def test_show_at_an_instant_gives_what_held_then(outlay: Outlay) -> None:
    found = shown(outlay, "gpt-4o", "--at", "2024-06-01")
    assert [(row["when"], row["factor"] or row["rates"]["input"]["rate"]) for row in found["prices"]] == [
        ({}, "5.00"),
        ({"batch": "true"}, "2.50"),
        ({"geo": "fedramp"}, "1.1"),
    ]
    assert shown(outlay, "gpt-4o", "--at", "2023-01-01")["prices"] == []
    assert "extrapolated" in outlay("prices", "show", "gpt-4o", "--at", "2023-01-01").stdout


def test_hours_and_sizes_are_terms_of_a_price(outlay: Outlay) -> None:
    text = outlay("prices", "show", "deepseek-v4-pro").stdout
    assert "01:00-04:00 UTC Mon-Fri" in text
    sizes = shown(outlay, "gemini-2.5-pro", "--provider", "google")["prices"][0]["above"]
    assert sizes[0]["tokens"] == 200000


@pytest.mark.parametrize("args", [["gpt-99"], ["gpt-4o", "--provider", "nobody"]])
def test_show_of_an_unknown_model_is_one_line_and_1(outlay: Outlay, args: list[str]) -> None:
    done = outlay("prices", "show", *args)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    if args == ["gpt-99"]:
        assert "near: " in done.stderr


@pytest.mark.parametrize("args", [["show"], ["show", "gpt-4o", "--at", "soon"], ["nope"]])
def test_a_wrong_command_line_is_one_line_and_2(outlay: Outlay, args: list[str]) -> None:
    done = outlay("prices", *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def cost_of_million(outlay: Outlay, tmp_path: Path) -> str:
    line = {"provider": "openai", "api": "chat", "at": "2026-11-01T00:00:00Z"}
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0, "total_tokens": 1_000_000}
    file = tmp_path / "lines.jsonl"
    file.write_text(json.dumps({**line, "response": {"model": "gpt-4o", "usage": usage}}))
    done = subprocess.run(
        [sys.executable, "-m", "outlay", "price", str(file)], capture_output=True, text=True, check=True
    )
    cost: str = json.loads(done.stdout)["cost"]
    return cost


def test_row_032_a_price_that_was_set_counts_from_then_on(outlay: Outlay, tmp_path: Path) -> None:
    assert cost_of_million(outlay, tmp_path) == "2.5"
    done = outlay("prices", "set", "gpt-4o", "--provider", "openai", "--input", "2", "--output", "8")
    assert (done.returncode, done.stderr) == (0, "")
    assert str(tmp_path / "ledger" / "prices.toml") in done.stdout
    assert cost_of_million(outlay, tmp_path) == "2"
    assert shown(outlay, "gpt-4o")["prices"][0]["layer"] == "own"
    recorded = (
        process.use(load(os.environ, tmp_path))
        .recorder()
        .record(provider="openai", model="gpt-4o", input_tokens=1_000_000)
    )
    assert recorded.cost == Decimal(2)


def test_the_file_that_the_settings_name_is_the_one(outlay: Outlay, tmp_path: Path) -> None:
    (tmp_path / "outlay.toml").write_text('prices = "mine.toml"\n')
    args = ("prices", "set", "gpt-4o", "--provider", "openai", "--input", "0.002", "--output", "0.008")
    done = outlay(*args, "--per", "1K", "--from", "2026-11-01", "--json")
    document = json.loads(done.stdout)
    assert document["file"] == str(tmp_path / "mine.toml")
    # 0.002 a thousand is 2 a million
    assert document["rates"]["input"] == {"rate": "2.00", "per": 1000000}
    assert document["from"] == "2026-11-01T00:00:00.000000Z"
    assert not (tmp_path / "ledger" / "prices.toml").exists()
    own = next(each for each in shown(outlay, "gpt-4o")["prices"] if each["layer"] == "own")
    assert own["rates"]["output"]["rate"] == "8.00"


def test_a_rate_beyond_belief_needs_force(outlay: Outlay, tmp_path: Path) -> None:
    args = ("prices", "set", "gpt-4o", "--provider", "openai", "--input", "0.0000025", "--output", "0.00001")
    done = outlay(*args)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "--per" in done.stderr
    assert not (tmp_path / "ledger" / "prices.toml").exists()
    assert outlay(*args, "--per", "token").returncode == 0


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["--provider", "openai"],
        ["--provider", "openai", "--input", "much"],
        ["--provider", "openai", "--input", "-1"],
        ["--provider", "openai", "--input", "1", "--per", "cup"],
        ["--provider", "openai", "--input", "1", "--from", "soon"],
        ["--provider", "openai", "--rate", "web_search"],
    ],
)
def test_a_wrong_price_is_one_line_and_2(outlay: Outlay, args: list[str]) -> None:
    done = outlay("prices", "set", "gpt-4o", *args)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


def test_show_in_a_process_of_its_own(command: Callable[..., "subprocess.CompletedProcess[str]"]) -> None:
    done = command("--json", "prices", "show", "o3", "--at", "2025-07-01")
    assert (done.returncode, done.stderr) == (0, "")
    # 10 dollars until June 2025, 2 since
    assert json.loads(done.stdout)["models"][0]["prices"][0]["rates"]["input"]["rate"] == "2.00"
