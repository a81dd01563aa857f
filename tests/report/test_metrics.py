"""Further metrics from a question to rows, frames and CSV, over a real ledger."""

import json
from decimal import Decimal

import pytest

from outlay.core.errors import QueryError
from outlay.ledger import MemoryLedger
from outlay.render.as_csv import csv_text
from outlay.report import LedgerReader
from outlay.testing import call

ASKED = ("users", "error_cost", "avg_first_token_ms", "latency_histogram", "slow:50")


@pytest.fixture
def reader() -> LedgerReader:
    ledger = MemoryLedger()
    ledger.add(
        [
            call(model="a", user="x", latency_ms=12.0, cost="0.5", status="error"),
            call(model="b", latency_ms=60.0, time_to_first_token_ms=7.0),
        ]
    )
    return LedgerReader(ledger)


def test_they_stand_in_rows_and_order_them(reader: LedgerReader) -> None:
    report = reader.report("model", metrics=ASKED, order="slow:50")
    assert [(row["model"], row["users"], row["slow:50"]) for row in report.rows] == [("b", 0, 1), ("a", 1, 0)]
    assert report.to_dict()["total"]["error_cost"] == "0.5"


@pytest.mark.parametrize(
    ("asked", "says"),
    [("user", "did you mean users?"), ("slow:", "slow:MS"), ("slow:1.5", "no further metric 'slow:1.5'")],
)
def test_one_that_is_none_is_refused_with_the_nearest_name(
    reader: LedgerReader, asked: str, says: str
) -> None:
    with pytest.raises(QueryError, match=says):
        reader.report(metrics=[asked])


def test_a_histogram_is_no_order(reader: LedgerReader) -> None:
    with pytest.raises(QueryError, match="no order 'latency_histogram'"):
        reader.report("model", metrics=ASKED, order="latency_histogram")


def test_they_are_columns_of_frames_and_csv(reader: LedgerReader) -> None:
    report = reader.report("model", metrics=ASKED)
    frame = report.to_polars()
    assert frame.columns[-5:] == list(ASKED)
    assert frame["error_cost"].to_list() == [Decimal("0.5"), None]
    assert frame["latency_histogram"][0].to_list()[:3] == [0, 1, 0]
    assert report.to_pandas()["avg_first_token_ms"].tolist()[1] == 7.0
    assert report.to_arrow().column("slow:50").to_pylist() == [0, 1]
    heading, first, _ = csv_text(report).splitlines()
    assert heading.endswith(",users,error_cost,avg_first_token_ms,latency_histogram,slow:50")
    assert ",1,0.5,," in first
    assert json.loads(first.split('"')[1])[:3] == [0, 1, 0]


def test_lines_are_asked_for_in_the_same_words(reader: LedgerReader) -> None:
    assert reader.lines("day", since="today", where={"model": "a"}) == ()


def test_frames_tell_money_of_other_currencies() -> None:
    """A cost alone would be taken for dollars, and two currencies for an unknown cost."""
    ledger = MemoryLedger()
    ledger.add(
        [
            call(model="a", cost="2", currency="EUR"),
            call(model="b", cost="3"),
            call(model="b", cost="4", currency="CNY"),
        ]
    )
    report = LedgerReader(ledger).report("model")
    frames = (
        report.to_polars().to_dicts(),
        report.to_arrow().to_pylist(),
        report.to_pandas().to_dict("records"),
    )
    for rows in frames:
        assert [json.loads(row["costs"]) for row in rows] == [{"EUR": "2"}, {"CNY": "4", "USD": "3"}]
    assert "costs" not in LedgerReader(ledger).report("model", where={"currency": "USD"}).to_polars().columns
