"""All reports over a whole ledger: every number is the ledger's answer to that question, shares add up."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, FloatOperation, Inexact, InvalidOperation, localcontext
from itertools import pairwise
from math import isclose
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.support.spending import EUROPEAN, MODELS, NOW, records

from outlay.core.cost import Cost
from outlay.core.money import total
from outlay.core.query import METRICS, Query, Row, filters
from outlay.ledger import DuckLedger, MemoryLedger
from outlay.report import LedgerReader
from outlay.report.caching import caching_of
from outlay.report.economics import economics_of
from outlay.report.errors import errors_of
from outlay.report.forecast import forecast_of
from outlay.report.latency import latency_of
from outlay.report.money import amounts
from outlay.report.overview import overview_of
from outlay.report.page import page_of
from outlay.report.pattern import pattern_of
from outlay.report.plain import plain
from outlay.report.quality import quality_of
from outlay.report.review import review_of
from outlay.report.shares import shares_of
from outlay.report.top import KINDS, top_of
from outlay.report.trend import trend_of
from outlay.testing import call

COUNTS = [name for name in METRICS if name.endswith(("calls", "errors", "tokens"))]
ONE_ERROR = [call(NOW - timedelta(hours=1), status="error", error_type="Timeout", cost=None)]
LEDGERS = {
    "a thousand": records(1000),
    "several currencies": records(500, (*MODELS, EUROPEAN)),
    "all unpriced": records(300, MODELS[-1:]),
    "one error": ONE_ERROR,
    "empty": [],
}


def reader_of(ledger: Any) -> LedgerReader:
    return LedgerReader(ledger, now=lambda: NOW)


@pytest.fixture(params=LEDGERS)
def reader(request: pytest.FixtureRequest) -> LedgerReader:
    ledger = MemoryLedger()
    ledger.add(LEDGERS[request.param])
    return reader_of(ledger)


@pytest.fixture
def large(home_of: Callable[[str], Path]) -> Iterator[LedgerReader]:
    """Give a reader of 200,000 calls, of several currencies, that came in by a journal."""
    with closing(DuckLedger(home_of("many"))) as ledger:
        yield reader_of(ledger)


def test_every_number_is_the_ledgers(reader: LedgerReader) -> None:
    walk(reader)


def test_every_number_of_200_000_calls_is_the_ledgers(large: LedgerReader) -> None:
    assert large.report().total["calls"] == 200_000
    walk(large)


def walk(reader: LedgerReader) -> None:
    for check in (
        breakdowns,
        trends,
        patterns,
        latencies,
        failures,
        caches,
        tops,
        units,
        qualities,
        overviews,
        forecasts,
    ):
        check(reader)


def asked(reader: LedgerReader, *by: str, **query: Any) -> tuple[dict[Any, Row], Row]:
    """Ask the ledger itself; give its rows by their labels, and the total."""
    found = reader.ledger.rows(Query(by=by, **query))
    return {tuple(row[name] for name in by): row for row in found.rows}, found.total


def same(ours: Row, theirs: Row, *names: str) -> None:
    for name in names or theirs:
        if isinstance(theirs[name], float):
            assert isclose(ours[name], theirs[name], rel_tol=1e-9), name
        else:
            assert ours[name] == theirs[name], name
    assert ours.get("costs") == theirs.get("costs")


def adds_up(shares: list[float | None]) -> None:
    known = [share for share in shares if share is not None]
    assert not known or isclose(sum(known), 1.0, rel_tol=1e-9)


def breakdowns(reader: LedgerReader) -> None:
    for by in (("model",), ("user", "model"), ("day", "tag:feature")):
        report = reader.report(by)
        rows, whole = asked(reader, *by)
        same(report.total, whole)
        for metric in ("cost", "calls", "total_tokens", "errors"):
            shared = shares_of(report, metric)
            adds_up([row["share"] for row in shared.rows])
            for row in shared.rows:
                same(row, rows[tuple(row[name] for name in by)])
            if shared.rows and whole[metric] and shared.rows[-1]["share"] is not None:
                assert isclose(shared.rows[-1]["cumulative_share"], 1.0, rel_tol=1e-9)
        assert sum(each.calls for each in report.price_gaps) == whole["unpriced_calls"]


def trends(reader: LedgerReader) -> None:
    for unit in ("hour", "day", "week", "month"):
        trend = trend_of(reader, unit, since="20d", tz="Europe/Berlin")
        rows, whole = asked(reader, unit, since=NOW - timedelta(days=20), tz="Europe/Berlin")
        assert {row[unit] for row in trend.rows if row["calls"]} == {label for (label,) in rows}
        for row in trend.rows:
            if row["calls"]:
                same(row, rows[row[unit],])
            else:
                assert row["cost"] == 0
        same(trend.total, whole)
        assert sum(row["calls"] for row in trend.rows) == whole["calls"]
        before = asked(reader, since=NOW - timedelta(days=40), until=NOW - timedelta(days=20))[1]
        assert trend.before is not None
        same(trend.before, before, *COUNTS)
        _changes(trend.rows)


def test_a_call_of_a_far_year_has_a_row_and_fills_no_millennia() -> None:
    ledger = MemoryLedger()
    ledger.add([call(NOW), call(datetime(9999, 12, 31, 23, tzinfo=UTC)), call(NOW - timedelta(days=2))])
    for unit, last in (("day", "9999-12-31"), ("week", "9999-W52"), ("month", "9999-12")):
        rows = trend_of(LedgerReader(ledger, now=lambda: NOW), unit).rows
        assert (rows[-1][unit], rows[-1]["calls"], rows[-1]["complete"]) == (last, 1, False)
        assert len(rows) <= 4


@pytest.mark.parametrize(("zone", "change"), [("Europe/Berlin", "10-25T01"), ("Pacific/Chatham", "04-04T14")])
def test_each_hour_is_there_once_in_the_night_that_clocks_go_back(zone: str, change: str) -> None:
    """Asked in the second of the two hours: the first had no calls, and the second stood there twice."""
    back = datetime.fromisoformat(f"2026-{change}:00:00Z")
    ledger = MemoryLedger()
    ledger.add(call(back + timedelta(minutes=each)) for each in (-75, -1, -1, 0))
    trend = trend_of(LedgerReader(ledger, now=lambda: back + timedelta(minutes=5)), "hour", tz=zone)
    assert [(row["calls"], row["complete"]) for row in trend.rows] == [(1, True), (2, True), (1, False)]


def test_costs_of_two_currencies_have_no_change_and_days_without_calls_have() -> None:
    ledger = MemoryLedger()
    costs = ((3, "5", "EUR"), (1, "6", "EUR"), (0, "7", "USD"))
    ledger.add(call(NOW - timedelta(days=ago), cost=cost, currency=currency) for ago, cost, currency in costs)
    rows = trend_of(LedgerReader(ledger, now=lambda: NOW)).rows
    assert [row["cost_change"] for row in rows] == [None, Decimal(-5), Decimal(6), None]


def test_a_day_is_complete_from_the_midnight_to_the_midnight_that_were_asked_for() -> None:
    ledger, midnight = MemoryLedger(), NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    ledger.add([call(midnight - timedelta(hours=hours)) for hours in (1, 25)])
    rows = trend_of(LedgerReader(ledger, now=lambda: midnight), since=midnight - timedelta(days=2)).rows
    assert [(row["calls"], row["complete"]) for row in rows] == [(1, True), (1, True)]


def test_on_the_31st_an_overview_has_the_first_day_and_names_what_is_priced_in_part() -> None:
    now, ledger = datetime(2026, 10, 31, 12, tzinfo=UTC), MemoryLedger()
    ledger.add([call(now.replace(day=1, hour=0)), call(now, charge=Cost(Decimal(1), "partial"))])
    found = overview_of(LedgerReader(ledger, now=lambda: now))
    assert (found.month["calls"], found.month["cost"], found.week["calls"]) == (2, Decimal("1.1"), 1)
    assert [(each.model, each.calls) for each in found.price_gaps] == [("gpt-4o", 1)]


def test_hours_and_weekdays_are_those_of_the_zone() -> None:
    ledger = MemoryLedger()
    ledger.add([call("2026-11-19T23:30:00Z")])  # a Thursday
    found = pattern_of(LedgerReader(ledger, now=lambda: NOW), tz="Asia/Tokyo")
    assert [(row["weekday"], row["hour_of_day"], row["calls"]) for row in found.cells] == [
        ("Friday", "08", 1)
    ]


def test_hours_in_their_order_stand_as_they_came() -> None:
    """By its name's text the second hour of the night that clocks go back came before the first."""
    back = datetime(2026, 10, 25, 1, tzinfo=UTC)
    reader = LedgerReader(MemoryLedger())
    reader.ledger.add(call(back + timedelta(minutes=each)) for each in (-75, -1, 0))
    report = reader.report("hour", tz="Europe/Berlin", order="hour")
    hours = ["01:00:00+02:00", "02:00:00+02:00", "02:00:00+01:00"]
    assert [row["hour"][11:] for row in report.rows] == hours


