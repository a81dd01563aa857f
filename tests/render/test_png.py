"""The picture: 1200 by 800 whatever is in it, its figures the ledger's, nothing unknown hidden."""

import re
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from outlay.core.query import LATENCY_BOUNDS_MS, Query
from outlay.core.record import Record
from outlay.ledger import open_ledger
from outlay.render import png
from outlay.render.png import latency_bars, model_bars, note, png_bytes
from outlay.report import LedgerReader
from outlay.report.picture import Picture, picture_of
from outlay.testing import NOON, call


def picture(*records: Record, **question: Any) -> Picture:
    ledger = open_ledger("memory:", home=Path())
    ledger.add(records)
    return picture_of(LedgerReader(ledger, now=lambda: NOON), **question)


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])


CASES = {
    "nothing": [],
    "one call": [call(cost="0.1", latency_ms=812.0)],
    "one failure": [call(cost=None, status="error")],
    "a year and forty models": [
        call(NOON - timedelta(days=n), cost=f"0.{n + 1}", model=f"model-{n % 40}", latency_ms=n * 10.0)
        for n in range(365)
    ],
    "odd names": [call(model="$x_{1}$ \x1b[31m" + "long" * 30), call(model=None)],
    "no formula": [call(model=r"$\frac$"), call(model=r"a\$b$\x$", cost=None)],
    "signs of other scripts": [
        call(model="模型"),
        call(model="שלום"),
        call(model="😀"),
        call(model="ไทย", cost=None),
    ],
    "a far year": [call(cost="1"), call(datetime(9999, 12, 31, 12, tzinfo=UTC), cost="1")],
    "unknown costs alone": [call(NOON - timedelta(days=n), cost=None) for n in range(3)],
    "two currencies": [call(cost="1"), call(cost="2"), call(cost="7", currency="CNY")],
}


@pytest.mark.parametrize("records", CASES.values(), ids=CASES.keys())
def test_any_ledger_can_be_drawn(records: list[Record]) -> None:
    assert size(png_bytes(picture(*records))) == (1200, 800)


def test_a_name_between_dollars_stands_as_it_is() -> None:
    assert png_bytes(picture(call(model="$x$"))) != png_bytes(picture(call(model="x")))
    assert png._literal(r"a\$b $x$") == r"a\\$b \$x\$"  # matplotlib takes one backslash away


def test_the_bars_add_up_to_the_total() -> None:
    found = picture(*CASES["a year and forty models"])
    labels, costs = model_bars(found)
    assert labels[-1] == "31 others"
    assert len(labels) == 10
    known = [cost for cost in costs if cost is not None]
    assert known == costs
    assert all(first >= second for first, second in pairwise(known[:-1]))
    total = sum(Decimal(f"0.{n + 1}") for n in range(365))
    assert found.total["cost"] == total
    assert sum(known) == pytest.approx(float(total))
    assert sum(row["cost"] for row in found.days) == total
    assert len(found.days) == 365
    assert sum(found.latencies) == sum(count for _, count in latency_bars(found.latencies)) == 365


@pytest.mark.parametrize(
    ("cost", "shown"),
    [
        (12345.678, "12,345.68"),
        (1.0, "1.00"),
        (0.009345, "0.009345"),
        (4.23e-05, "0.000042"),
        (4.29e-07, "0.00000043"),  # 0.000000 would be no cost
        (0.0, "0.000000"),
        (-12345.678, "-12,345.68"),
    ],
)
def test_amounts_are_written_out(cost: float, shown: str) -> None:
    assert png._figure(cost) == shown


def test_latencies_stand_in_the_bucket_that_ends_with_them() -> None:
    found = picture(*(call(latency_ms=value) for value in (10.0, 10.1, 700_000.0)))
    assert latency_bars(found.latencies)[0] == ("≤ 0.01 s", 1)
    assert latency_bars(found.latencies)[1] == ("≤ 0.015 s", 1)
    assert latency_bars(found.latencies)[-1] == (f"> {LATENCY_BOUNDS_MS[-1] / 1000:g} s", 1)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Give a list that will hold the axes of each picture's days."""
    axes: list[Any] = []
    keep = png._daily

    def watched(one: Any, found: Picture) -> None:
        axes.append(one)
        keep(one, found)

    monkeypatch.setattr(png, "_daily", watched)
    return axes


