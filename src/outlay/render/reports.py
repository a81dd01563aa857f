"""A report of totals and breakdowns, with one line that names what its total does not contain."""

from collections.abc import Callable, Iterator, Sequence

from outlay.core.query import METRICS, Row, slow_limit
from outlay.render.as_table import Page
from outlay.render.cells import failed, many, name
from outlay.render.rolled import rolled_notes
from outlay.render.sheets import Field, Kind, Sheet, View, view_text
from outlay.report.values import PriceGap, Report

_NAMED = 5  # models in the line about unpriced calls
NO_CALLS = "no calls"


def owed_for(*counts: str) -> Callable[[Row], bool]:
    """Tell rows that have any of these, or where their number is not known: then money of them is unknown."""
    return lambda row: any(row[name] != 0 for name in counts)


def owed_each(count: str) -> Callable[[Row], bool]:
    """Tell rows that have any of these in one currency at most; of several there is no cost of one."""
    return lambda row: row[count] != 0 and len(row.get("costs", ())) <= 1


FIGURES = (
    Field("calls", "calls"),
    Field("errors", "errors", spare=4, where_any=True, bad=True),
    Field("unpriced_calls", "unpriced", spare=1, where_any=True, bad=True),
    Field("input_tokens", "input", "tokens", spare=2),
    Field("cached_tokens", "cached", "tokens", spare=5, where_any=True),
    Field("cache_hit_rate", "hit", "percent", spare=9, where_any=True),
    Field("output_tokens", "output", "tokens", spare=2),
    Field("reasoning_tokens", "reasoning", "tokens", spare=8, where_any=True),
    Field("cost", "cost", "money"),
    Field("avg_cost", "avg cost", "money", spare=7, owed=owed_each("calls")),
    Field("avg_latency_ms", "avg", "ms", spare=6),
    Field("p95_latency_ms", "p95", "ms", spare=10),
)
"""The columns that most reports have in common."""

PERIOD_FIGURES = (
    Field("calls", "calls"),
    Field("errors", "errors", spare=3, where_any=True, bad=True),
    Field("unpriced_calls", "unpriced", spare=1, where_any=True, bad=True),
    Field("total_tokens", "tokens", "tokens", spare=2),
    Field("cost", "cost", "money"),
)
"""The columns of a period."""

_SHARES = (
    Field("share", "share", "share", spare=3),
    Field("cumulative_share", "together", "together", spare=8),
)
_MONEY = frozenset(("error_cost", "judged_cost"))
_OWED = {"error_cost": "errors", "judged_cost": "judged_calls"}


def report_text(report: Report, page: Page) -> str:
    """Show a report: its rows, its total, and what the total lacks."""
    return view_text(report_view(report), page)


def report_view(report: Report) -> View:
    """Lay a report out: dimensions, figures, further metrics, shares."""
    by = tuple(Field(each, each, "text") for each in report.query.by)
    fields = (*by, *FIGURES, *further(report.query.metrics))
    if report.share is not None:
        fields = _shared(fields, report)
    sheet = Sheet(fields, report.rows if by else (), _whole(report))
    return View((sheet,), report_notes(report), empty=None if report.total["calls"] else NO_CALLS)


def _shared(fields: tuple[Field, ...], report: Report) -> tuple[Field, ...]:
    """Put the shares behind their metric; a running sum says something where the largest stand first."""
    metric = report.share or ""
    known = [row["share"] for row in report.rows if row["share"] is not None]
    if report.rows and not known:  # of money in several currencies there are none
        return fields
    shares = _SHARES if len(known) > 1 and known == sorted(known, reverse=True) else _SHARES[:1]
    places = [at for at, each in enumerate(fields, 1) if each.key == metric]
    if not places:
        return (*fields, Field(metric, _heading(metric)), *shares)
    return (*fields[: places[0]], *shares, *fields[places[0] :])


def _whole(report: Report) -> Row:
    """Give the total with its share: all of it, unless a limit left rows out."""
    return {**report.total, "share": None, "cumulative_share": None}


def further(metrics: Sequence[str]) -> list[Field]:
    """Give columns for metrics that were asked for by name; a histogram is no figure."""
    shown = [each for each in metrics if each != "latency_histogram"]
    return [Field(each, _heading(each), _kind(each), owed=_owed(each, metrics)) for each in shown]


def with_counts(metrics: Sequence[str]) -> tuple[str, ...]:
    """Give metrics with the number of calls that a sum is of, which alone tells an unknown one from none."""
    counts = (_OWED[each] for each in metrics if each in _OWED)
    return tuple(dict.fromkeys((*metrics, *(each for each in counts if each not in METRICS))))


def _owed(metric: str, metrics: Sequence[str]) -> Callable[[Row], bool] | None:
    """Of what was judged that only says so where its number is asked for, too."""
    count = _OWED.get(metric)
    return owed_for(count) if count in (*METRICS, *metrics) and count is not None else None


def _heading(metric: str) -> str:
    limit = slow_limit(metric)
    return metric.removesuffix("_ms").replace("_", " ") if limit is None else f"over {limit:,} ms"


def _kind(metric: str) -> Kind:
    if metric in _MONEY:
        return "price"
    if metric.endswith("_ms"):
        return "ms"
    return "number" if metric.startswith("avg_") or metric.endswith("_per_second") else "count"


def report_notes(report: Report) -> tuple[str, ...]:
    """Say what the rows or the total lack."""
    more = (f"{report.left_out:,} more not shown; the total is that of all",) if report.left_out else ()
    rolled = rolled_notes(report, "no percentiles, hours, sessions")
    return (*more, *rolled, *price_gap_notes(report.price_gaps))


def price_gap_notes(price_gaps: Sequence[PriceGap]) -> tuple[str, ...]:
    """Give the lines about calls without a price of their own day, if there are any."""
    return tuple(line for _, line in noted(price_gaps))


def noted(price_gaps: Sequence[PriceGap]) -> Iterator[tuple[bool, str]]:
    """Say whose price is not, or not wholly, known; then whose is that of a later day, marked by True."""
    if lacking := [each for each in price_gaps if not each.extrapolated]:
        yield (
            False,
            f"cost unknown or partial for {_calls(lacking)}, not wholly in the cost: {_named(lacking)}",
        )
    if later := [each for each in price_gaps if each.extrapolated]:
        yield True, f"older than the first known price, which was taken: {_calls(later)}, {_named(later)}"


def _calls(models: Sequence[PriceGap]) -> str:
    return many(sum(each.calls for each in models), "call")


def _named(models: Sequence[PriceGap]) -> str:
    more = f" and {len(models) - _NAMED} more" if len(models) > _NAMED else ""
    return ", ".join(f"{_model(each)} ({failed(each.calls, each.errors)})" for each in models[:_NAMED]) + more


def _model(each: PriceGap) -> str:
    return f"{name(each.provider)}/{name(each.model)}"


def columns_of(report: Report) -> Sequence[str]:
    """Give the headings of a report: dimensions, every metric, shares, sums by currency if need be."""
    rows = (*report.rows, report.total)
    shared = ["share", "cumulative_share"] if report.share is not None else []
    sums = [f"{each}s" for each in ("cost", *sorted(_MONEY)) if any(f"{each}s" in row for row in rows)]
    return [*report.query.by, *METRICS, *report.query.metrics, *shared, *sums]


def all_rows(report: Report) -> Sequence[Row]:
    """Give the rows, or the total where the report has no dimension."""
    return report.rows if report.query.by else [report.total]
