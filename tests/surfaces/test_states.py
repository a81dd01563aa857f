"""One call in each state of a cost, in every way out: none is told as another, the unknown never as 0."""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq  # type: ignore[import-untyped] # it ships no types
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from tests.support.app_test import AppTest
from tests.support.wire import Kept

from outlay import process
from outlay.alerts.messages import message_of
from outlay.alerts.rules import rules_of
from outlay.alerts.standing import standings
from outlay.capture import Recorder
from outlay.cli import main
from outlay.cli.watch_view import call_cells, totals_text
from outlay.contrib import streamlit_app
from outlay.core.record import Record
from outlay.core.usage import Usage
from outlay.ledger import DuckLedger
from outlay.otel import export_metrics
from outlay.pricing import cost_of
from outlay.render.html import html_text
from outlay.render.png import note
from outlay.render.summary import summary_text
from outlay.report import LedgerReader
from outlay.report.live import Live
from outlay.report.page import page_of
from outlay.report.picture import picture_of
from outlay.report.summary import summary_of
from outlay.settings import Settings
from outlay.testing import FixedClock

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OLD = datetime(2024, 1, 15, tzinfo=UTC)  # the first known price of gpt-4o is of May 2024
MILLION = 1_000_000
FREE = "deepseek/deepseek-r1:free"
CALLS: dict[str, tuple[str, str, Usage, datetime]] = {
    "priced": ("openai", "gpt-5", Usage.of({"input": MILLION}), NOW),
    "reported": ("xai", "grok-4.3", Usage.of({"input": 1000}, reported_cost=Decimal("0.5")), NOW),
    "free": ("openrouter", FREE, Usage.of({"input": 1000}), NOW),
    "partial": ("openai", "gpt-4.1", Usage.of({"input": MILLION, "video_seconds": 3}), NOW),
    "unpriced": ("openai", "gpt-99-imaginary", Usage.of({"input": 1000}), NOW),
    "extrapolated": ("openai", "gpt-4o", Usage.of({"input": MILLION}), OLD),
}
# 1.25, 2 and 5 dollars a million; half a dollar is stated, and of the film nobody knows the rate
COSTS: dict[str, str | None] = {
    "priced": "1.25",
    "reported": "0.5",
    "free": "0",
    "partial": "2",
    "unpriced": None,
    "extrapolated": "5",
}
STATES = tuple(CALLS)
MODELS = {model: state for state, (_, model, _, _) in CALLS.items()}
SUM = Decimal("8.75")
LACKING = (
    "cost unknown or partial for 2 calls, not wholly in the cost:"
    " openai/gpt-4.1 (1), openai/gpt-99-imaginary (1)"
)
LATER = "older than the first known price, which was taken: 1 call, openai/gpt-4o (1)"


def state_of(status: str, *, extrapolated: bool) -> str:
    """Give the state that a row tells of."""
    return "extrapolated" if status == "priced" and extrapolated else status


def recorded() -> list[Record]:
    kept = Kept()
    recorder = Recorder(kept, clock=FixedClock(NOW), price=cost_of)
    for provider, model, usage, at in CALLS.values():
        recorder.record(provider=provider, model=model, usage=usage, at=at, latency_ms=800.0)
    return kept.records


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("states") / "ledger"
    ledger = DuckLedger(folder)
    ledger.add(recorded())
    ledger.close()
    return folder


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    monkeypatch.setenv("OUTLAY_LEDGER", str(home))
    monkeypatch.chdir(home)
    process.use(None)

    def answer(*args: str) -> str:
        code = main(args)
        out, err = capsys.readouterr()
        assert code == 0, err
        return out

    yield answer
    process.use(None)


@pytest.fixture
def reader(home: Path) -> Iterator[LedgerReader]:
    ledger = DuckLedger(home)
    yield LedgerReader(ledger, now=lambda: NOW)
    ledger.close()


def cost_text(value: Any) -> str | None:
    return None if value in (None, "") else f"{Decimal(value).normalize():f}"


def check_rows(rows: list[dict[str, Any]]) -> None:
    """Hold each row's cost and state: a free call has a known 0, an unpriced one has nothing."""
    found = {MODELS[row["model"]]: row for row in rows}
    assert {state: cost_text(row["cost"]) for state, row in found.items()} == COSTS
    for state, row in found.items():
        flags = row.get("flags") or "[]"
        known = json.loads(flags) if isinstance(flags, str) else flags
        assert state_of(row["cost_status"], extrapolated="extrapolated" in known) == state


def test_export_as_csv(run: Any) -> None:
    check_rows(list(csv.DictReader(io.StringIO(run("export", "--format", "csv")))))


def test_export_as_json_lines(run: Any) -> None:
    rows = [json.loads(line) for line in run("export", "--format", "jsonl").splitlines()]
    check_rows([{**row, "flags": row.get("cost_flags"), "cost": row.get("cost")} for row in rows])


def test_export_as_parquet_and_frames(run: Any, reader: LedgerReader, tmp_path: Path) -> None:
    file = tmp_path / "calls.parquet"
    run("export", "--format", "parquet", "--output", str(file))
    check_rows([{**row, "flags": row["cost_flags"]} for row in pq.read_table(file).to_pylist()])
    check_rows(reader.to_arrow().to_pylist())
    check_rows(reader.to_polars().to_dicts())
    frame = reader.to_pandas()
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    check_rows([{str(name): value for name, value in row.items()} for row in rows])


def test_sql_over_the_view(run: Any) -> None:
    rows = json.loads(run("sql", "SELECT model, cost, cost_status, extrapolated FROM calls", "--json"))[
        "rows"
    ]
    found = {
        MODELS[row["model"]]: (
            cost_text(row["cost"]),
            state_of(row["cost_status"], extrapolated=row["extrapolated"]),
        )
        for row in rows
    }
    assert found == {state: (cost, state) for state, cost in COSTS.items()}


