"""A report as a table for people, with one line that names what its total does not contain."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from outlay.core.query import METRICS, Row
from outlay.render.as_table import Column, Page, table
from outlay.render.cells import count, dollars, milliseconds, name, percent, sums
from outlay.report.values import Report, Unpriced

_NAMED = 5  # models in the line about unpriced calls


@dataclass(frozen=True, slots=True)
class _Metric:
    key: str
    heading: str
    show: Callable[[Any], str]
    spare: int = 0
    where_any: bool = False  # shown only where it is not 0 everywhere


_METRICS = (
    _Metric("calls", "calls", count),
    _Metric("errors", "errors", count, spare=3, where_any=True),
    _Metric("unpriced_calls", "unpriced", count, where_any=True),
    _Metric("input_tokens", "input", count, spare=1),
    _Metric("cached_tokens", "cached", count, spare=4, where_any=True),
    _Metric("cache_hit_rate", "hit", percent, spare=8, where_any=True),
    _Metric("output_tokens", "output", count, spare=1),
    _Metric("reasoning_tokens", "reasoning", count, spare=7, where_any=True),
    _Metric("cost", "cost", dollars),
    _Metric("avg_cost", "avg cost", dollars, spare=6),
    _Metric("avg_latency_ms", "avg", milliseconds, spare=5),
    _Metric("p95_latency_ms", "p95", milliseconds, spare=9),
)


def report_text(report: Report, page: Page) -> str:
    """Show a report: its rows, its total, and what the total lacks."""
    if not report.total["calls"]:
        return "no calls"
    rows = [*report.rows, report.total] if report.query.by else [report.total]
    names = [_names(report, dimension) for dimension in report.query.by]
    shown = [metric for metric in _METRICS if not metric.where_any or report.total[metric.key]]
    numbers = [
        Column(metric.heading, tuple(_cell(row, metric) for row in rows), spare=metric.spare)
        for metric in shown
    ]
    lines = [table([*names, *numbers], page, total=bool(report.query.by))]
    if report.left_out:
        lines.append(f"{report.left_out:,} more not shown; the total is that of all")
    if report.rolled:
        lines.append(
            f"{report.rolled:,} of these calls are kept as daily totals: no percentiles, hours, sessions"
        )
    if report.unpriced:
        lines.append(unpriced_line(report.unpriced))
    return "\n".join(lines)


def _cell(row: Row, metric: _Metric) -> str:
    """Show one figure; money of other currencies than USD says which."""
    costs = row.get("costs")
    if costs and metric.key == "cost":
        return sums(row["cost"], costs)
    if costs and metric.key == "avg_cost":
        return dollars(row["avg_cost"], next(iter(costs)))
    return metric.show(row[metric.key])


def _names(report: Report, dimension: str) -> Column:
    cells = [name(row[dimension]) for row in report.rows]
    first = dimension == report.query.by[0]
    return Column(dimension, (*cells, "total" if first else ""), text=True)


def unpriced_line(unpriced: Sequence[Unpriced]) -> str:
    """Name the models whose price is not, or not wholly, known, with their calls."""
    calls = sum(each.calls for each in unpriced)
    named = ", ".join(f"{_model(each)} ({each.calls:,})" for each in unpriced[:_NAMED])
    more = f" and {len(unpriced) - _NAMED} more" if len(unpriced) > _NAMED else ""
    noun = "call" if calls == 1 else "calls"
    return f"price unknown or partial for {calls:,} {noun}, not wholly in the cost: {named}{more}"


def _model(each: Unpriced) -> str:
    return f"{name(each.provider)}/{name(each.model)}"


def columns_of(report: Report) -> Sequence[str]:
    """Give the headings of a report's rows: dimensions, every metric, and costs by currency if need be."""
    foreign = any("costs" in row for row in (*report.rows, report.total))
    return [*report.query.by, *METRICS, *report.query.metrics, *(["costs"] if foreign else [])]


def all_rows(report: Report) -> Sequence[Row]:
    """Give the rows, or the total where the report has no dimension."""
    return report.rows if report.query.by else [report.total]
