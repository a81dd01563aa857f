"""``outlay demo``: calls are made, recorded for real, and summed up."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Outlay = Callable[..., Any]
QUICK = ("--no-sleep", "--seed", "7")


def test_row_095_six_calls_to_the_balanced_mock_are_the_default(outlay: Outlay) -> None:
    done = outlay("demo", "--no-sleep")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 16  # calls, an empty line, a frame of three, six figures
    assert lines[:6] == [f"Call {number}/6" for number in range(1, 7)]
    assert lines[7:10] == ["═" * 58, "  COST & USAGE SUMMARY", "═" * 58]
    assert lines[10] == "  Total calls       : 6 (6 succeeded)"
    assert "BY PROVIDER" not in done.stdout
    assert {row["provider"] for row in _report(outlay, "provider")["rows"]} == {"mock-balanced"}


def test_row_096_two_runs_with_a_seed_print_the_same_and_another_seed_another(outlay: Outlay) -> None:
    args = ("demo", "--multi", "--show-calls", "--calls", "5", "--no-sleep")
    first, second = (outlay(*args, "--seed", "7").stdout for _ in range(2))
    assert first == second
    assert outlay(*args, "--seed", "8").stdout != first


def test_row_095_multi_takes_the_three_in_turn(outlay: Outlay) -> None:
    done = outlay("demo", "--multi", "--calls", "4", *QUICK)
    names = [line.strip() for line in done.stdout.splitlines() if line.startswith("  [")]
    assert names == ["[mock-fast]", "[mock-balanced]", "[mock-premium]"]
    calls = {row["provider"]: row["calls"] for row in _report(outlay, "provider")["rows"]}
    assert calls == {"mock-fast": 2, "mock-balanced": 1, "mock-premium": 1}


def test_row_095_show_calls_shows_each(outlay: Outlay) -> None:
    done = outlay("demo", "--calls", "2", "--show-calls", "--provider", "mock-fast", *QUICK)
    shown = re.findall(
        r"^  \[mock-fast\] \d+ in / \d+ out  \d+ ms  \$0\.0000\d\d  ok$", done.stdout, re.MULTILINE
    )
    assert len(shown) == 2


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--calls", "-1"), "-1 is not in the range x>=1"),
        (("--calls", "0"), "0 is not in the range x>=1"),
        (("--provider", "nope"), "no adapter 'nope'; there are alibaba, anthropic, "),
        (("--provider", "mock-fast", "--model", "gpt-4o"), "provider mock-fast has no model 'gpt-4o'"),
        (("--multi", "--provider", "mock-fast"), "--multi takes the three mock providers"),
    ],
)
def test_row_095_what_cannot_be_is_one_line_and_two(outlay: Outlay, args: tuple[str, ...], says: str) -> None:
    done = outlay("demo", *args)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert says in done.stderr
    assert json.loads(outlay("report", "--json").stdout)["total"]["calls"] == 0


@pytest.mark.parametrize("choice", [("--provider", "mock-premium"), ("--model", "mock-premium")])
def test_a_mock_may_be_named_as_provider_or_model(outlay: Outlay, choice: tuple[str, str]) -> None:
    found = json.loads(outlay("demo", "--calls", "1", "--json", *choice, *QUICK).stdout)
    assert list(found["by_provider"]) == ["mock-premium"]


def test_the_summary_agrees_with_the_ledger(outlay: Outlay) -> None:
    done = outlay("demo", "--json", "--multi", *QUICK)
    summary, ledger = json.loads(done.stdout), _report(outlay, "provider")
    assert done.stderr.splitlines() == [f"Call {number}/6" for number in range(1, 7)]
    for name in ("calls", "input_tokens", "output_tokens", "total_tokens", "cost"):
        assert summary["total"][name] == ledger["total"][name]
    assert summary["total"]["avg_latency_ms"] == pytest.approx(ledger["total"]["avg_latency_ms"])
    assert {name: each["cost"] for name, each in summary["by_provider"].items()} == {
        row["provider"]: row["cost"] for row in ledger["rows"]
    }


def test_row_097_a_key_is_never_printed(outlay: Outlay, monkeypatch: pytest.MonkeyPatch) -> None:
    from outlay.llm.openai_adapter import OpenAIAdapter  # noqa: PLC0415 - only here

    class Refusing:
        def __init__(self, *_where: Any) -> None:
            self.chat = self.completions = self

        def create(self, **_asked: Any) -> Any:
            raise PermissionError("no such key")

    monkeypatch.setattr("outlay.llm.openai_adapter._client", Refusing)
    assert OpenAIAdapter().model == "gpt-4o-mini"
    done = outlay(
        "demo", "--provider", "openai", "--calls", "1", "--show-calls", OPENAI_API_KEY="sk-secret-of-mine"
    )
    assert done.returncode == 1  # every call failed
    assert "failed: PermissionError" in done.stdout
    assert "1 (0 succeeded)" in done.stdout
    assert "secret" not in done.stdout + done.stderr
    assert _report(outlay, "error_type")["rows"][0]["error_type"] == "PermissionError"


def _report(outlay: Outlay, by: str) -> Any:
    return json.loads(outlay("report", "--by", by, "--json").stdout)


def test_calls_that_could_not_be_kept_fail_the_demo(outlay: Outlay, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the ledger's folder should be")
    done = outlay("--ledger", str(tmp_path / "taken"), "demo", *QUICK)
    assert done.returncode == 1
    assert "Total calls       : 6" in done.stdout