BEFORE = {  # clocks go back on 25 October, and forward on 29 March
    ("2026-10-19", "2026-10-26"): "2026-10-12",
    ("2026-03-23", "2026-03-30"): "2026-03-16",
    ("2026-10-01", "2026-11-01"): "2026-08-31",
}


@pytest.mark.parametrize(("asked_for", "begins"), BEFORE.items())
def test_the_period_before_whole_days_is_of_whole_days(asked_for: tuple[str, str], begins: str) -> None:
    first = datetime.fromisoformat(begins).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    records = [call(first - timedelta(minutes=1)), call(first), call(first + timedelta(minutes=59))]
    ledger = MemoryLedger()
    ledger.add([replace(each, at=each.at.astimezone(UTC)) for each in records])
    since, until = asked_for
    reader = LedgerReader(ledger, now=lambda: NOW)
    before = trend_of(reader, since=since, until=until, tz="Europe/Berlin").before
    assert before is not None
    assert before["calls"] == 2


def test_the_period_before_one_that_begins_with_time_has_no_beginning() -> None:
    reader = LedgerReader(MemoryLedger(), now=lambda: NOW)
    before = trend_of(reader, since="0001-01-01").before
    assert before is not None
    assert before["calls"] == 0
    assert review_of(reader, "0001-W02").movers == ()


