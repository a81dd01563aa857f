"""Row 105: every Python block of the five documents runs, as printed and with outlay's own functions."""

import ast
import asyncio
import inspect
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Optional
from unittest.mock import MagicMock

import pytest
from tests.support.django_fixtures import sqlite, sqlite_alias

import outlay
from outlay import alerts, logs, process, trackers
from outlay.compat import install, uninstall
from outlay.compat.dd_llm import CostTracker as EmptyTracker
from outlay.llm import DictRegistry, LlmConfig, LLMEntry, LLMResponse, LLMTier, get_adapter
from outlay.llm.adapters import default
from outlay.settings import Settings

__all__ = ["sqlite", "sqlite_alias"]  # fixtures
BLOCKS = Path(__file__).parent / "blocks"
Names = dict[str, Any]


def run(block: str, names: Names, *, without: tuple[str, ...] = ()) -> Names:
    """Run a block as a module's text; definitions named in ``without`` are left out of it."""
    source = (BLOCKS / f"{block}.txt").read_text(encoding="utf-8")
    tree = ast.parse(source)
    tree.body = [statement for statement in tree.body if not _defines(statement, without)]
    code = compile(tree, block, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names.setdefault("__name__", block)
    made = eval(code, names)  # noqa: S307 - blocks of our own documents
    if inspect.iscoroutine(made):
        asyncio.run(made)
    return names


def _defines(statement: ast.stmt, names: tuple[str, ...]) -> bool:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return statement.name in names
    if isinstance(statement, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id in names for target in statement.targets)
    return False


def call_llm(prompt: str, model: str = "gpt-4o") -> Any:
    """The smallest stub of a model: 1500 tokens in, 300 out."""
    usage = SimpleNamespace(input_tokens=1500, output_tokens=300)
    return SimpleNamespace(model=model, usage=usage, content=f"an answer to {len(prompt)} characters")


class Stub:
    """The smallest stub of a provider."""

    def call(self, prompt: str, **options: Any) -> LLMResponse:
        return LLMResponse("hi", 1500, 300, None, 5.0, success=True, provider="stub", model="gpt-4o")


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    process.use(Settings(home=tmp_path, ledger="memory:"))
    for name in ("openai", "anthropic"):
        default.register(name, Stub)
    install()
    yield
    uninstall()
    for name in ("openai", "anthropic"):
        default.unregister(name)
    process.use(None)
    for handler in root.handlers[len(before[0]) :]:
        handler.close()
    root.handlers[:] = before[0]
    root.setLevel(before[1])


# ---------------------------------------------------------------- calls and their records


def test_row_105_call_records(capsys: pytest.CaptureFixture[str]) -> None:
    names: Names = {
        "adapter": get_adapter("mock-balanced", seed=1, sleep=False),
        "CostTracker": EmptyTracker,
        "prompt": "What is gradient descent?",
    }
    run("call_records_01", names)
    run("call_records_02", names)
    shown = capsys.readouterr().out
    assert "COST & USAGE SUMMARY" in shown
    assert "Total calls       : 1 (1 succeeded)" in shown


# ---------------------------------------------------------------- a tracker with a file

OURS = ("PRICING", "UsageRecord", "calculate_cost", "CostTracker", "tracked_chat")


def test_row_105_usage_file_as_printed() -> None:
    names = run("usage_file_02", run("usage_file_01", {}))
    names["tracker"] = trackers.CostTracker("other.json")
    run("usage_file_03", names)
    assert names["chat"]([]) is None
    names["CostTracker"] = trackers.CostTracker  # the printed one has no bodies; its record class stays
    for times in (1, 2):
        assert run("usage_file_04", names)["total"] == 0.0125 * times


def test_row_105_usage_file_with_our_own() -> None:
    names: Names = {name: getattr(trackers, name) for name in OURS}
    names["tracker"] = trackers.CostTracker("chat.json")
    for block in ("usage_file_01", "usage_file_02", "usage_file_03", "usage_file_04"):
        run(block, names, without=OURS)
    assert names["by_day"] == {"2024-01-15": 0.0125}
    assert trackers.CostTracker("test_usage.json").total_calls() == 1


# ---------------------------------------------------------------- a tracker by model id


@pytest.mark.usefixtures("sqlite")
def test_row_105_usage_tracker(capsys: pytest.CaptureFixture[str]) -> None:
    entry = LLMEntry(1, "mini", "openai", "gpt-4o-mini", LLMTier.STANDARD, 0.00015, 0.0006)
    names: Names = {
        "dataclass": dataclass,
        "Optional": Optional,
        "datetime": datetime,
        "request": SimpleNamespace(user=SimpleNamespace(id=7)),
        "registry": DictRegistry([entry]),
        "LLMTier": LLMTier,
    }
    for number in range(1, 7):
        run(f"usage_tracker_{number:02}", names)
        if number == 4:
            stats = names["tracker"].get_stats(user_id=7)
            assert type(names["tracker"]).__name__ == "DjangoUsageTracker"
            assert (stats.total_requests, stats.total_tokens, stats.total_cost) == (1, 600, 0.001)
    # 1500 x 0.00015 + 300 x 0.0006, a thousand = 0.000405
    assert capsys.readouterr().out.splitlines() == [
        "Total cost: $0.0010",
        "Total tokens: 600",
        "Cost: $0.001350",
        "This session: 1800 tokens, $0.0004",
    ]


# ---------------------------------------------------------------- the guide

GUIDE = (
    *("tracked_llm_call", "calculate_cost", "log_llm_call", "load_logs", "check_budget", "send_alert"),
    *("log_with_alert", "track_llm_cost"),
)


def plotting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let matplotlib draw without a screen, and a stand-in take what goes to a browser."""
    monkeypatch.setenv("MPLBACKEND", "Agg")
    streamlit = MagicMock()
    streamlit.columns.return_value = [MagicMock() for _ in range(4)]
    monkeypatch.setitem(sys.modules, "streamlit", streamlit)


def guide_names() -> Names:
    return {
        "call_llm": call_llm,
        "INPUT_PRICE": 2.50,
        "OUTPUT_PRICE": 10.00,
        "get_rag_context": lambda question: "one\n\ntwo",
        "classify_query": lambda query: "faq",
        "cost": 0.1,
        "latency": 1.0,
        "model": "gpt-4o",
        "quality_score": 1.0,
        "user_rating": 5,
        "correct": True,
    }


def use_the_guide(names: Names, shown: pytest.CaptureFixture[str]) -> None:
    """Do what a reader does with what the blocks define, and see that it says what it should."""
    names["rag_query"](prompt="q", context="c")
    names["summarize"]("a long text")
    names["log_with_alert"]("p", call_llm("p"), 0.5)
    Path("logs").mkdir(exist_ok=True)
    assert names["study_helper_query"]("what?", "u1").startswith("an answer")
    assert names["product_assistant"]("where is it?", "u1").startswith("an answer")
    assert Path("logs/faq.jsonl").exists()
    assert Path("dashboard.png").read_bytes().startswith(b"\x89PNG")
    names["plt"].close("all")
    names["check_budget"]()
    assert "ALERT" not in shown.readouterr().out


def test_row_105_the_guide_as_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plotting(monkeypatch)
    names = guide_names()
    run("cost_guide_01", names)["tracked_llm_call"]("hello")
    assert "✅ Success | Cost: $0.0067 | Latency: 0.00s" in capsys.readouterr().out
    run("cost_guide_02", names)["tracked_llm_call"]("hello", "u1", "faq")
    run("cost_guide_03", names)["tracked_call"]("hello")
    for number in range(4, 11):
        run(f"cost_guide_{number:02}", names)
    assert "Total cost: $0.01" in capsys.readouterr().out
    run("cost_guide_11", names)
    run("cost_guide_12", names)
    names["log_llm_call"] = (
        logs.log_llm_call
    )  # the printed decorator names a keyword that the printed one lacks
    for number in (13, 14, 15):
        run(f"cost_guide_{number}", names)
    use_the_guide(names, capsys)


def test_row_105_the_guide_with_our_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="outlay")
    plotting(monkeypatch)
    names = guide_names()
    names |= {name: getattr(logs, name) for name in GUIDE if hasattr(logs, name)}
    names |= {"check_budget": alerts.check_budget, "send_alert": alerts.send_alert}
    names["calculate_cost"] = partial(outlay.calculate_cost, input_price=2.50, output_price=10.00)
    for number in (1, 2, 3):
        run(f"cost_guide_{number:02}", names, without=GUIDE)
    for query_type in ("faq", None):
        # Their function lives in the reader's module, so call_llm is looked for in the module that calls it.
        eval("tracked_llm_call('hello', 'u1', kind)", names, {"kind": query_type})  # noqa: S307 - see above
    names["tracked_call"]("hello")
    for number in range(4, 16):
        run(f"cost_guide_{number:02}", names, without=GUIDE)
    shown = capsys.readouterr().out
    assert "Total queries: 2" in shown
    assert "Success rate: 100.0%" in shown
    assert "unknown" in shown  # the call without a query type is a row of its own
    use_the_guide(names, capsys)
    assert len([record for record in caplog.records if record.levelno == logging.INFO]) == 4


# ---------------------------------------------------------------- a client with usage


def test_row_105_client_usage(capsys: pytest.CaptureFixture[str]) -> None:
    names: Names = {
        "config_openai": LlmConfig(provider="openai", api_key="k", model="gpt-4o"),
        "config_anthropic": LlmConfig(provider="anthropic", api_key="k", model="claude-3-5-sonnet"),
    }
    for number in range(1, 6):
        run(f"client_usage_{number:02}", names)
    shown = capsys.readouterr().out
    # 1500 x 2.50 + 300 x 10 = 6750 a million; an exact half is shown to the even digit
    assert "Total tokens used: 1800\nEstimated cost: $0.0068\n" in shown
    assert "Cost: $0.00675\n" in shown
    assert "Combined cost: $0\n" in shown
    assert "Happy hour" not in shown
    assert names["df"].select(["provider", "model", "cost"]).rows() == [("openai", "gpt-4o", 0.00675)]


def test_row_105_the_live_dashboard_draws_in_streamlit_itself() -> None:
    from tests.support.app_test import AppTest  # noqa: PLC0415 - only here

    logs.tracked_llm_call("hello", "u1", "faq", call_llm=call_llm)
    block = (BLOCKS / "cost_guide_09.txt").read_text(encoding="utf-8")
    page = AppTest.from_string(f"from outlay.logs import load_logs\n{block}", default_timeout=60).run()
    assert not page.exception
    assert page.title[0].value == "LLM Cost Dashboard"
    shown = {metric.label: metric.value for metric in page.metric}
    assert shown.pop("Avg Latency").endswith("s")
    assert shown == {"Total Cost": "$0.01", "Queries": "1", "Success Rate": "100.0%"}
