"""Report: as a JSON object and as frames, money exact in all of them."""

import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import polars as pl
import pytest

from outlay.core.errors import MissingExtraError
from outlay.core.query import METRICS, Query, Row
from outlay.report import PriceGap, Report

THIRD = Decimal("0.3333333333333333333333333333")  # more places than a ledger holds


def row(**given: Any) -> Row:
    figures: Row = {name: 1 for name in METRICS}  # noqa: C420 - Row's values are of any type
    return {**figures, "avg_latency_ms": 1.5, "p50_latency_ms": None, "cache_hit_rate": 0.25, **given}


@pytest.fixture
def report() -> Report:
    rows = [
        row(model="gpt-4o", cost=Decimal("0.000000000000000001"), avg_cost=THIRD),
        row(model=None, cost=None, avg_cost=None),
    ]
    query = Query(by=("model",), since=datetime(2026, 11, 1, tzinfo=UTC))
    return Report(rows, row(cost=Decimal("1E-18"), avg_cost=None), query, (PriceGap("p", "m", 1),), 3)


@pytest.fixture
def empty() -> Report:
    return Report([], row(cost=None, avg_cost=None), Query(by=("day", "model")))


def test_the_json_object_holds_money_as_plain_decimal_strings(report: Report) -> None:
    data = json.loads(json.dumps(report.to_dict()))
    assert data["by"] == ["model"]
    assert (data["since"], data["until"], data["tz"]) == ("2026-11-01T00:00:00.000000Z", None, "UTC")
    assert data["rows"][0]["cost"] == "0.000000000000000001"
    assert data["rows"][1]["model"] is None
    assert data["total"]["cost"] == "0.000000000000000001"
    assert data["unpriced"] == [{"provider": "p", "model": "m", "calls": 1, "errors": 0}]
    assert data["left_out"] == 3


def test_polars_has_decimal_money_and_null_for_the_missing(report: Report) -> None:
    frame = report.to_polars()
    assert frame.columns == ["model", *METRICS]
    assert frame["cost"].to_list() == [Decimal("0.000000000000000001"), None]
    assert frame["avg_cost"][0] == Decimal("0.333333333333333333")
    assert frame["model"].to_list() == ["gpt-4o", None]
    assert frame.schema["calls"] == pl.Int64


def test_pandas_has_decimal_money(report: Report) -> None:
    frame = report.to_pandas()
    assert list(frame.columns) == ["model", *METRICS]
    assert list(frame["cost"]) == [Decimal("0.000000000000000001"), None]
    assert frame["calls"].dtype == "int64"
    assert pd.isna(frame["p50_latency_ms"][0])


def test_arrow_has_decimal_money(report: Report) -> None:
    table = report.to_arrow()
    assert table.column_names == ["model", *METRICS]
    assert table["cost"].to_pylist() == [Decimal("0.000000000000000001"), None]


def test_empty_frames_still_have_all_columns(empty: Report) -> None:
    names = ["day", "model", *METRICS]
    assert empty.to_polars().columns == names
    assert list(empty.to_pandas().columns) == names
    assert empty.to_arrow().column_names == names


@pytest.mark.parametrize(
    ("package", "method"), [("polars", "to_polars"), ("pandas", "to_pandas"), ("pyarrow", "to_arrow")]
)
def test_a_missing_package_is_named_with_its_extra(
    report: Report, monkeypatch: pytest.MonkeyPatch, package: str, method: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"{package} is not installed; run: pip install"):
        getattr(report, method)()
