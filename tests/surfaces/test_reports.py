"""Every report as JSON, CSV, Markdown and text: each figure is the ledger's, no unpriced call is hidden."""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.support.shown import check_text, check_view

from outlay.core.query import Row
from outlay.render import overview, reports, time_views, views
from outlay.render.as_table import Page
from outlay.render.calls import calls_view
from outlay.render.sheets import View, view_markdown
from outlay.report import LedgerReader
from outlay.report.caching import caching_of
from outlay.report.economics import economics_of
from outlay.report.errors import errors_of
from outlay.report.forecast import forecast_of
from outlay.report.latency import latency_of
from outlay.report.overview import overview_of
from outlay.report.pattern import pattern_of
from outlay.report.plain import plain
from outlay.report.quality import quality_of
from outlay.report.shares import shares_of
from outlay.report.top import top_of
from outlay.report.trend import trend_of

Shown = Callable[..., str]
Asked = tuple[Callable[[LedgerReader], Any], Callable[[Any], View]]
UTC = ZoneInfo("UTC")


def _report(by: str, **more: Any) -> Asked:
    return lambda reader: shares_of(reader.report(by, **more), "cost"), reports.report_view


def _trend(unit: str, since: str) -> Asked:
    return lambda reader: trend_of(reader, unit, since=since), time_views.trend_view


def _latency(found: Any) -> View:
    return views.latency_view(found, UTC)


CASES: Mapping[str, Asked] = {
    "": (overview_of, overview.overview_view),
    "report": (lambda reader: reader.report(), reports.report_view),
    "report --by model": _report("model"),
    "report --by user,model --order cost": _report("user,model", order="cost"),
    "report --by day,tag:feature": _report("day,tag:feature"),
    "report --by currency --metric users --metric error_cost --metric slow:5000": _report(
        "currency", metrics=("users", "error_cost", "slow:5000")
    ),
    "report --by status --since 2026-10-01 --until 2026-11-02 --tz Asia/Tokyo": _report(
        "status", since="2026-10-01", until="2026-11-02", tz="Asia/Tokyo"
    ),
    "report --by model --where query_type=rag --where tag:feature=mail": _report(
        "model", where={"query_type": "rag", "tag:feature": "mail"}
    ),
    "top --of users": (lambda reader: top_of(reader, "users", limit=10), reports.report_view),
    "top --of sessions --by tokens -n 3": (
        lambda reader: top_of(reader, "sessions", order="total_tokens", limit=3),
        reports.report_view,
    ),
    "top --of features": (lambda reader: top_of(reader, "features", limit=10), reports.report_view),
    "users": (
        lambda reader: top_of(reader, "users", order="cost", limit=20, metrics=("sessions",)),
        reports.report_view,
    ),
    "trend": _trend("day", "30d"),
    "trend --by hour": _trend("hour", "48h"),
    "trend --by week": _trend("week", "12w"),
    "trend --by month": _trend("month", "365d"),
    "trend --pattern": (pattern_of, time_views.pattern_view),
    "forecast": (forecast_of, time_views.forecast_view),
    "latency": (
        lambda reader: latency_of(reader, "model", slow_ms=10_000, slowest=5, order="calls"),
        _latency,
    ),
    "errors": (errors_of, views.errors_view),
    "cache": (lambda reader: caching_of(reader, order="cost"), views.caching_view),
    "quality": (lambda reader: quality_of(reader, order="calls"), views.quality_view),
    "economics --by model": (
        lambda reader: economics_of(reader, "model", order="cost"),
        views.economics_view,
    ),
}


def test_every_number_of_every_report_is_the_ledgers(reader: LedgerReader, outlay: Shown) -> None:
    for command, (ask, view) in CASES.items():
        args = command.split()
        found = ask(reader)
        laid_out = view(found)
        document = json.loads(outlay(*args, "--json"))
        _close(document, json.loads(json.dumps(plain(found.to_dict()))), command)
        markdown = outlay(*args, "--markdown") if args else view_markdown(laid_out)
        check_view(laid_out, markdown)
        check_text(outlay(*args), markdown)
        if args:
            _check_csv(outlay(*args, "--csv"), laid_out, command)
        _check_unpriced(document, markdown, reader)