def test_the_first_day_is_named_and_stands_on_no_axis_of_years(drawn: list[Any]) -> None:
    png_bytes(picture(call()))
    assert [label.get_text() for label in drawn[0].get_xticklabels()] == [f"{NOON:%Y-%m-%d}"]


@pytest.mark.parametrize("days", [2, 3, 4, 20, 31, 41, 60, 75, 100, 300, 400, 700, 1000])
def test_a_picture_names_several_of_its_days_and_no_hour(drawn: list[Any], days: int) -> None:
    """Of some weeks over the end of a month that end alone was named, as 00:00."""
    found = picture(call(NOON - timedelta(days=days - 1), cost="1"), call(cost="2"))
    assert len(found.days) == days
    png_bytes(found)
    low, high = drawn[0].get_xlim()
    named = [
        label.get_text() for label in drawn[0].get_xticklabels() if low <= label.get_position()[0] <= high
    ]
    assert min(days, 3) <= len(named) <= 10
    assert not any(":" in each for each in named)


def test_a_model_paid_in_other_money_has_no_bar_of_nothing() -> None:
    """It had one of 0.000000, which is a price."""
    found = picture(call(cost="1"), call(cost="1"), call(cost="7", currency="CNY", model="qwen"))
    assert model_bars(found) == (["gpt-4o", "qwen: in CNY"], [2.0, None])
    more = picture(
        *(call(cost="1") for _ in range(3)),
        call(cost="7", currency="CNY", model="qwen"),
        call(cost="7", currency="EUR", model="own"),
    )
    assert model_bars(more) == (["gpt-4o", "2 models: in CNY, EUR"], [3.0, None])
    assert size(png_bytes(more)) == (1200, 800)


def test_what_the_costs_leave_out_is_said() -> None:
    assert note(picture(call())) == ""
    of_session = Query(where=(("session", ("s1",)),))
    pruned = replace(picture(call()), rolled_unknown=4, query=of_session)
    assert note(pruned) == "Costs are without 4 calls kept as daily totals, of unknown session"
    unknown = picture(call(), call(cost=None, model="imaginary-9"))
    assert note(unknown) == "Costs are without 1 call whose cost is unknown (imaginary-9)"
    both = picture(call(cost=None), call(cost=None, status="error", error_type="E"))
    assert note(both) == "Costs are without 2 calls (1 failed) whose cost is unknown (gpt-4o)"
    assert model_bars(unknown) == (["gpt-4o", "imaginary-9: unknown"], [0.1, None])
    assert len(note(picture(*(call(model=n * 200, cost=None) for n in "abcd")))) < 150  # what fits the line
    mixed = picture(*CASES["two currencies"])
    assert (mixed.currency, mixed.others) == ("USD", ("CNY",))
    assert note(mixed) == "Costs are without amounts in CNY"
    assert model_bars(mixed) == (["gpt-4o"], [3.0])


def test_one_model_of_two_providers_is_one_bar() -> None:
    """The page and the live dashboard know a model by its name, too."""
    found = picture(
        call(cost="1", model="m", provider="a"),
        call(cost="3", model="n", provider="a"),
        call(cost="4", model="m", provider="b"),
        call(cost=None, model="m", provider="c"),
        call(cost="9", currency="EUR", model="m", provider="d"),
    )
    assert model_bars(found) == (["m", "n"], [5.0, 3.0])
    elsewhere = picture(*(call(cost="1") for _ in range(3)), call(cost="2", currency="EUR", model="own"))
    assert [(row["model"], elsewhere.bar(row)) for row in elsewhere.by_model()] == [
        ("gpt-4o", Decimal(3)),
        ("own", None),  # a bar of 0 would be a price
    ]


