"""The summary: totals, then the same by provider, in a frame of 58 signs."""

from collections.abc import Iterator

from outlay.render.cells import name, sums
from outlay.render.reports import noted
from outlay.report.summary import Summary, Totals

_WIDTH = 58


def summary_text(summary: Summary) -> str:
    """Show a summary; a breakdown stands only where there are several providers."""
    lines = ["═" * _WIDTH, "  COST & USAGE SUMMARY", "═" * _WIDTH, *_total(summary.total)]
    titles = {False: "Unpriced", True: "Extrapolated"}
    for extrapolated, line in noted(summary.price_gaps):
        lines.append(f"  {titles[extrapolated]:<18}: {line}")
    if len(summary.by_provider) > 1:
        lines += ["", "  BY PROVIDER", "─" * _WIDTH]
        for provider, totals in summary.by_provider:
            lines += _provider(provider, totals)
    return "\n".join(lines)


def _total(totals: Totals) -> Iterator[str]:
    yield f"  Total calls       : {totals.calls:,} ({totals.succeeded:,} succeeded)"
    yield f"  Input tokens      : {totals.input_tokens:,}"
    yield f"  Output tokens     : {totals.output_tokens:,}"
    yield f"  Total tokens      : {totals.total_tokens:,}"
    yield f"  Total cost        : {sums(totals.cost, totals.costs)}"
    yield f"  Avg latency       : {_latency(totals)}"


def _provider(provider: str, totals: Totals) -> Iterator[str]:
    yield f"  [{name(provider)}]"
    yield f"    calls        : {totals.calls:,}  (success rate {totals.success_rate:.0%})"
    yield f"    tokens       : {totals.input_tokens:,} in / {totals.output_tokens:,} out"
    yield f"    cost         : {sums(totals.cost, totals.costs)}"
    yield f"    avg latency  : {_latency(totals)}"


def _latency(totals: Totals) -> str:
    if totals.avg_latency_ms is None:
        return "unknown" if totals.calls else "0 ms"
    return f"{totals.avg_latency_ms:,.0f} ms"
