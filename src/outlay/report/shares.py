"""Shares: which part of the total each row of a report is, and the rows down to it together."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate

from outlay.core.errors import QueryError
from outlay.core.query import METRICS, Row
from outlay.report.money import ratio
from outlay.report.values import Report

SHARED = tuple(name for name in METRICS if name == "cost" or name.endswith(("calls", "errors", "tokens")))
"""Metrics whose rows add up to the total, so that a row has a share of it."""


def shares_of(report: Report, metric: str = "cost") -> Report:
    """Give the report with ``share`` and ``cumulative_share`` (0 to 1) in its rows.

    A share is None where the row's own figure is unknown, and everywhere if the total is: nobody can say what
    part of it an amount of another currency is. Such rows add nothing to the cumulative share.

    Raises:
        QueryError: the rows of that metric do not add up.
    """
    check_shared(metric)
    shares = [ratio(row[metric], report.total[metric]) for row in report.rows]
    rows = list(_with(report.rows, shares))
    return replace(report, rows=rows, share=metric)


def check_shared(metric: str) -> None:
    """Say that there are no shares of a metric.

    Raises:
        QueryError: its rows do not add up.
    """
    if metric not in SHARED:
        raise QueryError(f"no share of {metric!r:.60}; there are those of {', '.join(SHARED)}")


def _with(rows: list[Row], shares: list[float | None]) -> Iterator[Row]:
    running = accumulate(share or 0.0 for share in shares)
    for row, share, reached in zip(rows, shares, running, strict=True):
        yield {**row, "share": share, "cumulative_share": None if share is None else min(reached, 1.0)}
