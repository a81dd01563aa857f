"""The collector: every call of the ledger as a row, filtered, with its columns even when it is empty."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import outlay
from outlay import process
from outlay.core.errors import MissingExtraError
from outlay.llm import Llm, LlmConfig
from outlay.observability import COLUMNS, LlmOperationCollector
from outlay.report import LedgerReader
from outlay.settings import Settings


@pytest.fixture(autouse=True)
def _memory(tmp_path: Path) -> Any:
    process.use(Settings(home=tmp_path, ledger="memory:"))
    yield
    process.use(None)


def call(**given: Any) -> None:
    outlay.record(provider="openai", model="gpt-4o", input_tokens=1000, output_tokens=500, **given)


def test_row_088_an_empty_ledger_still_has_its_columns() -> None:
    frame = LlmOperationCollector.polars_from_db()
    assert frame.is_empty()
    assert frame.columns == list(COLUMNS)
    assert frame.select(["provider", "model", "input_tokens", "output_tokens", "cost"]).width == 5


def test_row_088_the_last_call_of_this_process_is_in_it() -> None:
    options = {"seed": 1, "sleep": False}
    client = Llm(LlmConfig(provider="mock-fast", model="mock-fast", options=options))
    client.complete("hi")
    latest = client.usage.latest_completion
    assert latest is not None
    (row,) = LlmOperationCollector.polars_from_db().to_dicts()
    assert (row["provider"], row["model"], row["success"]) == ("mock-fast", "mock-fast", True)
    assert (row["input_tokens"], row["output_tokens"]) == (latest.input_tokens, latest.output_tokens)
    assert row["cost"] == float(latest.cost or 0)
    assert row["operation_id"] == latest.record_id


def test_the_ledger_that_it_opened_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[LedgerReader] = []

    def close(reader: LedgerReader) -> None:
        closed.append(reader)

    monkeypatch.setattr(LedgerReader, "close", close)
    LlmOperationCollector.polars_from_db()
    assert len(closed) == 1
    LlmOperationCollector.polars_from_db(ledger=outlay.open())
    assert len(closed) == 1  # what was handed in is the caller's


def test_row_088_every_filter() -> None:
    call(agent="a1", action="b1", session="s1", workspace="w1", at="2026-01-01T00:00:00Z")
    call(agent="a2", action="b2", session="s2", workspace="w2", at="2026-01-02T00:00:00Z")
    ask = LlmOperationCollector.polars_from_db
    for name, value in (("agent_id", "a2"), ("action_id", "b2"), ("session_id", "s2"), ("workspace", "w2")):
        found = ask(**{name: value})  # type: ignore[arg-type] # one filter at a time
        assert found[name].to_list() == [value]
    assert ask(start_date="2026-01-02")["agent_id"].to_list() == ["a2"]
    assert ask(end_date="2026-01-02")["agent_id"].to_list() == ["a1"]
    assert ask(agent_id="a1", workspace="w2").is_empty()
    with pytest.raises(ValueError, match="soon"):
        ask(start_date="soon")


def test_row_089_models_providers_and_agents_are_kept_apart() -> None:
    call(agent="a")
    call(agent="b")
    outlay.record(provider="anthropic", model="claude-3-opus", input_tokens=1, output_tokens=1, agent="a")
    frame = LlmOperationCollector.polars_from_db()
    counted = frame.group_by("provider", "agent_id").len().sort("provider", "agent_id")
    assert counted.rows() == [("anthropic", "a", 1), ("openai", "a", 1), ("openai", "b", 1)]


def test_what_is_not_known_is_null_and_times_are_utc() -> None:
    at = "2026-01-01T01:00:00+01:00"
    outlay.record(provider="p", model="nobody-knows", at=at, input_tokens=1, output_tokens=1)
    frame = LlmOperationCollector.polars_from_db()
    assert frame["cost"].to_list() == [None]
    assert frame["timestamp"].to_list() == [datetime(2026, 1, 1, tzinfo=UTC)]
    assert frame.schema["timestamp"] == pl.Datetime("us", "UTC")


def test_row_106_without_polars_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MissingExtraError, match=r"outlay\[polars\]"):
        LlmOperationCollector.polars_from_db()