def _close(ours: Any, theirs: Any, where: str) -> None:
    """Compare two documents; a mean may differ in its last bit, whose order of addition nobody promises."""
    if isinstance(theirs, float) and isinstance(ours, float):
        assert ours == pytest.approx(theirs, rel=1e-9), where
    elif isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), where
        for key, value in theirs.items():
            _close(ours[key], value, f"{where}: {key}")
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), where
        for place, value in enumerate(theirs):
            _close(ours[place], value, f"{where}: {place}")
    else:
        assert ours == theirs, where


def _check_csv(text: str, view: View, command: str) -> None:
    lines = list(csv.DictReader(io.StringIO(text)))
    sheet = view.sheets[0]
    alone = [] if sheet.total is None or command.startswith("report --by") else [sheet.total]
    rows: list[Row] = list(sheet.rows or alone)
    assert len(lines) == len(rows), command
    for line, row in zip(lines, rows, strict=True):
        for key, value in row.items():
            if key in line:
                _check_csv_cell(line[key], value, f"{command}: {key}")


def _check_csv_cell(cell: str, value: Any, where: str) -> None:
    if value is None:
        assert cell == "", where
    elif isinstance(value, Decimal):
        assert Decimal(cell) == value, where
    elif isinstance(value, bool):
        assert cell == str(value), where
    elif isinstance(value, int):
        assert int(cell) == value, where
    elif isinstance(value, float):
        assert float(cell) == pytest.approx(value, rel=1e-9), where
    elif isinstance(value, str):
        assert cell == value, where
    else:
        assert json.loads(cell) == plain(value), where


def _check_unpriced(document: dict[str, Any], markdown: str, reader: LedgerReader) -> None:
    """What a document tells of unpriced calls stands below its tables; and of a whole ledger it is told."""
    told = sum(each["calls"] for each in document.get("unpriced", ()))
    said = re.search(r"cost unknown or partial for ([\d,]+) call", markdown)
    assert (int(said[1].replace(",", "")) if said else 0) in (told, 0)
    if "unknown" in markdown.split("\n\n", maxsplit=1)[0]:
        assert told
    if document.get("by") == [] and "total" in document and document.get("since") is None and told:
        assert told == reader.report().total["unpriced_calls"]


def test_single_calls_are_the_ledgers(reader: LedgerReader, outlay: Shown) -> None:
    for command, order in (("calls", "time"), ("top", "cost"), ("top --by latency", "latency")):
        args = [*command.split(), "-n", "7"]
        found = reader.calls(7, order)  # type: ignore[arg-type]  # words of a table
        document = json.loads(outlay(*args, "--json"))["calls"]
        assert [each["id"] for each in document] == [record.id for record in found]
        assert [each.get("cost") for each in document] == [plain(record.cost) for record in found]
        check_view(calls_view(found, UTC), outlay(*args, "--markdown"))


@pytest.mark.parametrize(
    ("asked", "lacking"),
    [
        ("report --by model", "p95"),
        ("top --of models", "p95"),
        ("economics", "a right answer"),
        ("latency", "of timed"),
        ("errors", "share"),
        ("cache", "writing cost"),
        ("users", "avg"),
        ("whatif --model gpt-4o-mini", "calls"),
        ("prices show gpt-4o", "link"),
        ("calls", "latency"),
    ],
)
def test_a_terminal_is_told_which_columns_it_has_no_room_for(
    many: LedgerReader,
    outlay: Shown,
    monkeypatch: pytest.MonkeyPatch,
    asked: str,
    lacking: str,
) -> None:
    """They were gone without a sign from all tables but those of single calls; a pipe has all of them."""
    assert "no room here" not in outlay(*asked.split())
    monkeypatch.setattr("outlay.cli.session.page_of_terminal", lambda: Page(50))
    said = " ".join(outlay(*asked.split()).split())
    found = re.search("no room here for (.*?); --json has all", said)
    assert found is not None
    assert lacking in found[1].split(", ")
