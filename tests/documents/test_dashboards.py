"""Rows 91, 92 and 94: logs of every kind come in, a picture, and a page, from the command line."""

import json
import re
import struct
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.command import Command, run_command

from outlay import process
from outlay.cli import main
from outlay.logs import tracked_llm_call
from outlay.trackers import CostTracker, UsageRecord

SECTIONS = ("overview", "performance", "tokens", "cost", "agents", "operations")


@pytest.fixture
def outlay(tmp_path: Path) -> Command:
    return run_command(tmp_path)


def logged(path: Path) -> None:
    """Write what the guide's functions write: one call that worked and one that failed."""
    usage = SimpleNamespace(input_tokens=1500, output_tokens=300)
    asking: list[Callable[[Any], Any]] = [
        lambda prompt: SimpleNamespace(model="gpt-4o", usage=usage),
        lambda prompt: 1 / 0,
    ]
    tracked_llm_call("hello", "u1", "faq", call_llm=asking[0], log_file=path)
    with pytest.raises(ZeroDivisionError):
        tracked_llm_call("hello", "u1", None, call_llm=asking[1], log_file=path)


def test_row_091_logs_come_in_once_with_cost_and_status(outlay: Command, tmp_path: Path) -> None:
    logged(tmp_path / "llm_calls.jsonl")
    tracker = CostTracker(tmp_path / "usage.json")
    tracker.log(UsageRecord("gpt-4o", 1000, 500, "2024-06-15T10:00:00Z", "user_1"))
    for new in (3, 0):
        done = outlay("import", "llm_calls.jsonl", "usage.json", "--json")
        assert done.returncode == 0, done.stderr
        assert sum(file["new"] for file in json.loads(done.stdout)["files"]) == new
    rows = json.loads(outlay("report", "--by", "user,status", "--json").stdout)["rows"]
    # 1500 x 2.50 + 300 x 10, and 1000 x 5 + 500 x 15, a million
    assert [(row["user"], row["status"], row["cost"]) for row in rows] == [
        ("u1", "error", None),
        ("u1", "success", "0.00675"),
        ("user_1", "success", "0.0125"),
    ]


@pytest.mark.parametrize("calls", [0, 3])
def test_row_092_the_picture(outlay: Command, tmp_path: Path, calls: int) -> None:
    if calls:
        outlay("demo", "--no-sleep", "--calls", str(calls))
    done = outlay("dashboard", "--png", "dashboard.png")
    assert (done.returncode, done.stdout) == (0, "Dashboard saved to dashboard.png\n")
    head = (tmp_path / "dashboard.png").read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", head[16:24]) == (1200, 800)


def test_row_092_the_four_titles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    titles: list[str] = []
    monkeypatch.setattr("outlay.render.png._head", lambda axes, title: titles.append(title))
    monkeypatch.chdir(tmp_path)
    assert main(["--ledger", "memory:", "dashboard", "--png", "dashboard.png"]) == 0
    process.use(None)
    assert titles == ["Daily Cost", "Cost by Model", "Latency Distribution", "Success Rate"]


def test_row_094_the_page_is_one_file_with_all_sections(outlay: Command, tmp_path: Path) -> None:
    outlay("demo", "--no-sleep", "--multi")
    assert outlay("dashboard", "--html", "page.html").returncode == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert not re.search(r"<(?:link|img|iframe|script)[^>]+(?:src|href)=.https?:", page)
    assert tuple(name.lower() for name in re.findall(r"<h2[^>]*>([^<]*)", page)) == SECTIONS
