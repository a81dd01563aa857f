"""The cube: whatever is put together, its cells add up to the ledger's own figures."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from outlay.core.query import Row
from outlay.core.record import Record
from outlay.ledger import open_ledger
from outlay.report import LedgerReader
from outlay.report import cube as cubes
from outlay.report.cube import OTHERS, Cell, Cube, Limits, cube_of
from outlay.testing import NOON, call


def reader(records: list[Record]) -> LedgerReader:
    ledger = open_ledger("memory:", home=Path())
    ledger.add(records)
    return LedgerReader(ledger, now=lambda: NOON)


def many() -> list[Record]:
    """Give 600 calls of 60 days, 7 models, 30 users, 5 features; some fail, some have no price."""
    return [
        call(
            NOON - timedelta(days=n % 60),
            cost=None if n % 11 == 0 else f"0.0{n % 97 + 1}",
            model=f"m{n % 7}",
            user=None if n % 30 == 0 else f"u{n % 30}",
            query_type=f"q{n % 5}" if n % 5 else None,
            status="error" if n % 13 == 0 else "success",
            latency_ms=None if n % 17 == 0 else n * 10.0,
            units={"input": n, "cache_read": n // 2, "output": 5},
        )
        for n in range(600)
    ]


def summed(cube: Cube) -> Cell:
    whole = Cell()
    for cell in cube.cells.values():
        whole = whole.plus(cell)
    return whole


def assert_is(cell: Cell, row: Row) -> None:
    calls, errors, unpriced, given, cached, out, timed = cell.sums
    assert (calls, errors, unpriced) == (row["calls"], row["errors"], row["unpriced_calls"])
    assert (given, cached, out) == (row["input_tokens"], row["cached_tokens"], row["output_tokens"])
    assert cell.cost == row["cost"]
    assert (timed, cell.latencies) == (row["timed_calls"], row["latency_histogram"])
    assert cell.latency_ms / timed == pytest.approx(row["avg_latency_ms"])


@pytest.mark.parametrize(
    "limits",
    [
        Limits("day", 40, 40, 20),
        Limits("day", 3, 4, 2),
        Limits("day", 40, 0, 20),
        Limits("week", 1, 1, 1),
        Limits("month", 2, 0, 3),
    ],
)
def test_the_cells_add_up_to_the_total(limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = reader(many())
    monkeypatch.setattr(cubes, "_LADDER", (limits,))
    cube = cube_of(asked, feature="query_type", currency="USD")
    total = asked.report((), metrics=("timed_calls", "latency_histogram")).total
    assert_is(summed(cube), total)
    for place, most in ((1, limits.models), (2, limits.users), (3, limits.features)):
        shown = {key[place] for key in cube.cells} - {OTHERS}
        assert len(shown) <= most


def test_each_group_that_is_shown_has_the_ledgers_figures() -> None:
    asked = reader(many())
    cube = cube_of(asked, feature="query_type", currency="USD")
    for place, dimension in ((1, "model"), (3, "query_type")):
        rows = asked.report(dimension, metrics=("timed_calls", "latency_histogram")).rows
        for row in rows:
            cells = {key: cell for key, cell in cube.cells.items() if key[place] == row[dimension]}
            assert_is(summed(Cube(cells, cube.limits, cube.feature, "USD")), row)


def test_too_many_cells_are_put_together_further(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = reader(many())
    monkeypatch.setattr(cubes, "_MOST", 30)
    cube = cube_of(asked, feature="query_type", currency="USD")
    assert cube.limits.unit == "month"
    assert summed(cube).sums[0] == 600


def test_a_filter_holds_and_nothing_is_nothing() -> None:
    asked = reader(many())
    cube = cube_of(asked, feature="query_type", currency="USD", where={"user": ["u1", "u2"]})
    assert {key[2] for key in cube.cells} == {"u1", "u2"}
    assert cube_of(reader([]), feature="query_type", currency="USD").cells == {}


def test_only_one_currency_is_added() -> None:
    asked = reader([call(cost="1"), call(cost="7", currency="CNY")])
    assert summed(cube_of(asked, feature="query_type", currency="CNY")).cost == Decimal(7)
