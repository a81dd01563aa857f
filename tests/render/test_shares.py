"""Shares that are shown: they add up to what they are together, and the running sum is theirs."""

from decimal import Decimal
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.render.test_tables import by_model, row

from outlay.render.as_table import Page
from outlay.render.reports import report_text, report_view
from outlay.render.sheets import running, shares, view_markdown
from outlay.report import Report
from outlay.report.shares import shares_of

COSTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=60).filter(any)


def ranked(*costs: str) -> Report:
    rows = [row(model=f"m{at}", calls=1, cost=Decimal(each)) for at, each in enumerate(costs)]
    return shares_of(by_model(*rows, calls=len(rows), cost=sum(map(Decimal, costs), Decimal(0))))


def shown(text: str, column: str) -> list[str]:
    heading, *body = text.splitlines()
    end = heading.index(column) + len(column)
    return [line[:end].split()[-1] for line in body if line[:end].endswith("%")]


def test_together_is_the_sum_of_the_shares_that_stand_above_it() -> None:
    """A first row had a share of 94.4 % beside 94.3 %: one was rounded with the others, one by itself."""
    text = report_text(ranked("943.4", "30.3", "26.3"), Page())
    # tenths of percent: 943, 30 and 26 leave one over, which goes to the one that lost 0.4
    assert shown(text, "share") == ["94.4%", "3.0%", "2.6%"]
    assert shown(text, "together") == ["94.4%", "97.4%", "100.0%"]
    text = report_text(ranked("943.7", "18.6", "18.5", "18.4", "0.8"), Page())
    assert shown(text, "share") == ["94.4%", "1.9%", "1.8%", "1.8%", "0.1%"]
    assert shown(text, "together") == ["94.4%", "96.3%", "98.1%", "99.9%", "100.0%"]


def test_together_in_markdown_is_the_same() -> None:
    lines = view_markdown(report_view(ranked("943.45", "28.3", "28.25"))).splitlines()[2:5]
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    assert [[each for each in line if "%" in each] for line in cells] == [
        ["94.4%", "94.4%"],
        ["2.8%", "97.2%"],
        ["2.8%", "100.0%"],
    ]


@given(COSTS, st.integers(1, 60))
def test_shares_add_up_to_what_they_are_together(costs: list[int], limit: int) -> None:
    whole = sum(costs)
    part = sorted(costs, reverse=True)[:limit]
    values = [each / whole for each in part]
    found, reached = shares(values), running(values)
    tenths = [round(float(each[:-1]) * 10) for each in found]
    assert [round(float(each[:-1]) * 10) for each in reached] == list(accumulate(tenths))
    assert abs(tenths[-1] - values[-1] * 1000) < 1 + 1e-6
    assert abs(sum(tenths) - 1000 * sum(values)) <= 0.5 + 1e-6
    if len(part) == len(costs):
        assert reached[-1] == "100.0%"


@pytest.mark.parametrize("values", [[], [None], [0.5, None, 0.25]])
def test_an_unknown_share_adds_nothing(values: list[Any]) -> None:
    assert running(values) == [{0.5: "50.0%", None: "-", 0.25: "75.0%"}[each] for each in values]
