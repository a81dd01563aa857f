"""``outlay top``: what costs most or takes longest: calls, or groups of them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from outlay.cli.options import data_options, format_options, period_options
from outlay.cli.words import ranked

if TYPE_CHECKING:  # loaded when the command runs: --help needs neither
    from outlay.render.sheets import View
    from outlay.report.values import Report

_ORDERS: Mapping[str, str] = {
    "cost": "cost",
    "latency": "avg_latency_ms",
    "calls": "calls",
    "tokens": "total_tokens",
    "errors": "errors",
}
_OF_CALLS = ("cost", "latency")
_FEATURE = "tag:feature"


@click.command
@click.option(
    "-n", "--limit", type=click.IntRange(min=1), default=10, show_default=True, help="At most so many."
)
@click.option(
    "--by", type=click.Choice(list(_ORDERS)), default="cost", show_default=True, help="What counts."
)
@click.option(
    "--of",
    metavar="WHAT",
    shell_complete=ranked,
    default="calls",
    show_default=True,
    help="calls, users, sessions, features, models, or a dimension.",
)
@format_options
@period_options
@data_options
@click.pass_context
def top(ctx: click.Context, /, *, by: str, of: str, **given: Any) -> None:
    """The dearest or slowest calls, users, sessions, features.

    Features are the tag feature, or query types where no call has that tag.
    """
    from outlay.cli.calls import print_calls
    from outlay.cli.showing import answer
    from outlay.report.top import top_of

    if of == "calls":
        if by not in _OF_CALLS:
            raise click.UsageError(f"single calls are ranked by {' or '.join(_OF_CALLS)}, not by {by}", ctx)
        limit = given.pop("limit")
        print_calls(ctx, limit, "cost" if by == "cost" else "latency", given)
        return
    answer(ctx, given, lambda reader, question: top_of(reader, of, order=_ORDERS[by], **question), _view)


def _view(report: "Report") -> "View":
    """Lay a ranking out; where it is of features, say how many calls have no such tag."""
    from dataclasses import replace

    from outlay.render.cells import many
    from outlay.render.reports import report_view

    laid_out = report_view(report)
    untagged = sum(row["calls"] for row in report.rows if row.get(_FEATURE, "") is None)
    if not untagged:
        return laid_out
    without = many(untagged, "call has", "calls have")
    note = f"{without} no tag feature; outlay top --of query_type ranks query types"
    return replace(laid_out, notes=(*laid_out.notes, note))
