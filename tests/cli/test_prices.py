"""``outlay prices``: what the book tells, and prices of one's own."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

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
    assert [(row["when"], row["rates"]["input"]["rate"]) for row in found["prices"]] == [
        ({}, "5.00"),
        ({"batch": "true"}, "2.50"),
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


def test_show_in_a_process_of_its_own(command: Callable[..., "subprocess.CompletedProcess[str]"]) -> None:
    done = command("--json", "prices", "show", "o3", "--at", "2025-07-01")
    assert (done.returncode, done.stderr) == (0, "")
    # 10 dollars until June 2025, 2 since
    assert json.loads(done.stdout)["models"][0]["prices"][0]["rates"]["input"]["rate"] == "2.00"