def test_single_calls_as_text_and_json(run: Any) -> None:
    lines = [line for line in run("calls").splitlines() if any(model in line for model in MODELS)]
    told = {state: next(line for line in lines if model in line) for model, state in MODELS.items()}
    for state, line in told.items():
        assert re.search(rf"\b{'success' if state == 'priced' else state}\b", line), line
    assert "$" not in told["unpriced"]
    rows = json.loads(run("calls", "--json"))["calls"]
    check_rows([{**row, "flags": row.get("cost_flags"), "cost": row.get("cost")} for row in rows])


REPORTS = (
    *(("report",), ("report", "--by", "day"), ("trend",), ("forecast",), ("errors",)),
    *(("users",), ("cache",), ("quality",), ("economics",), ("savings",)),
)


@pytest.mark.parametrize("command", REPORTS, ids=" ".join)
def test_every_report_says_which_calls_have_no_price_of_their_day(command: tuple[str, ...], run: Any) -> None:
    since = () if command[0] == "forecast" else ("--since", "2024-01-01")
    text = " ".join(run(*command, *since).split())
    found = json.loads(run(*command, *since, "--json"))
    expected = command[0] != "forecast"  # it looks at the days before today alone
    assert (LACKING in text, LATER in text) == (True, expected)
    assert {row["model"] for row in found["unpriced"]} == {"gpt-4.1", "gpt-99-imaginary"}
    assert [row["model"] for row in found["extrapolated"]] == ["gpt-4o"] * expected


def test_the_sum_holds_what_is_known_and_each_model_says_what_it_is(reader: LedgerReader) -> None:
    found = reader.report("model")
    assert found.total["cost"] == SUM
    costs = {MODELS[row["model"]]: cost_text(row["cost"]) for row in found.rows}
    assert costs == COSTS
    assert {row["model"] for row in found.rows if row["unpriced_calls"]} == {"gpt-99-imaginary"}
    statuses = {row["cost_status"]: row["calls"] for row in reader.report("cost_status").rows}
    assert statuses == {"priced": 2, "reported": 1, "free": 1, "partial": 1, "unpriced": 1}
    later = reader.report("model", metrics=("extrapolated_calls",)).rows
    assert {row["model"]: row["extrapolated_calls"] for row in later} == {
        model: int(state == "extrapolated") for model, state in MODELS.items()
    }


def test_the_picture_and_the_page(reader: LedgerReader) -> None:
    said = (
        "Costs are without 2 calls whose cost is not, or not wholly, known (gpt-4.1, gpt-99-imaginary)"
        " and at a price of a later day for 1 call"
    )
    assert note(picture_of(reader, since="2024-01-01")) == said
    page = html_text(page_of(reader, since="2024-01-01"))
    assert '"unpriced":["gpt-4.1","gpt-99-imaginary"],"extrapolated":["gpt-4o"]' in page


def test_the_live_page(run: Any) -> None:
    app = AppTest.from_file(streamlit_app.__file__, default_timeout=60)
    app.query_params["period"] = "all"
    app.run()
    assert not app.exception
    assert any("2 calls whose cost is not, or not wholly, known" in each.value for each in app.warning)


def test_the_summary_of_a_run(reader: LedgerReader) -> None:
    text = summary_text(summary_of(reader.report("provider")))
    assert f"  Unpriced          : {LACKING}" in text
    assert f"  Extrapolated      : {LATER}" in text


def test_watch_tells_them_apart() -> None:
    live = Live(NOW)
    records = recorded()
    live.take(records)
    text = totals_text(live.total, NOW, ZoneInfo("UTC"))
    for part in ("$8.75", "1 of unknown cost", "1 priced in part", "1 at a price of later"):
        assert part in text
    cells = {MODELS[str(record.model)]: call_cells(record, ZoneInfo("UTC")) for record in records}
    assert {state: row[4] for state, row in cells.items()} == {
        state: "success" if state == "priced" else state for state in STATES
    }
    assert "$" not in cells["unpriced"][1]
    assert "$0" in cells["free"][1]


def test_an_alert_says_what_its_sum_lacks(reader: LedgerReader) -> None:
    (rule,) = rules_of({"rules": [{"name": "all", "budget": 1, "window": "day"}]})
    (found, *_) = standings((rule,), reader, NOW)
    message = message_of((found,))
    assert "1 call has no known cost and is not in it; of 1 call a part of the cost alone is in it" in message
    assert found.value == Decimal("3.75")  # 1.25 + 0.5 + 0 + 2 of that day


def test_metrics_count_calls_by_state_and_no_cost_where_none_is_known(tmp_path: Path) -> None:
    process.use(Settings(home=tmp_path, ledger="memory:")).recorder().sink = Kept()
    meters = InMemoryMetricReader()
    provider = MeterProvider([meters], shutdown_on_exit=False)
    stop = export_metrics(provider)
    sink = process.current().recorder().sink
    for record in recorded():
        sink.append(record)
    stop()
    process.use(None)
    data = meters.get_metrics_data()
    assert data is not None
    points: dict[str, list[Any]] = {
        metric.name: list(metric.data.data_points)
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    told = {
        MODELS[str(point.attributes["gen_ai.response.model"])]: state_of(
            str(point.attributes["outlay.cost.status"]),
            extrapolated="outlay.cost.extrapolated" in point.attributes,
        )
        for point in points["outlay.calls"]
    }
    assert told == {state: state for state in STATES}
    costs = {MODELS[str(point.attributes["gen_ai.response.model"])] for point in points["outlay.cost"]}
    assert costs == set(STATES) - {"unpriced"}
