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
    own = [row for row in found["prices"] if row["factor"] or "input" in row["rates"]]  # fees of tools beside
    assert [(row["when"], row["factor"] or row["rates"]["input"]["rate"]) for row in own] == [
        ({}, "5.00"),
        ({"batch": "true"}, "2.50"),
        ({"geo": "fedramp"}, "1.1"),
    ]
    assert not any("input" in row["rates"] for row in shown(outlay, "gpt-4o", "--at", "2023-01-01")["prices"])
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


def cost_at(outlay: Outlay, at: str) -> tuple[str | None, str | None]:
    """Price a million tokens in and one out."""
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 1_000_000, "total_tokens": 2_000_000}
    line = {"provider": "acme", "api": "chat", "at": at, "response": {"model": "one", "usage": usage}}
    Path("line.jsonl").write_text(json.dumps(line))
    process.use(None)  # the next command reads the prices anew, as a process of its own would
    done = outlay("price", "line.jsonl")
    document = json.loads(done.stdout)
    return document["cost"], document["currency"]


def test_an_hour_of_ones_own_hardware_is_shared_out(outlay: Outlay) -> None:
    hour = ("--gpu-hour", "2.40", "--gpus", "4")
    through = ("--tokens-per-hour", "input=40_000_000", "--tokens-per-hour", "output=6000000")
    done = outlay("prices", "set", "one", "--provider", "acme", *hour, *through, "--json")
    document = json.loads(done.stdout)
    # four cards cost 9.60 an hour: 9.60 / 40 and 9.60 / 6 a million
    assert document["rates"] == {
        "input": {"rate": "0.24", "per": 1_000_000},
        "output": {"rate": "1.60", "per": 1_000_000},
    }
    assert document["tokens_per_hour"] == {"input": 40_000_000, "output": 6_000_000}
    assert (document["gpu_hour"], document["gpus"]) == ("2.4", 4)
    assert cost_at(outlay, "2026-11-01T00:00:00Z") == ("1.84", "USD")


def test_a_rate_of_exchange_turns_prices_of_its_time(outlay: Outlay) -> None:
    yuan = ("--input", "7", "--output", "10", "--currency", "CNY")
    assert outlay("prices", "set", "one", "--provider", "acme", *yuan).returncode == 0
    span = ("--from", "2026-10-01", "--to", "2026-11-01")
    done = outlay("prices", "set", "--exchange", "cny/usd=0.1409", *span, "--source", "ECB")
    assert "1 CNY is 0.1409 USD from 2026-10-01 00:00 UTC to 2026-11-01 00:00 UTC" in done.stdout
    assert cost_at(outlay, "2026-09-30T23:59:59Z") == ("17", "CNY")  # no rate is carried on to other times
    assert cost_at(outlay, "2026-10-01T00:00:00Z") == ("2.3953", "USD")  # 17 x 0.1409
    assert cost_at(outlay, "2026-11-01T00:00:00Z") == ("17", "CNY")


def test_a_rate_of_exchange_turned_round_needs_force(outlay: Outlay, tmp_path: Path) -> None:
    assert outlay("prices", "set", "--exchange", "CNY/USD=0.1409").returncode == 0
    turned = ("prices", "set", "--exchange", "CNY/USD=7.1")
    before = (tmp_path / "ledger" / "prices.toml").read_bytes()
    done = outlay(*turned)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "--force" in done.stderr
    assert (tmp_path / "ledger" / "prices.toml").read_bytes() == before
    # dollars for a yuan say nothing of yuan for a dollar
    assert outlay("prices", "set", "--exchange", "USD/CNY=7.1").returncode == 0
    assert json.loads(outlay(*turned, "--force", "--json").stdout)["rate"] == "7.1"


def test_a_price_ends_when_it_is_told_to(outlay: Outlay) -> None:
    ended = ("--input", "1", "--output", "2", "--from", "2026-01-01", "--to", "2026-02-01")
    assert outlay("prices", "set", "one", "--provider", "acme", *ended).returncode == 0
    assert cost_at(outlay, "2026-01-31T23:59:59Z")[0] == "3"
    assert cost_at(outlay, "2026-02-01T00:00:00Z")[0] is None


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--input", "1"], "MODEL"),
        (["one", "--input", "1"], "--provider"),
        (["one", "--provider", "acme", "--gpu-hour", "2"], "--tokens-per-hour"),
        (["one", "--provider", "acme", "--gpus", "2", "--input", "1"], "--gpu-hour"),
        (["one", "--provider", "acme", "--tokens-per-hour", "output=1"], "--gpu-hour"),
        (["one", "--provider", "acme", "--gpu-hour", "2", "--tokens-per-hour", "output=0"], "whole number"),
        (
            ["one", "--provider", "acme", "--gpu-hour", "2", "--tokens-per-hour", "output=" + "9" * 99],
            "whole",
        ),
        (
            ["one", "--provider", "acme", "--gpu-hour", "2", "--tokens-per-hour", "pages=9"],
            "no unit of tokens",
        ),
        (
            [
                "one",
                "--provider",
                "a",
                "--gpu-hour",
                "2",
                "--tokens-per-hour",
                "output=4000000",
                "--per",
                "1K",
            ],
            "--per",
        ),
        (["one", "--provider", "acme", "--input", "1", "--from", "2026-02-01", "--to", "2026-01-01"], "--to"),
        (["--exchange", "CNY=7"], "CNY/USD=0.1409"),
        (["--exchange", "CNY/USD"], "NAME=VALUE"),
        (["--exchange", "CNY/USD=0"], "above 0"),
        (["--exchange", "CNY/CNY=1"], "two currencies"),
        (["--exchange", "CNY/YUAN=1"], "three capitals"),
        (["one", "--exchange", "CNY/USD=0.14"], "leave MODEL out"),
        (["--exchange", "CNY/USD=0.14", "--input", "0"], "leave --input out"),
        (["--exchange", "CNY/USD=0.14", "--when", "batch=true"], "leave --when out"),
    ],
)
def test_hours_and_exchange_rates_that_cannot_be_are_one_line_and_2(
    outlay: Outlay, tmp_path: Path, args: list[str], says: str
) -> None:
    done = outlay("prices", "set", *args)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert says in done.stderr
    assert not (tmp_path / "ledger" / "prices.toml").exists()


def test_show_in_a_process_of_its_own(command: Callable[..., "subprocess.CompletedProcess[str]"]) -> None:
    done = command("--json", "prices", "show", "o3", "--at", "2025-07-01")
    assert (done.returncode, done.stderr) == (0, "")
    # 10 dollars until June 2025, 2 since
    assert json.loads(done.stdout)["models"][0]["prices"][0]["rates"]["input"]["rate"] == "2.00"