def _changes(rows: tuple[Row, ...]) -> None:
    for before, row in pairwise(rows):
        if row["cost_change"] is not None:
            assert row["cost_change"] == row["cost"] - before["cost"]
        if before["calls"]:
            assert isclose(row["calls_change_rate"] + 1, row["calls"] / before["calls"])


def patterns(reader: LedgerReader) -> None:
    pattern = pattern_of(reader, tz="Asia/Tokyo")
    whole = asked(reader)[1]
    for rows in (pattern.hours, pattern.weekdays, pattern.cells):
        for name in COUNTS:
            assert sum(row[name] for row in rows) == whole[name], name
        for currency, amount in amounts(whole).items():
            assert total(amounts(row).get(currency, Decimal(0)) for row in rows) == amount
        adds_up([row["share"] for row in rows])


def latencies(reader: LedgerReader) -> None:
    found = latency_of(reader, "model", slow_ms=5000, slowest=3)
    rows, whole = asked(reader, "model", metrics=("p90_latency_ms", "first_token_calls", "slow:5000"))
    names = ("calls", "p50_latency_ms", "p90_latency_ms", "p99_latency_ms", "first_token_calls")
    for row in found.rows:
        same(row, rows[row["model"],], *names)
        assert row["slow_calls"] == rows[row["model"],]["slow:5000"]
    assert sum(row["slow_calls"] for row in found.rows) == whole["slow:5000"]
    assert len(found.slowest) == min(3, whole["slow:5000"])
    assert sum(found.total["latency_histogram"]) == found.total["timed_calls"]


def failures(reader: LedgerReader) -> None:
    found = errors_of(reader)
    failed = asked(reader, where=filters({"status": "error"}))[1]
    assert sum(row["calls"] for row in found.rows) == failed["calls"] == found.total["errors"]
    assert amounts(found.total, "error_cost") == amounts(failed)
    assert found.total["unpriced_errors"] == failed["unpriced_calls"]
    adds_up([row["share"] for row in found.rows])
    for row in found.models:
        assert row["error_rate"] == row["errors"] / row["calls"]


def caches(reader: LedgerReader) -> None:
    found = caching_of(reader)
    rows, whole = asked(reader, "provider", "model")
    for row in found.rows:
        same(row, rows[row["provider"], row["model"]])
    summed = reader.ledger.lines(Query())
    for currency, amount in amounts(whole).items():
        assert total(line["amount"] for line in summed if line["currency"] == currency) in (amount, 0)
    cached = total(line["quantity"] for line in summed if line["unit"] == "cache_read")
    priced = asked(reader, where=filters({"cost_status": "priced"}))[1]
    assert cached == priced["cached_tokens"]


def tops(reader: LedgerReader) -> None:
    for kind, by in KINDS.items():
        found = top_of(reader, kind, limit=5)
        if found.query.by != (by,):
            assert all(label == (None,) for label in asked(reader, by)[0])
            continue
        costs = sorted((row["cost"] or 0 for row in asked(reader, by)[0].values()), reverse=True)
        assert [row["cost"] or 0 for row in found.rows] == costs[:5]
        assert found.left_out == max(len(costs) - 5, 0)


