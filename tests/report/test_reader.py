"""LedgerReader: people's words become checked questions; answers become reports."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from outlay.core.errors import QueryError
from outlay.core.query import CallQuery, Query, Row, Rows
from outlay.report import LedgerReader, PriceGap

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)


@pytest.fixture
def reader(ledger: Any) -> LedgerReader:
    return LedgerReader(ledger, now=lambda: NOW)


def totals(**given: Any) -> Row:
    return {"calls": 0, "errors": 0, "unpriced_calls": 0, "cost": None, **given}


def test_words_become_instants_and_checked_dimensions(reader: LedgerReader, ledger: Any) -> None:
    ledger.answers[("day", "model")] = Rows((), totals())
    report = reader.report(
        "day, model", since="30d", until="today", where={"user": ["u1", None]}, tz="Asia/Tokyo"
    )
    # 12:00 UTC is 21:00 in Tokyo, so that today began at 15:00 UTC of the day before.
    assert ledger.asked == [
        Query(
            by=("day", "model"),
            since=NOW - timedelta(days=30),
            until=datetime(2026, 11, 14, 15, tzinfo=UTC),
            where=(("user", ("u1", None)),),
            tz="Asia/Tokyo",
        )
    ]
    assert report.query is ledger.asked[0]


def test_dimensions_may_be_a_list_and_count_once(reader: LedgerReader, ledger: Any) -> None:
    ledger.answers[("model", "tag:team")] = Rows((), totals())
    assert reader.report(["model", "tag:team", "model"]).query.by == ("model", "tag:team")


@pytest.mark.parametrize(
    "question",
    [
        {"by": "modle"},
        {"since": "soon"},
        {"until": "2026-13-01"},
        {"since": "2021-01-01", "until": "2020-01-01"},
        {"where": {"usr": "u1"}},
        {"tz": "Mars/Olympus"},
        {"order": "beauty"},
        {"limit": -1},
        {"limit": True},
    ],
)
def test_a_question_that_cannot_be_is_refused_before_the_ledger_is_asked(
    reader: LedgerReader, ledger: Any, question: dict[str, Any]
) -> None:
    with pytest.raises(QueryError):
        reader.report(**question)
    assert ledger.asked == []


def test_a_metric_orders_the_largest_first_and_the_unknown_last(reader: LedgerReader, ledger: Any) -> None:
    costs = (("a", Decimal(1)), ("b", None), ("c", Decimal(3)), ("d", Decimal(2)))
    rows = tuple(totals(model=model, cost=cost) for model, cost in costs)
    ledger.answers[("model",)] = Rows(rows, totals(calls=4))
    ledger.answers[("provider", "model")] = Rows((), totals())
    report = reader.report("model", order="cost", limit=3)
    assert [row["model"] for row in report.rows] == ["c", "d", "a"]
    assert report.left_out == 1
    assert report.total["calls"] == 4
    assert reader.report("model", limit=0).left_out == 4


def test_a_dimension_orders_ascending_and_the_missing_last(reader: LedgerReader, ledger: Any) -> None:
    rows = tuple(totals(model=model) for model in ("b", None, "a"))
    ledger.answers[("model",)] = Rows(rows, totals())
    assert [row["model"] for row in reader.report("model", order="model").rows] == ["a", "b", None]


def test_models_without_a_price_are_named_most_calls_first(reader: LedgerReader, ledger: Any) -> None:
    ledger.answers[()] = Rows((), totals(calls=9, unpriced_calls=3))
    found = (totals(provider="p", model="x", calls=1), totals(provider="p", model=None, calls=2, errors=1))
    ledger.answers[("provider", "model")] = Rows(found, totals(calls=3))
    report = reader.report(since="2026-11-01", where={"user": "u1"})
    assert report.price_gaps == (PriceGap("p", None, 2, errors=1), PriceGap("p", "x", 1))
    narrowed = ledger.asked[1]
    assert narrowed.since == datetime(2026, 11, 1, tzinfo=UTC)
    assert dict(narrowed.where) == {"user": ("u1",), "cost_status": ("unpriced", "partial")}


def test_models_at_a_price_of_later_are_named_behind_them(reader: LedgerReader, ledger: Any) -> None:
    ledger.answers[()] = Rows((), totals(calls=9))
    ledger.answers[("provider", "model")] = Rows((totals(provider="p", model="x", calls=1),), totals(calls=1))
    found = [
        {"provider": "p", "model": name, "extrapolated_calls": n}
        for name, n in (("a", 1), ("b", 0), ("c", 5))
    ]
    ledger.extrapolated[()] = Rows((), {"extrapolated_calls": 6})
    ledger.extrapolated["provider", "model"] = Rows(tuple(found), {"extrapolated_calls": 6})
    report = reader.report(since="2026-11-01", where={"user": "u1"})
    later = (PriceGap("p", "c", 5, extrapolated=True), PriceGap("p", "a", 1, extrapolated=True))
    assert report.price_gaps == (PriceGap("p", "x", 1), *later)
    assert {(each.since, each.where) for each in ledger.asked[2:]} == {
        (datetime(2026, 11, 1, tzinfo=UTC), (("user", ("u1",)),))
    }


def test_without_calls_the_ledger_is_asked_once(reader: LedgerReader, ledger: Any) -> None:
    ledger.answers[()] = Rows((), totals())
    assert reader.report().price_gaps == ()
    assert len(ledger.asked) == 1


def test_calls_are_asked_for_in_the_order_given(reader: LedgerReader, ledger: Any) -> None:
    assert reader.calls(7, "cost", since="today", where={"status": "error"}, tz="UTC") == []
    assert ledger.asked == [
        CallQuery(
            since=datetime(2026, 11, 15, tzinfo=UTC),
            where=(("status", ("error",)),),
            order="cost",
            limit=7,
        )
    ]


def test_an_unknown_order_of_calls_is_refused(reader: LedgerReader) -> None:
    with pytest.raises(QueryError, match="there are time, cost, latency"):
        reader.calls(order="beauty")  # type: ignore[arg-type] # on purpose


def test_what_is_in_flight_is_brought_in_before_every_question(ledger: Any) -> None:
    seen: list[int] = []
    reader = LedgerReader(ledger, now=lambda: NOW, refresh=lambda: seen.append(len(ledger.asked)))
    ledger.answers[()] = Rows((), totals())
    reader.report()
    reader.calls()
    reader.get("x")
    assert seen == [0, 1, 2]


def test_leaving_the_context_closes_the_ledger(ledger: Any) -> None:
    with LedgerReader(ledger) as reader:
        info = reader.info()
    assert (info["ledger"], info["recorded"]) == ("fake:", 0)
    assert ledger.closed == 1