def test_long_names_that_differ_at_an_end_are_told_apart() -> None:
    names = [f"accounts/fireworks/models/llama-v3p1-{size}b-instruct" for size in (70, 405)]
    labels, _ = model_bars(picture(*(call(model=each, cost="1") for each in names)))
    assert sorted(labels) == ["accounts/fire…-405b-instruct", "accounts/fire…1-70b-instruct"]
    assert model_bars(picture(call(model="m" * 28)))[0] == ["m" * 28]


COSTS = ("0.0000003", "0.000001", "0.0123", "7", "99999", "100000", "640000", "1234567", "98765432100")


def places(axes: Any, along: str) -> list[Any]:
    """Give the boxes of the figures along an axis."""
    low, high = axes.get_xlim() if along == "x" else axes.get_ylim()
    labels = axes.get_xticklabels() if along == "x" else axes.get_yticklabels()
    shown = [label for label in labels if low <= label.get_position()[along == "y"] <= high]
    assert all(re.fullmatch(r"-?[\d,]+(\.\d+)?[MBT]?", label.get_text()) for label in shown)
    assert (axes.xaxis if along == "x" else axes.yaxis).get_offset_text().get_text() == ""
    return [label.get_window_extent() for label in shown]


@pytest.mark.parametrize("cost", [*COSTS, "100000000", "150000000", "123456789012345678"])
def test_amounts_of_axes_are_written_out_and_do_not_run_together(
    monkeypatch: pytest.MonkeyPatch, drawn: list[Any], cost: str
) -> None:
    """1.0 with 1e8 at a corner is not read as money."""
    models: list[Any] = []
    keep = png._by_model

    def watched(one: Any, found: Picture) -> None:
        models.append(one)
        keep(one, found)

    monkeypatch.setattr(png, "_by_model", watched)
    png_bytes(picture(call(model="m" * 40, cost=cost)))
    beneath, beside = places(models[0], "x"), places(drawn[0], "y")
    assert min(len(beneath), len(beside)) >= 2
    assert all(one.x1 + 4 <= two.x0 for one, two in pairwise(beneath))
    assert all(one.y1 <= two.y0 for one, two in pairwise(beside))


def test_a_day_that_gave_money_back_lies_on_the_picture(drawn: list[Any]) -> None:
    png_bytes(picture(call(cost="1"), call(NOON - timedelta(days=1), cost="-3")))
    low, high = drawn[0].get_ylim()
    assert low <= -3
    assert high >= 1


def test_a_bar_of_latencies_says_that_it_goes_up_to_its_name() -> None:
    axes: Any = Figure().subplots()
    png._latencies(axes, picture(call(latency_ms=1_600.0), call(latency_ms=2_500.0)))
    (two, three) = axes.patches
    named = {label.get_text(): label.get_position()[0] for label in axes.get_xticklabels()}
    for bar, label in ((two, "≤ 2 s"), (three, "≤ 3 s")):
        assert bar.get_x() + bar.get_width() / 2 == named[label]


def test_latencies_say_how_many_calls_have_none() -> None:
    axes = Figure().subplots()
    png._latencies(axes, picture(call(latency_ms=1_600.0), call(), call()))
    assert axes.get_xlabel() == "Latency (2 calls have none)"
    png._latencies(axes, picture(call(latency_ms=1_600.0)))
    assert axes.get_xlabel() == "Latency"
    told = picture(call(latency_ms=1_600.0), call())
    assert (told.untimed, replace(told, rolled=1).untimed) == (1, 0)  # a pruned one may have had some


@pytest.mark.parametrize(("records", "said"), [([call()], "no latency is known"), ([], "no calls yet")])
def test_calls_whose_latency_nobody_knows_are_calls(records: list[Record], said: str) -> None:
    axes = Figure().subplots()
    png._latencies(axes, picture(*records))
    assert [text.get_text() for text in axes.texts] == [said]