def units(reader: LedgerReader) -> None:
    found = economics_of(reader, "model")
    whole = asked(reader)[1]
    same(found.total, whole)
    known = asked(reader, where=filters({"cost_status": ["priced", "partial", "reported", "free"]}))[1]
    assert found.total["cost_per_call"] == known["avg_cost"] == whole["avg_cost"]
    if known["cost"] is None:
        assert found.total["cost_per_1k_tokens"] is None
    else:
        each = found.total["cost_per_1k_tokens"] * known["total_tokens"] / 1000
        assert isclose(each, known["cost"], rel_tol=1e-9)
    for row in found.rows:
        assert row["cost_per_call"] == row["avg_cost"]


def qualities(reader: LedgerReader) -> None:
    found = quality_of(reader)
    rows, whole = asked(reader, "model", metrics=("judged_calls", "correct_calls", "judged_cost"))
    for row in found.rows:
        same(row, rows[row["model"],])
    assert sum(row["judged_calls"] for row in found.rows) == whole["judged_calls"]


def overviews(reader: LedgerReader) -> None:
    found = overview_of(reader)
    midnight = NOW.replace(hour=0)
    starts = {"today": midnight, "week": midnight - timedelta(days=6), "month": midnight.replace(day=1)}
    for name, since in starts.items():
        row, whole = getattr(found, name), asked(reader, since=since)[1]
        same(row, whole if whole["calls"] else row, *COUNTS, "cost")
        if whole["avg_latency_ms"] is not None:
            assert isclose(row["avg_latency_ms"], whole["avg_latency_ms"], rel_tol=1e-9)
    assert len(found.days) == 30
    assert found.days[-1]["day"] == "2026-11-19"
    gaps = reader.report(since=midnight - timedelta(days=29)).price_gaps
    assert set(found.price_gaps) == set(gaps)
    assert any(each.errors for each in gaps) or not gaps


def forecasts(reader: LedgerReader) -> None:
    found = forecast_of(reader)
    whole = asked(reader, since=NOW.replace(day=1, hour=0))[1]
    assert {each.currency: each.to_date for each in found.currencies} == amounts(whole)
    days = asked(reader, "day")[0]
    for each in found.currencies:
        for day in each.days:
            row = days.get((day.day,))
            assert day.cost == (amounts(row).get(each.currency, 0) if row else 0)


def test_every_report_can_be_written_as_json(reader: LedgerReader) -> None:
    import json  # noqa: PLC0415

    made = (
        trend_of,
        pattern_of,
        latency_of,
        errors_of,
        caching_of,
        top_of,
        economics_of,
        quality_of,
        overview_of,
        forecast_of,
    )
    for make in made:
        document = make(reader).to_dict()
        assert json.loads(json.dumps(document, allow_nan=False)) == json.loads(json.dumps(plain(document)))
        assert "unpriced" in document


COARSE = Context(prec=3, traps=[Inexact, FloatOperation, InvalidOperation])
"""How a program may compute with decimals itself; what we reckon is not its."""
ASKED: dict[str, Callable[[LedgerReader], Any]] = {
    "report": lambda reader: reader.report(("model", "day"), order="cost"),
    "shares": lambda reader: shares_of(reader.report("model")),
    "trend": lambda reader: trend_of(reader, since="20d"),
    "pattern": pattern_of,
    "latency": latency_of,
    "errors": errors_of,
    "caching": caching_of,
    "top": lambda reader: top_of(reader, "models"),
    "economics": lambda reader: economics_of(reader, "model"),
    "quality": quality_of,
    "overview": overview_of,
    "forecast": forecast_of,
    "review": review_of,
    "page": page_of,
    "calls": lambda reader: [record.cost for record in reader.calls(50, "cost")],
}


@pytest.mark.parametrize("make", [MemoryLedger, DuckLedger])
def test_a_programs_own_decimal_context_changes_no_answer(make: Callable[..., Any], tmp_path: Path) -> None:
    with closing(make() if make is MemoryLedger else make(tmp_path)) as ledger:
        ledger.add(records(1500, (*MODELS, EUROPEAN)))
        reader = reader_of(ledger)
        expected = {name: repr(ask(reader)) for name, ask in ASKED.items()}
        with localcontext(COARSE):
            found = {name: repr(ask(reader)) for name, ask in ASKED.items()}
    assert found == expected
