"""Rows that a log's frame answers, and the ledger must answer alike; and one payload of each API."""

import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import outlay
from outlay import process
from outlay.report.shares import shares_of
from outlay.settings import Settings

PAYLOADS: dict[tuple[str, str], Any] = {
    ("openai", "chat"): {"usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}},
    ("openai", "responses"): {"usage": {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}},
    ("openai", "completions"): {"usage": {"prompt_tokens": 1000, "completion_tokens": 100}},
    ("anthropic", "messages"): {
        "usage": {"input_tokens": 500, "cache_read_input_tokens": 300, "cache_creation_input_tokens": 200}
        | {"output_tokens": 100}
    },
    ("google", "generate_content"): {
        "usageMetadata": {"promptTokenCount": 1000, "candidatesTokenCount": 60, "thoughtsTokenCount": 40}
        | {"totalTokenCount": 1100}
    },
    ("bedrock", "converse"): {"usage": {"inputTokens": 1000, "outputTokens": 100, "totalTokens": 1100}},
    ("mistral", "chat"): {"usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}},
    ("deepseek", "chat"): {
        "usage": {"prompt_tokens": 1000, "prompt_cache_hit_tokens": 400, "prompt_cache_miss_tokens": 600}
        | {"completion_tokens": 100, "total_tokens": 1100}
    },
    ("cohere", "cohere_chat"): {"usage": {"billed_units": {"input_tokens": 1000, "output_tokens": 100}}},
    ("ollama", "ollama_chat"): {"model": "m", "done": True, "prompt_eval_count": 1000, "eval_count": 100},
    ("ollama", "ollama_generate"): {"model": "m", "done": True, "prompt_eval_count": 1000, "eval_count": 100},
    ("groq", "chat"): {"usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}},
    ("xai", "chat"): {
        "usage": {"prompt_tokens": 1000, "completion_tokens": 60, "total_tokens": 1100}
        | {"completion_tokens_details": {"reasoning_tokens": 40}}
    },
    ("openrouter", "chat"): {
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    },
}


@pytest.mark.parametrize(("provider", "api"), PAYLOADS)
def test_row_033_one_payload_of_each_api_gives_the_same_counts(provider: str, api: str) -> None:
    usage = outlay.usage_of(PAYLOADS[provider, api], provider=provider, api=api)
    assert (usage.input_tokens, usage.output_tokens) == (1000, 100)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Any]:
    process.use(Settings(home=tmp_path, ledger="memory:"))
    with outlay.open() as reader:
        yield reader
    process.use(None)


def test_row_075_optional_metrics_are_dimensions_of_every_report(ledger: Any) -> None:
    call: dict[str, Any] = {
        "provider": "openai",
        "model": "gpt-4o",
        "at": "2026-11-01T14:30:00Z",
        "user": "user_123",
    }
    outlay.record(**call, query_type="faq", input_tokens=1000, cached_tokens=650, output_tokens=1)
    outlay.record(**call, query_type="rag", error="slow", error_type="TimeoutError")
    hours = ledger.report(by="hour").rows
    assert [(row["hour"], row["cache_hit_rate"]) for row in hours] == [("2026-11-01T14:00:00+00:00", 0.65)]
    for name, values in (("user", ["user_123"]), ("query_type", ["faq", "rag"])):
        assert [row[name] for row in ledger.report(by=name).rows] == values
    assert [row["error_type"] for row in ledger.report(by="error_type").rows] == ["TimeoutError", None]


def test_row_083_shares_of_a_month(ledger: Any) -> None:
    for query_type, cost in (("rag", "89"), ("summary", "31"), (None, "7.34")):
        outlay.record(provider="openai", model="gpt-4o", cost=cost, query_type=query_type)
    report = shares_of(ledger.report(by="query_type", since="month", order="cost"))
    assert report.total["cost"] == Decimal("127.34")
    shares = [(row["query_type"], round(row["share"] * 100)) for row in report.rows]
    assert shares == [("rag", 70), ("summary", 24), (None, 6)]


def test_row_084_the_ten_dearest_calls(ledger: Any) -> None:
    for cents in (5, 30, 1, *range(2, 12)):
        outlay.record(provider="openai", model="gpt-4o", cost=Decimal(cents) / 100)
    costs = [record.cost for record in ledger.calls(limit=10, order="cost")]
    assert costs == [Decimal(cents) / 100 for cents in (30, 11, 10, 9, 8, 7, 6, 5, 5, 4)]


def test_row_086_percentiles_of_a_report_are_linear(ledger: Any) -> None:
    for milliseconds in range(1, 101):
        outlay.record(provider="openai", model="gpt-4o", input_tokens=1, latency_ms=float(milliseconds))
    total = ledger.report().total
    found = [total[f"p{percent}_latency_ms"] for percent in (50, 95, 99)]
    assert found == pytest.approx([50.5, 95.05, 99.01])


OFFLINE = """
import socket

def refuse(*args, **kwargs):
    raise AssertionError("the network was asked")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
import outlay
assert float(outlay.cost_of({"input": 1000}, provider="openai", model="gpt-4o").amount) == 0.0025
"""


def test_row_032_prices_need_no_network() -> None:
    subprocess.run([sys.executable, "-c", OFFLINE], check=True)
